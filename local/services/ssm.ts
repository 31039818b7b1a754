/**
 * Systems Manager's Parameter Store: versions, tiers, hierarchies, tags. Values of SecureString are kept plain and are
 * given whether decryption is asked for or not: nothing here is secret.
 */
import type * as Ssm from '@aws-sdk/client-ssm';
import { arn } from '../account.ts';
import { AwsError, type Call, type Operations, type Output } from '../call.ts';
import type { Clock } from '../clock.ts';
import { principalArn } from '../iam/principal-arn.ts';
import { matchesFilters } from './ssm-filters.ts';

interface Version {
  readonly version: number;
  readonly value: string;
  readonly type: Ssm.ParameterType;
  readonly modified: Date;
  readonly modifiedBy: string;
  readonly description: string | undefined;
}

interface Stored {
  readonly name: string;
  tier: Ssm.ParameterTier;
  /** Oldest first; at most `versionsKept`. */
  versions: Version[];
  readonly tags: Map<string, string>;
}

// "Parameter Store" quotas in the Systems Manager guide.
const standardLimit = 4096;
const advancedLimit = 8192;
const versionsKept = 100;
const deepestLevel = 15;
const namesPerCall = 10;
const pathPage = 10;
const describePage = 50;

export function ssmOperations({ clock }: { clock: Clock }): Operations {
  const store = new Map<string, Stored>();

  const stored = (name: string): Stored => {
    const found = store.get(plainName(name));
    if (found === undefined) throw new AwsError('ParameterNotFound', '');
    return found;
  };

  return {
    PutParameter(input: Ssm.PutParameterCommandInput, call: Call): Output<Ssm.PutParameterCommandOutput> {
      const name = checkedName(plainName(input.Name!));
      const existing = store.get(name);
      const type = input.Type ?? existing?.versions.at(-1)?.type;
      if (type === undefined) throw invalid('A parameter type is required when you create a parameter.');
      if (existing !== undefined && input.Overwrite !== true) {
        throw new AwsError(
          'ParameterAlreadyExists',
          'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
        );
      }
      if (input.Overwrite === true && (input.Tags ?? []).length > 0) {
        throw invalid(
          "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove " +
            'overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.',
        );
      }
      const tier = tierFor(input, existing);
      const parameter = existing ?? { name, tier, versions: [], tags: new Map<string, string>() };
      const version: Version = {
        version: (parameter.versions.at(-1)?.version ?? 0) + 1,
        value: input.Value!,
        type,
        modified: new Date(clock.now()),
        modifiedBy: principalArn(call.principal),
        description: input.Description ?? parameter.versions.at(-1)?.description,
      };
      parameter.tier = tier;
      parameter.versions = [...parameter.versions, version].slice(-versionsKept);
      for (const { Key, Value } of input.Tags ?? []) parameter.tags.set(Key!, Value!);
      store.set(name, parameter);
      return { Version: version.version, Tier: tier };
    },

    GetParameter(input: Ssm.GetParameterCommandInput): Output<Ssm.GetParameterCommandOutput> {
      const { name, selector } = selected(input.Name!);
      return { Parameter: shown(stored(name), selector) };
    },

    GetParameters(input: Ssm.GetParametersCommandInput): Output<Ssm.GetParametersCommandOutput> {
      const names = atMostTen(input.Names!, 'names');
      const found = names.map((given) => {
        const { name, selector } = selected(given);
        const parameter = store.get(name);
        const exists = parameter !== undefined && versionOf(parameter, selector) !== undefined;
        return { given, parameter: exists ? shown(parameter, selector) : undefined };
      });
      return {
        Parameters: found.flatMap(({ parameter }) => (parameter === undefined ? [] : [parameter])),
        InvalidParameters: found.flatMap(({ given, parameter }) => (parameter === undefined ? [given] : [])),
      };
    },

    GetParametersByPath(
      input: Ssm.GetParametersByPathCommandInput,
    ): Output<Ssm.GetParametersByPathCommandOutput> {
      const path = input.Path!;
      if (!path.startsWith('/')) {
        throw invalid(
          'The parameter doesn\'t meet the parameter name requirements. The parameter name must begin with a forward slash "/".',
        );
      }
      const prefix = path.endsWith('/') ? path : `${path}/`;
      const within = sorted(store).filter(
        ({ name }) =>
          name.startsWith(prefix) && (input.Recursive === true || !name.slice(prefix.length).includes('/')),
      );
      const { items, nextToken } = paged(within, input, pathPage);
      return { Parameters: items.map((parameter) => shown(parameter)), ...nextToken };
    },

    GetParameterHistory(
      input: Ssm.GetParameterHistoryCommandInput,
    ): Output<Ssm.GetParameterHistoryCommandOutput> {
      const parameter = stored(input.Name!);
      const { items, nextToken } = paged(parameter.versions, input, describePage);
      return {
        Parameters: items.map((version) => ({ ...metadata(parameter, version), Value: version.value })),
        ...nextToken,
      };
    },

    DescribeParameters(
      input: Ssm.DescribeParametersCommandInput,
    ): Output<Ssm.DescribeParametersCommandOutput> {
      const all = sorted(store).map((parameter) => metadata(parameter, parameter.versions.at(-1)!));
      const filtered = all.filter((each) => matchesFilters(each, input.ParameterFilters ?? []));
      const { items, nextToken } = paged(filtered, input, describePage);
      return { Parameters: items, ...nextToken };
    },

    DeleteParameter(input: Ssm.DeleteParameterCommandInput): Output<Ssm.DeleteParameterCommandOutput> {
      store.delete(stored(input.Name!).name);
      return {};
    },

    DeleteParameters(input: Ssm.DeleteParametersCommandInput): Output<Ssm.DeleteParametersCommandOutput> {
      const names = atMostTen(input.Names!, 'names');
      const deleted = names.filter((name) => store.delete(plainName(name)));
      return {
        DeletedParameters: deleted,
        InvalidParameters: names.filter((name) => !deleted.includes(name)),
      };
    },

    AddTagsToResource(input: Ssm.AddTagsToResourceCommandInput): Output<Ssm.AddTagsToResourceCommandOutput> {
      const { tags } = tagged(store, input);
      for (const { Key, Value } of input.Tags!) tags.set(Key!, Value!);
      return {};
    },

    RemoveTagsFromResource(
      input: Ssm.RemoveTagsFromResourceCommandInput,
    ): Output<Ssm.RemoveTagsFromResourceCommandOutput> {
      const { tags } = tagged(store, input);
      for (const key of input.TagKeys!) tags.delete(key);
      return {};
    },

    ListTagsForResource(
      input: Ssm.ListTagsForResourceCommandInput,
    ): Output<Ssm.ListTagsForResourceCommandOutput> {
      return { TagList: [...tagged(store, input).tags].map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}

/** `arn:…:parameter/a/b` names `/a/b` when it has levels, and `a` when it has none. */
function plainName(name: string): string {
  const at = name.startsWith('arn:') ? name.indexOf(':parameter/') : -1;
  if (at === -1) return name;
  const path = name.slice(at + ':parameter/'.length);
  return path.includes('/') ? `/${path}` : path;
}

/** `name:3` asks for a version. */
function selected(given: string): { name: string; selector: string | undefined } {
  const { prefix, rest } = given.startsWith('arn:')
    ? {
        prefix: given.slice(0, given.indexOf(':parameter/') + 11),
        rest: given.slice(given.indexOf(':parameter/') + 11),
      }
    : { prefix: '', rest: given };
  const [name = '', selector] = rest.split(':');
  return { name: plainName(prefix + name), selector };
}

function checkedName(name: string): string {
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
function tierFor(input: Ssm.PutParameterCommandInput, existing: Stored | undefined): Ssm.ParameterTier {
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

function versionOf(parameter: Stored, selector?: string): Version | undefined {
  if (selector === undefined) return parameter.versions.at(-1);
  return parameter.versions.find(({ version }) => String(version) === selector);
}

function shown(parameter: Stored, selector?: string): Ssm.Parameter {
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

function metadata(parameter: Stored, version: Version): Ssm.ParameterMetadata {
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

function arnOf({ name }: Stored): string {
  return arn('ssm', `parameter/${name.replace(/^\//, '')}`);
}

function tagged(
  store: ReadonlyMap<string, Stored>,
  input: { ResourceType?: string | undefined; ResourceId?: string | undefined },
): Stored {
  const found = input.ResourceType === 'Parameter' ? store.get(plainName(input.ResourceId!)) : undefined;
  if (found === undefined) {
    throw new AwsError(
      'InvalidResourceId',
      'The resource ID is not valid. Verify that you entered the correct ID and try again.',
    );
  }
  return found;
}

function sorted(store: ReadonlyMap<string, Stored>): Stored[] {
  return [...store.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function atMostTen(names: readonly string[], member: string): readonly string[] {
  if (names.length > namesPerCall) {
    throw invalid(
      `1 validation error detected: Value '[${names.join(', ')}]' at '${member}' failed to satisfy constraint: ` +
        `Member must have length less than or equal to ${namesPerCall}`,
    );
  }
  return names;
}

/** The token is the number of items already given. */
function paged<T>(
  all: readonly T[],
  input: { NextToken?: string | undefined; MaxResults?: number | undefined },
  largestPage: number,
): { items: T[]; nextToken: { NextToken?: string } } {
  const start = input.NextToken === undefined ? 0 : Number(input.NextToken);
  if (!Number.isInteger(start)) throw new AwsError('InvalidNextToken', 'The specified token is not valid.');
  const size = input.MaxResults ?? largestPage;
  if (size > largestPage) {
    throw invalid(
      `1 validation error detected: Value '${size}' at 'maxResults' failed to satisfy constraint: ` +
        `Member must have value less than or equal to ${largestPage}`,
    );
  }
  const end = start + size;
  return { items: all.slice(start, end), nextToken: end < all.length ? { NextToken: String(end) } : {} };
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
