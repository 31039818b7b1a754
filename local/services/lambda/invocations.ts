/** Runs invocations: concurrency limits, an environment, the cold start, the answer in Lambda's words, the log. */
import { randomBytes, randomUUID } from 'node:crypto';
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import type { Answer, ExecutionEnvironment } from './environment.ts';
import type { FunctionVersion, LambdaFunction } from './function.ts';
import type { Invocation } from './invoker.ts';

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxPayloadBytes = { RequestResponse: 6_291_456, Event: 1_048_576 };
// 6 MB and some room for headers, the number in Lambda's own message.
const maxResponseBytes = 6_291_556;

export interface Completed extends Invocation {
  readonly requestId: string;
  readonly executedVersion: string;
  /** The last 4 KB of the invocation's log. */
  readonly logTail: string;
}

export interface Target {
  readonly fn: LambdaFunction;
  readonly version: FunctionVersion;
  /** As the caller named it. */
  readonly arn: string;
}

export interface InvocationsOptions {
  readonly clock: Clock;
  /** How long an environment's first invocation waits at least, in milliseconds of the clock. */
  readonly coldStartMs: number;
  readonly accountConcurrency: number;
  readonly metrics?: MetricSink | undefined;
}

export class Invocations {
  readonly #clock: Clock;
  readonly #coldStartMs: number;
  readonly #accountConcurrency: number;
  readonly #metrics: MetricSink | undefined;
  #running = 0;

  constructor(options: InvocationsOptions) {
    this.#clock = options.clock;
    this.#coldStartMs = options.coldStartMs;
    this.#accountConcurrency = options.accountConcurrency;
    this.#metrics = options.metrics;
  }

  async run(
    { fn, version, arn }: Target,
    payload: string,
    options: { requestId?: string; clientContext?: unknown } = {},
  ): Promise<Completed> {
    this.#admit(fn);
    fn.running += 1;
    this.#running += 1;
    try {
      const environment = version.environments.acquire();
      try {
        const initDurationMs = environment.used ? undefined : await this.#coldStart(environment);
        const requestId = options.requestId ?? randomUUID();
        return await this.#clock.busy(async () => {
          const { settings } = version;
          const { log } = environment;
          const from = this.#clock.now();
          log.start(requestId, version.version);
          const answer = await environment.invoke({
            id: requestId,
            arn,
            payload: payload === '' ? '{}' : payload,
            timeoutMs: settings.Timeout * 1000,
            traceId: traceId(this.#clock.now()),
            clientContext: options.clientContext,
          });
          const outcome = outcomeOf(answer, requestId, settings.Timeout);
          this.#count(fn.name, from, outcome.functionError === undefined ? 0 : 1);
          const logTail = log.report({
            requestId,
            durationMs: answer.kind === 'timeout' ? settings.Timeout * 1000 : this.#clock.now() - from,
            initDurationMs,
            memorySize: settings.MemorySize,
            memoryUsed: Math.ceil(answer.memoryUsed / 1024 / 1024),
            status: answer.kind === 'response' ? 'success' : answer.kind === 'failed' ? 'error' : 'timeout',
            errorType: answer.kind === 'failed' ? answer.error.errorType : undefined,
          });
          return { ...outcome, requestId, executedVersion: version.version, logTail };
        });
      } finally {
        await version.environments.release(environment);
      }
    } finally {
      fn.running -= 1;
      this.#running -= 1;
    }
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html: at the time of the invocation. */
  #count(functionName: string, at: number, errors: number): void {
    for (const [metric, count] of Object.entries({ Invocations: 1, Errors: errors })) {
      const dimensions = { FunctionName: functionName };
      this.#metrics?.record({
        namespace: 'AWS/Lambda',
        metric,
        dimensions,
        unit: 'Count',
        at,
        values: [count],
      });
    }
  }

  #admit(fn: LambdaFunction): void {
    const limit = fn.reservedConcurrency ?? this.#accountConcurrency;
    const running = fn.reservedConcurrency === undefined ? this.#running : fn.running;
    if (running < limit) return;
    throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', {
      status: 429,
      members: {
        Type: 'User',
        Reason:
          fn.reservedConcurrency === undefined
            ? 'ConcurrentInvocationLimitExceeded'
            : 'ReservedFunctionConcurrentInvocationLimitExceeded',
      },
    });
  }

  /** Waits until the handler is loaded and the modelled start is over; a start that takes longer counts as it is. */
  async #coldStart(environment: ExecutionEnvironment): Promise<number> {
    const from = this.#clock.now();
    await this.#clock.busy(() => environment.started());
    const rest = this.#coldStartMs - (this.#clock.now() - from);
    if (rest > 0) await this.#clock.sleep(rest);
    return this.#clock.now() - from;
  }
}

/** Checks the size and form of a payload before anything runs. */
export function checkPayload(payload: string, type: keyof typeof maxPayloadBytes): void {
  const size = Buffer.byteLength(payload);
  const limit = maxPayloadBytes[type];
  if (size > limit) {
    throw new AwsError(
      'RequestTooLargeException',
      `${size} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
      { status: 413, members: { Type: 'User' } },
    );
  }
  if (payload === '') return;
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new AwsError(
      'InvalidRequestContentException',
      `Could not parse request body into json: ${(error as Error).message}`,
      { members: { Type: 'User' } },
    );
  }
}

function outcomeOf(answer: Answer, requestId: string, timeout: number): Invocation {
  const unhandled = (error: object) => ({ payload: JSON.stringify(error), functionError: 'Unhandled' });
  switch (answer.kind) {
    case 'response': {
      if (Buffer.byteLength(answer.payload) <= maxResponseBytes) return { payload: answer.payload };
      return unhandled({
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`,
      });
    }
    case 'failed':
      return unhandled(answer.error);
    case 'timeout':
      return unhandled({
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeout.toFixed(2)} seconds`,
      });
  }
}

/** https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader */
function traceId(now: number): string {
  const root = `1-${Math.floor(now / 1000).toString(16)}-${randomBytes(12).toString('hex')}`;
  return `Root=${root};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
}
