/**
 * Systems Manager's Parameter Store: versions, tiers, hierarchies, tags. Values of SecureString are kept plain and are
 * given whether decryption is asked for or not: nothing here is secret.
 */
import type * as Ssm from '@aws-sdk/client-ssm';
import { AwsError, type Call, type Operations, type Output } from '../call.ts';
import type { Clock } from '../clock.ts';
import { principalArn } from '../iam/principal-arn.ts';
import { amazonLinux } from './amazon-linux.ts';
import { matchesFilters } from './ssm-filters.ts';
import {
  checkedName,
  invalid,
  metadata,
  plainName,
  type StoredParameter,
  selected,
  shown,
  tierFor,
  type Version,
  versionOf,
} from './ssm-parameter.ts';

// "Parameter Store" quotas in the Systems Manager guide.
const versionsKept = 100;
const namesPerCall = 10;
const pathPage = 10;
const describePage = 50;

export function ssmOperations({ clock }: { clock: Clock }): Operations {
  const store = new Map<string, StoredParameter>();

  const stored = (name: string): StoredParameter => {
    const found = store.get(plainName(name));
    if (found === undefined) throw new AwsError('ParameterNotFound', '');
    return found;
  };

  /** The account's own, or one that AWS offers to everyone: those are read, never changed or listed with the account's own. */
  const readable = (name: string): StoredParameter => publicParameters.get(name) ?? stored(name);

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
      return { Parameter: shown(readable(name), selector) };
    },

    GetParameters(input: Ssm.GetParametersCommandInput): Output<Ssm.GetParametersCommandOutput> {
      const names = atMostTen(input.Names!, 'names');
      const found = names.map((given) => {
        const { name, selector } = selected(given);
        const parameter = publicParameters.get(name) ?? store.get(name);
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
      const within = [...sorted(store), ...publicParameters.values()].filter(
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

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-ami.html */
const publicParameters: ReadonlyMap<string, StoredParameter> = new Map(
  amazonLinux.flatMap(({ id, publishedAt, parameters }) =>
    parameters.map((name) => {
      const version: Version = {
        version: 1,
        value: id,
        type: 'String',
        modified: publishedAt,
        modifiedBy: '',
        description: undefined,
      };
      return [name, { name, tier: 'Standard', versions: [version], tags: new Map<string, string>() }];
    }),
  ),
);

function tagged(
  store: ReadonlyMap<string, StoredParameter>,
  input: { ResourceType?: string | undefined; ResourceId?: string | undefined },
): StoredParameter {
  const found = input.ResourceType === 'Parameter' ? store.get(plainName(input.ResourceId!)) : undefined;
  if (found === undefined) {
    throw new AwsError(
      'InvalidResourceId',
      'The resource ID is not valid. Verify that you entered the correct ID and try again.',
    );
  }
  return found;
}

function sorted(store: ReadonlyMap<string, StoredParameter>): StoredParameter[] {
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
