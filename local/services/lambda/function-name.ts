/** The ways to name a function: name, `name:qualifier`, partial ARN, ARN, each with or without a qualifier. */
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';

export interface QualifiedName {
  readonly name: string;
  /** A version's number, `$LATEST` or an alias's name. */
  readonly qualifier: string | undefined;
}

const pattern =
  /^(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:|\d{12}:function:|\d{12}:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$/;

export function parseFunctionName(given: string, qualifier?: string): QualifiedName {
  const match = pattern.exec(given);
  if (match === null) {
    throw new AwsError(
      'InvalidParameterValueException',
      `1 validation error detected: Value '${given}' at 'functionName' failed to satisfy constraint: Member must be a function's name or ARN`,
    );
  }
  const [, name, own] = match;
  if (own !== undefined && qualifier !== undefined && own !== qualifier) {
    throw new AwsError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
  return { name: name!, qualifier: qualifier ?? own };
}

export function functionArn(name: string, qualifier?: string): string {
  return arn('lambda', `function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`);
}

export function functionNotFound(name: string, qualifier?: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Function not found: ${functionArn(name, qualifier)}`, {
    status: 404,
    members: { Type: 'User' },
  });
}
