/** A parameter of Parameter Store: its names, versions and tier, and how it is shown. */
import type * as Ssm from '@aws-sdk/client-ssm';
import { arn, publicArn } from '../account.ts';
import { AwsError } from '../call.ts';

export interface Version {
  readonly version: number;
  readonly value: string;
  readonly type: Ssm.ParameterType;
  readonly modified: Date;
  readonly modifiedBy: string;
  readonly description: string | undefined;
}

export interface StoredParameter {
  readonly name: string;
  tier: Ssm.ParameterTier;
  /** Oldest first; at most `versionsKept`. */
  versions: Version[];
  readonly tags: Map<string, string>;
}

// "Parameter Store" quotas in the Systems Manager guide.
const standardLimit = 4096;
const advancedLimit = 8192;
const deepestLevel = 15;

/** `arn:…:parameter/a/b` names `/a/b` when it has levels, and `a` when it has none. */
export function plainName(name: string): string {
  const at = name.startsWith('arn:') ? name.indexOf(':parameter/') : -1;
  if (at === -1) return name;
  const path = name.slice(at + ':parameter/'.length);
  return path.includes('/') ? `/${path}` : path;
}

/** `name:3` asks for a version. */
export function selected(given: string): { name: string; selector: string | undefined } {
  const { prefix, rest } = given.startsWith('arn:')
    ? {
        prefix: given.slice(0, given.indexOf(':parameter/') + 11),
        rest: given.slice(given.indexOf(':parameter/') + 11),
      }
    : { prefix: '', rest: given };
  const [name = '', selector] = rest.split(':');
  return { name: plainName(prefix + name), selector };
}

export function checkedName(name: string): string {
  if (!/^[\w./-]+$/.test(name)) {
    throw invalid(
      'Parameter name must only contain the following characters: a-z, A-Z, 0-9, period (.), hyphen (-), underscore (_) and slash (/)',
    );
  }
  if (name.includes('/') && !name.startsWith('/'))
    throw invalid('Parameter name must be a fully qualified name.');
  if (/^\/?(aws|ssm)/i.test(name)) {
    throw invalid(
      'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can consist of ' +
        'sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_',
    );
  }
  if (name.split('/').length - 1 > deepestLevel) {
    throw new AwsError(
      'HierarchyLevelLimitExceededException',
      `Parameter name exceeds the maximum of ${deepestLevel} levels.`,
    );
  }
  return name;
}

/** Intelligent tiering takes standard while it is enough; an advanced parameter never becomes a standard one again. */
export function tierFor(
  input: Ssm.PutParameterCommandInput,
  existing: StoredParameter | undefined,
): Ssm.ParameterTier {
  const size = Buffer.byteLength(input.Value!);
  const wanted = input.Tier ?? existing?.tier ?? 'Standard';
  if (existing?.tier === 'Advanced' && wanted === 'Standard') {
    throw invalid(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier " +
        'to the standard-parameter tier.',
    );
  }
  const tier =
    wanted === 'Intelligent-Tiering'
      ? size > standardLimit
        ? 'Advanced'
        : (existing?.tier ?? 'Standard')
      : wanted;
  if (tier === 'Standard' && size > standardLimit) {
    throw invalid(
      `Standard tier parameters support a maximum parameter value of ${standardLimit} characters. To create a larger ` +
        'parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see ' +
        'https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html',
    );
  }
  if (size > advancedLimit) {
    throw invalid(
      `Advanced tier parameters support a maximum parameter value of ${advancedLimit} characters.`,
    );
  }
  return tier;
}

export function versionOf(parameter: StoredParameter, selector?: string): Version | undefined {
  if (selector === undefined) return parameter.versions.at(-1);
  return parameter.versions.find(({ version }) => String(version) === selector);
}

export function shown(parameter: StoredParameter, selector?: string): Ssm.Parameter {
  const version = versionOf(parameter, selector);
  if (version === undefined) {
    throw new AwsError(
      'ParameterVersionNotFound',
      `Systems Manager could not find version ${selector} of ${parameter.name}. Verify the version and try again.`,
    );
  }
  return {
    Name: parameter.name,
    Type: version.type,
    Value: version.value,
    Version: version.version,
    ...(selector === undefined ? {} : { Selector: `:${selector}` }),
    LastModifiedDate: version.modified,
    ARN: arnOf(parameter),
    DataType: 'text',
  };
}

export function metadata(parameter: StoredParameter, version: Version): Ssm.ParameterMetadata {
  return {
    Name: parameter.name,
    ARN: arnOf(parameter),
    Type: version.type,
    LastModifiedDate: version.modified,
    LastModifiedUser: version.modifiedBy,
    ...(version.description === undefined ? {} : { Description: version.description }),
    Version: version.version,
    Tier: parameter.tier,
    Policies: [],
    DataType: 'text',
  };
}

/** Public parameters are AWS's: their ARNs name no account. */
function arnOf({ name }: StoredParameter): string {
  const own = name.startsWith('/aws/service/') ? publicArn : arn;
  return own('ssm', `parameter/${name.replace(/^\//, '')}`);
}

export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
