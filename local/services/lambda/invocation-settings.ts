/** The operations that set how a function is invoked: reserved concurrency, asynchronous retries, the account's limits. */
import type {
  DeleteFunctionConcurrencyCommandInput,
  DeleteFunctionEventInvokeConfigCommandInput,
  FunctionEventInvokeConfig,
  GetAccountSettingsCommandOutput,
  GetFunctionConcurrencyCommandInput,
  GetFunctionConcurrencyCommandOutput,
  GetFunctionEventInvokeConfigCommandInput,
  PutFunctionConcurrencyCommandInput,
  PutFunctionConcurrencyCommandOutput,
  PutFunctionEventInvokeConfigCommandInput,
  UpdateFunctionEventInvokeConfigCommandInput,
} from '@aws-sdk/client-lambda';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type AsyncSettings, type LambdaFunction, latest } from './function.ts';
import { functionArn } from './function-name.ts';
import type { Functions } from './functions.ts';

/** Functions without reserved concurrency keep at least this much of the account's. */
const minUnreserved = 100;

export function invocationSettings(options: {
  readonly clock: Clock;
  readonly functions: Functions;
  readonly accountConcurrency: number;
}): Operations {
  const { clock, functions, accountConcurrency } = options;
  const unreserved = (except?: LambdaFunction) =>
    functions
      .all()
      .filter((fn) => fn !== except)
      .reduce((left, fn) => left - (fn.reservedConcurrency ?? 0), accountConcurrency);
  const located = (input: { FunctionName: string | undefined; Qualifier?: string | undefined }) => {
    const { fn, qualifier } = functions.locate(input.FunctionName!, input.Qualifier);
    fn.resolve(qualifier);
    return { fn, key: qualifier ?? latest };
  };
  const put = (
    input: PutFunctionEventInvokeConfigCommandInput,
    base: AsyncSettings | undefined,
  ): FunctionEventInvokeConfig => {
    const { fn, key } = located(input);
    const settings: AsyncSettings = {
      maximumRetryAttempts: input.MaximumRetryAttempts ?? base?.maximumRetryAttempts ?? 2,
      maximumEventAgeInSeconds: input.MaximumEventAgeInSeconds ?? base?.maximumEventAgeInSeconds ?? 21_600,
      destinations: input.DestinationConfig ?? base?.destinations ?? {},
      lastModified: new Date(clock.now()),
    };
    if (settings.maximumRetryAttempts < 0 || settings.maximumRetryAttempts > 2) {
      throw new AwsError('InvalidParameterValueException', 'MaximumRetryAttempts must be between 0 and 2.');
    }
    if (settings.maximumEventAgeInSeconds < 60 || settings.maximumEventAgeInSeconds > 21_600) {
      throw new AwsError(
        'InvalidParameterValueException',
        'MaximumEventAgeInSeconds must be between 60 and 21600.',
      );
    }
    fn.asyncSettings.set(key, settings);
    return describe(fn, key, settings);
  };
  const found = (input: GetFunctionEventInvokeConfigCommandInput) => {
    const { fn, key } = located(input);
    const settings = fn.asyncSettings.get(key);
    if (settings !== undefined) return { fn, key, settings };
    throw new AwsError(
      'ResourceNotFoundException',
      `The function ${functionArn(fn.name, key)} doesn't have an EventInvokeConfig`,
      { status: 404 },
    );
  };
  return {
    PutFunctionConcurrency(
      input: PutFunctionConcurrencyCommandInput,
    ): Output<PutFunctionConcurrencyCommandOutput> {
      const { fn } = located(input);
      const wanted = input.ReservedConcurrentExecutions!;
      if (unreserved(fn) - wanted < minUnreserved) {
        throw new AwsError(
          'InvalidParameterValueException',
          `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${minUnreserved}].`,
        );
      }
      fn.reservedConcurrency = wanted;
      return { ReservedConcurrentExecutions: wanted };
    },
    GetFunctionConcurrency(
      input: GetFunctionConcurrencyCommandInput,
    ): Output<GetFunctionConcurrencyCommandOutput> {
      const { fn } = located(input);
      return fn.reservedConcurrency === undefined
        ? {}
        : { ReservedConcurrentExecutions: fn.reservedConcurrency };
    },
    DeleteFunctionConcurrency(input: DeleteFunctionConcurrencyCommandInput) {
      located(input).fn.reservedConcurrency = undefined;
      return {};
    },

    PutFunctionEventInvokeConfig: (input: PutFunctionEventInvokeConfigCommandInput) => put(input, undefined),
    UpdateFunctionEventInvokeConfig: (input: UpdateFunctionEventInvokeConfigCommandInput) =>
      put(input, found(input).settings),
    GetFunctionEventInvokeConfig(input: GetFunctionEventInvokeConfigCommandInput): FunctionEventInvokeConfig {
      const { fn, key, settings } = found(input);
      return describe(fn, key, settings);
    },
    DeleteFunctionEventInvokeConfig(input: DeleteFunctionEventInvokeConfigCommandInput) {
      const { fn, key } = found(input);
      fn.asyncSettings.delete(key);
      return {};
    },

    GetAccountSettings(): Output<GetAccountSettingsCommandOutput> {
      const all = functions.all();
      return {
        AccountLimit: {
          ConcurrentExecutions: accountConcurrency,
          UnreservedConcurrentExecutions: unreserved(),
          CodeSizeUnzipped: 262_144_000,
          CodeSizeZipped: 52_428_800,
          TotalCodeSize: 80_530_636_800,
        },
        AccountUsage: {
          FunctionCount: all.length,
          TotalCodeSize: all
            .flatMap((fn) => [fn.latest, ...fn.versions.values()])
            .reduce((sum, version) => sum + version.code.size, 0),
        },
      };
    },
  };
}

function describe(fn: LambdaFunction, key: string, settings: AsyncSettings): FunctionEventInvokeConfig {
  return {
    FunctionArn: functionArn(fn.name, key),
    MaximumRetryAttempts: settings.maximumRetryAttempts,
    MaximumEventAgeInSeconds: settings.maximumEventAgeInSeconds,
    DestinationConfig: { OnSuccess: {}, OnFailure: {}, ...settings.destinations },
    LastModified: settings.lastModified,
  };
}
