/** How each service words that required members are missing. The SDKs check this before they send; other clients do not. */
import { AwsError } from '../call.ts';

type Wording = (missing: readonly string[]) => AwsError;

function constraints(missing: readonly string[]): string {
  const each = missing.map(
    (path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  );
  return `${missing.length} validation error${missing.length === 1 ? '' : 's'} detected: ${each.join('; ')}`;
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const wordings: Readonly<Record<string, Wording>> = {
  ecs: (missing) => new AwsError('InvalidParameterException', constraints(missing)),
  logs: (missing) => new AwsError('InvalidParameterException', constraints(missing)),
  ecr: ([first = '']) =>
    new AwsError(
      'InvalidParameterException',
      `Invalid parameter at '${first}' failed to satisfy constraint: 'Member must not be null'`,
    ),
  sqs: ([first = '']) =>
    new AwsError('MissingParameter', `The request must contain the parameter ${upperFirst(first)}.`),
  ec2: ([first = '']) => new AwsError('MissingParameter', `The request must contain the parameter ${first}`),
  sns: ([first = '']) =>
    new AwsError(
      'InvalidParameterException',
      `Invalid parameter: ${upperFirst(first)} Reason: no value for required parameter`,
    ),
  monitoring: ([first = '']) =>
    new AwsError('MissingRequiredParameterException', `The parameter ${upperFirst(first)} is required.`),
};

/** `missing` holds at least one path, as `missingMembers` finds them. */
export function missingMembersError(signingName: string, missing: readonly string[]): AwsError {
  return wordings[signingName]?.(missing) ?? new AwsError('ValidationException', constraints(missing));
}
