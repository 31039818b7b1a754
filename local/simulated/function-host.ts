/**
 * Functions in this process: each execution environment is one call of its entry's `create`, with the variables that the
 * template gives it and the credentials of its own role.
 */
import type { Context } from 'aws-lambda';
import {
  type Answer,
  type EnvironmentOptions,
  type ExecutionEnvironment,
  exitError,
  type MakeEnvironment,
  type Run,
} from '../services/lambda/environment.ts';
import type { EnvironmentLog } from '../services/lambda/environment-log.ts';
import type { InProcessHandler } from '../wire/request-handler.ts';
import type { Caller, Network } from './network.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What an entry exports beside its handler. */
type Create = (
  env: Variables,
  aws: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: {
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken: string;
    };
    readonly requestHandler: InProcessHandler;
  },
) => (event: unknown, context: Context) => Promise<unknown>;

/** By the name that the template's handler begins with: `shift` for `shift.handler`. */
export type Entries = Readonly<Record<string, Create>>;

export function functionHost(entries: Entries, network: () => Network): MakeEnvironment {
  return (options) => new InProcessEnvironment(options, entries, network());
}

class InProcessEnvironment implements ExecutionEnvironment, Caller {
  readonly log: EnvironmentLog;
  readonly name: string;
  used = false;
  gone = false;
  readonly #options: EnvironmentOptions;
  readonly #handler: Promise<(event: unknown, context: Context) => Promise<unknown>>;
  #answer: ((answer: Answer) => void) | undefined;
  #requestId = '';

  constructor(options: EnvironmentOptions, entries: Entries, network: Network) {
    this.#options = options;
    this.log = options.log;
    this.name = options.handler.split('.')[0] ?? options.handler;
    this.#handler = this.#start(entries, network);
    // Whoever invokes sees the rejection.
    this.#handler.catch(() => undefined);
  }

  get ended(): boolean {
    return this.gone;
  }

  async started(): Promise<void> {
    await this.#handler;
  }

  async invoke(run: Run): Promise<Answer> {
    this.used = true;
    this.#requestId = run.id;
    const handler = await this.#handler;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#answer = resolve;
    const timer = this.#options.clock.after(run.timeoutMs, () => {
      this.gone = true;
      resolve({ kind: 'timeout', memoryUsed: 0 });
    });
    handler(JSON.parse(run.payload), this.#context(run)).then(
      (result) => resolve({ kind: 'response', payload: JSON.stringify(result ?? null), memoryUsed: 0 }),
      (thrown: unknown) => resolve({ kind: 'failed', error: described(thrown), memoryUsed: 0 }),
    );
    try {
      return await promise;
    } finally {
      timer.cancel();
      this.#answer = undefined;
    }
  }

  async terminate(): Promise<void> {
    this.crash();
  }

  crash(): void {
    this.gone = true;
    this.#answer?.({ kind: 'failed', error: exitError(this.#requestId, 1, false), memoryUsed: 0 });
  }

  async #start(entries: Entries, network: Network) {
    const create = entries[this.name];
    if (create === undefined) throw new Error(`there is no entry ${this.name}`);
    const variables = await this.#options.variables();
    const variable = (name: string): string => variables[name] ?? '';
    return create(variables, {
      region: variable('AWS_REGION'),
      endpoint: variable('AWS_ENDPOINT_URL'),
      credentials: {
        accessKeyId: variable('AWS_ACCESS_KEY_ID'),
        secretAccessKey: variable('AWS_SECRET_ACCESS_KEY'),
        sessionToken: variable('AWS_SESSION_TOKEN'),
      },
      requestHandler: network.handlerOf(this),
    });
  }

  #context({ id, arn, timeoutMs }: Run): Context {
    const { clock } = this.#options;
    const deadline = clock.now() + timeoutMs;
    return {
      awsRequestId: id,
      invokedFunctionArn: arn,
      functionName: this.name,
      functionVersion: '$LATEST',
      memoryLimitInMB: '512',
      logGroupName: '',
      logStreamName: this.log.stream,
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadline - clock.now()),
      done: () => undefined,
      fail: () => undefined,
      succeed: () => undefined,
    };
  }
}

function described(thrown: unknown) {
  return thrown instanceof Error
    ? { errorType: thrown.name, errorMessage: thrown.message, trace: [] }
    : { errorType: typeof thrown, errorMessage: String(thrown), trace: [] };
}
