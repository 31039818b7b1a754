/** The operations on functions themselves: create, update, describe, list, delete, tags. */
import type {
  CreateFunctionCommandInput,
  CreateFunctionCommandOutput,
  DeleteFunctionCommandInput,
  DeleteFunctionCommandOutput,
  GetFunctionCommandInput,
  GetFunctionCommandOutput,
  GetFunctionConfigurationCommandInput,
  GetFunctionConfigurationCommandOutput,
  ListFunctionsCommandInput,
  ListFunctionsCommandOutput,
  UpdateFunctionCodeCommandInput,
  UpdateFunctionCodeCommandOutput,
  UpdateFunctionConfigurationCommandInput,
  UpdateFunctionConfigurationCommandOutput,
} from '@aws-sdk/client-lambda';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { CodePackage, Packages } from './code.ts';
import { type FunctionVersion, LambdaFunction, latest } from './function.ts';
import { parseFunctionName } from './function-name.ts';
import type { Functions } from './functions.ts';
import { listPage } from './list-page.ts';
import { type Settings, settingsFrom } from './settings.ts';

export interface FunctionOperationsOptions {
  readonly functions: Functions;
  readonly packages: Packages;
  readonly newVersion: (
    functionName: string,
    version: string,
    settings: Settings,
    code: CodePackage,
  ) => FunctionVersion;
}

export function functionOperations({
  functions,
  packages,
  newVersion,
}: FunctionOperationsOptions): Operations {
  return {
    async CreateFunction(input: CreateFunctionCommandInput): Promise<Output<CreateFunctionCommandOutput>> {
      const { name } = parseFunctionName(input.FunctionName!);
      const settings = settingsFrom(input);
      const code = await packages.load(input.Code!);
      if (functions.has(name)) {
        throw new AwsError('ResourceConflictException', `Function already exist: ${name}`, {
          status: 409,
          members: { Type: 'User' },
        });
      }
      const fn = new LambdaFunction({ name, settings, code, tags: input.Tags ?? {}, newVersion });
      functions.add(fn);
      return input.Publish === true
        ? fn.describe(fn.publish(undefined), true)
        : fn.describe(fn.latest, false);
    },

    async UpdateFunctionCode(
      input: UpdateFunctionCodeCommandInput,
    ): Promise<Output<UpdateFunctionCodeCommandOutput>> {
      const { fn } = functions.locate(input.FunctionName!);
      fn.checkRevision(input.RevisionId, fn.latest.revisionId);
      const code = await packages.load(input);
      if (input.DryRun === true) return { ...fn.describe(fn.latest, false), CodeSha256: code.sha256 };
      const settings = settingsFrom(
        input.Architectures === undefined ? {} : { Architectures: input.Architectures },
        fn.latest.settings,
      );
      await fn.update({ code, settings });
      return input.Publish === true
        ? fn.describe(fn.publish(undefined), true)
        : fn.describe(fn.latest, false);
    },

    async UpdateFunctionConfiguration(
      input: UpdateFunctionConfigurationCommandInput,
    ): Promise<Output<UpdateFunctionConfigurationCommandOutput>> {
      const { fn } = functions.locate(input.FunctionName!);
      fn.checkRevision(input.RevisionId, fn.latest.revisionId);
      await fn.update({ settings: settingsFrom(input, fn.latest.settings) });
      return fn.describe(fn.latest, false);
    },

    GetFunction(input: GetFunctionCommandInput): Output<GetFunctionCommandOutput> {
      const { fn, qualifier } = functions.locate(input.FunctionName!, input.Qualifier);
      return {
        Configuration: fn.describe(fn.resolve(qualifier), qualifier !== undefined),
        Code: { RepositoryType: 'S3' },
        ...(fn.tags.size === 0 ? {} : { Tags: Object.fromEntries(fn.tags) }),
        ...(fn.reservedConcurrency === undefined
          ? {}
          : { Concurrency: { ReservedConcurrentExecutions: fn.reservedConcurrency } }),
      };
    },

    GetFunctionConfiguration(
      input: GetFunctionConfigurationCommandInput,
    ): Output<GetFunctionConfigurationCommandOutput> {
      const { fn, qualifier } = functions.locate(input.FunctionName!, input.Qualifier);
      return fn.describe(fn.resolve(qualifier), qualifier !== undefined);
    },

    ListFunctions(input: ListFunctionsCommandInput): Output<ListFunctionsCommandOutput> {
      const versions = functions.all().flatMap((fn) => {
        const newest = fn.describe(fn.latest, input.FunctionVersion === 'ALL');
        if (input.FunctionVersion !== 'ALL') return [newest];
        return [newest, ...[...fn.versions.values()].map((version) => fn.describe(version, true))];
      });
      // https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
      const { entries, ...more } = listPage(versions, input, 50);
      return { Functions: entries, ...more };
    },

    async DeleteFunction(input: DeleteFunctionCommandInput): Promise<Output<DeleteFunctionCommandOutput>> {
      const { fn, qualifier } = functions.locate(input.FunctionName!, input.Qualifier);
      if (qualifier === undefined) {
        functions.delete(fn);
        await Promise.all(
          [fn.latest, ...fn.versions.values()].map(({ environments }) => environments.retire()),
        );
        return { StatusCode: 204 };
      }
      if (qualifier === latest) {
        throw new AwsError(
          'InvalidParameterValueException',
          '$LATEST version cannot be deleted without deleting the function.',
        );
      }
      const aliases = [...fn.aliases.values()].filter(
        (alias) => alias.version === qualifier || qualifier in alias.weights,
      );
      if (aliases.length > 0) {
        throw new AwsError(
          'ResourceConflictException',
          `Unable to delete version because the following aliases reference it: [${aliases.map(({ name }) => name).join(', ')}]`,
          { status: 409 },
        );
      }
      // Deleting a version that is not there succeeds, as on AWS.
      const version = fn.versions.get(qualifier);
      fn.versions.delete(qualifier);
      await version?.environments.retire();
      return { StatusCode: 204 };
    },
  };
}
