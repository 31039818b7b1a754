/** The operations on published versions and aliases. */
import type {
  AliasRoutingConfiguration,
  CreateAliasCommandInput,
  CreateAliasCommandOutput,
  DeleteAliasCommandInput,
  GetAliasCommandInput,
  GetAliasCommandOutput,
  ListAliasesCommandInput,
  ListAliasesCommandOutput,
  ListVersionsByFunctionCommandInput,
  ListVersionsByFunctionCommandOutput,
  PublishVersionCommandInput,
  PublishVersionCommandOutput,
  UpdateAliasCommandInput,
  UpdateAliasCommandOutput,
} from '@aws-sdk/client-lambda';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { type Alias, type LambdaFunction, newRevision } from './function.ts';
import { functionArn } from './function-name.ts';
import type { Functions } from './functions.ts';
import { listPage } from './list-page.ts';

export function versionOperations(functions: Functions): Operations {
  return {
    PublishVersion(input: PublishVersionCommandInput): Output<PublishVersionCommandOutput> {
      const { fn } = functions.locate(input.FunctionName!);
      fn.checkRevision(input.RevisionId, fn.latest.revisionId);
      const { sha256 } = fn.latest.code;
      if (input.CodeSha256 !== undefined && input.CodeSha256 !== '' && input.CodeSha256 !== sha256) {
        throw new AwsError(
          'InvalidParameterValueException',
          `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${sha256}). Please try again with the CodeSHA256 in $LATEST.`,
        );
      }
      return fn.describe(fn.publish(input.Description), true);
    },

    ListVersionsByFunction(
      input: ListVersionsByFunctionCommandInput,
    ): Output<ListVersionsByFunctionCommandOutput> {
      const { fn } = functions.locate(input.FunctionName!);
      const { entries, ...more } = listPage([fn.latest, ...fn.versions.values()], input, 50);
      return { Versions: entries.map((version) => fn.describe(version, true)), ...more };
    },

    CreateAlias(input: CreateAliasCommandInput): Output<CreateAliasCommandOutput> {
      const { fn } = functions.locate(input.FunctionName!);
      const name = input.Name!;
      if (!/^(?!\d+$)[A-Za-z0-9_-]+$/.test(name)) {
        throw new AwsError(
          'InvalidParameterValueException',
          `1 validation error detected: Value '${name}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)`,
        );
      }
      if (fn.aliases.has(name)) {
        throw new AwsError(
          'ResourceConflictException',
          `Alias already exists: ${functionArn(fn.name, name)}`,
          {
            status: 409,
          },
        );
      }
      return save(fn, {
        name,
        version: input.FunctionVersion!,
        description: input.Description ?? '',
        weights: weightsOf(input.RoutingConfig),
        revisionId: newRevision(),
      });
    },

    UpdateAlias(input: UpdateAliasCommandInput): Output<UpdateAliasCommandOutput> {
      const { fn } = functions.locate(input.FunctionName!);
      const alias = aliasOf(fn, input.Name!);
      fn.checkRevision(input.RevisionId, alias.revisionId);
      return save(fn, {
        name: alias.name,
        version: input.FunctionVersion ?? alias.version,
        description: input.Description ?? alias.description,
        weights: input.RoutingConfig === undefined ? alias.weights : weightsOf(input.RoutingConfig),
        revisionId: newRevision(),
      });
    },

    GetAlias(input: GetAliasCommandInput): Output<GetAliasCommandOutput> {
      const { fn } = functions.locate(input.FunctionName!);
      return fn.describeAlias(aliasOf(fn, input.Name!));
    },

    ListAliases(input: ListAliasesCommandInput): Output<ListAliasesCommandOutput> {
      const { fn } = functions.locate(input.FunctionName!);
      const { entries, ...more } = listPage(
        [...fn.aliases.values()].filter(
          (alias) => input.FunctionVersion === undefined || alias.version === input.FunctionVersion,
        ),
        input,
        50,
      );
      return { Aliases: entries.map((alias) => fn.describeAlias(alias)), ...more };
    },

    DeleteAlias(input: DeleteAliasCommandInput) {
      functions.locate(input.FunctionName!).fn.aliases.delete(input.Name!);
      return {};
    },
  };
}

function aliasOf(fn: LambdaFunction, name: string): Alias {
  const alias = fn.aliases.get(name);
  if (alias !== undefined) return alias;
  throw new AwsError('ResourceNotFoundException', `Cannot find alias arn: ${functionArn(fn.name, name)}`, {
    status: 404,
    members: { Type: 'User' },
  });
}

function save(fn: LambdaFunction, alias: Alias) {
  // Both must be there; only published versions can share an alias.
  fn.resolve(alias.version);
  const shares = Object.entries(alias.weights);
  for (const [version, weight] of shares) {
    if (!fn.versions.has(version) || !fn.versions.has(alias.version)) {
      throw new AwsError(
        'InvalidParameterValueException',
        'An alias with weights must point to published versions.',
      );
    }
    if (weight < 0 || weight > 1) {
      throw new AwsError(
        'InvalidParameterValueException',
        `The weight of version ${version} must be between 0 and 1.`,
      );
    }
  }
  fn.aliases.set(alias.name, alias);
  return fn.describeAlias(alias);
}

function weightsOf(routing: AliasRoutingConfiguration | undefined): Record<string, number> {
  return { ...routing?.AdditionalVersionWeights };
}
