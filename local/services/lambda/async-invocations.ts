/**
 * Asynchronous (`Event`) invocations: tried again after a minute and after two more, then sent to a destination or the
 * dead-letter queue. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
import { AwsError } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { AsyncSettings } from './function.ts';
import { functionArn } from './function-name.ts';
import type { Completed, Target } from './invocations.ts';

export interface AsyncEvent {
  readonly requestId: string;
  readonly payload: string;
  readonly clientContext: unknown;
  /** Looked up for each attempt: the function may have changed, or gone. */
  readonly target: () => Target & { readonly settings: AsyncSettings | undefined };
}

/** Sends a message to an SQS queue or SNS topic (or what else is configured), with string attributes. */
export type Destination = (
  arn: string,
  message: string,
  attributes?: Readonly<Record<string, string>>,
) => Promise<void>;

const retryDelaysMs = [60_000, 120_000];
const defaultMaxAgeMs = 6 * 3_600_000;
/** Throttled events return to the queue with this delay, doubled each time. */
const throttleDelayMs = 1000;
const maxThrottleDelayMs = 300_000;

export class AsyncInvocations {
  readonly #clock: Clock;
  readonly #run: (target: Target, event: AsyncEvent) => Promise<Completed>;
  readonly #destination: Destination;
  readonly #onFailure: (failure: unknown) => void;
  readonly #timers = new Set<Timer>();
  #closed = false;

  constructor(options: {
    clock: Clock;
    run: (target: Target, event: AsyncEvent) => Promise<Completed>;
    destination: Destination;
    /** Where failures go that nobody waits for. */
    onFailure: (failure: unknown) => void;
  }) {
    this.#clock = options.clock;
    this.#run = options.run;
    this.#destination = options.destination;
    this.#onFailure = options.onFailure;
  }

  enqueue(event: AsyncEvent): void {
    this.#later(0, () => this.#attempt(event, { since: this.#clock.now(), failures: 0, throttles: 0 }));
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  async #attempt(
    event: AsyncEvent,
    state: { since: number; failures: number; throttles: number },
  ): Promise<void> {
    const target = event.target();
    const maxAgeMs = (target.settings?.maximumEventAgeInSeconds ?? defaultMaxAgeMs / 1000) * 1000;
    const tooOld = (delayMs: number) => this.#clock.now() + delayMs - state.since > maxAgeMs;
    let completed: Completed;
    try {
      completed = await this.#run(target, event);
    } catch (error) {
      if (this.#closed) return;
      if (!(error instanceof AwsError)) throw error;
      const delayMs = Math.min(maxThrottleDelayMs, throttleDelayMs * 2 ** state.throttles);
      if (tooOld(delayMs)) return this.#discard(event, target, 'EventAgeExceeded', state.failures, undefined);
      this.#later(delayMs, () => this.#attempt(event, { ...state, throttles: state.throttles + 1 }));
      return;
    }
    if (this.#closed) return;
    if (completed.functionError === undefined) {
      const onSuccess = target.settings?.destinations.OnSuccess?.Destination;
      if (onSuccess !== undefined)
        await this.#send(onSuccess, event, target, 'Success', state.failures + 1, completed);
      return;
    }
    const failures = state.failures + 1;
    if (failures > (target.settings?.maximumRetryAttempts ?? retryDelaysMs.length)) {
      return this.#discard(event, target, 'RetriesExhausted', failures, completed);
    }
    const delayMs = retryDelaysMs[failures - 1]!;
    if (tooOld(delayMs)) return this.#discard(event, target, 'EventAgeExceeded', failures, completed);
    this.#later(delayMs, () => this.#attempt(event, { ...state, failures }));
  }

  async #discard(
    event: AsyncEvent,
    target: ReturnType<AsyncEvent['target']>,
    condition: string,
    invocations: number,
    completed: Completed | undefined,
  ): Promise<void> {
    const onFailure = target.settings?.destinations.OnFailure?.Destination;
    if (onFailure !== undefined)
      await this.#send(onFailure, event, target, condition, invocations, completed);
    const queue = target.version.settings.DeadLetterConfig?.TargetArn;
    if (queue === undefined || queue === '') return;
    const error =
      completed === undefined ? undefined : (JSON.parse(completed.payload) as { errorMessage?: string });
    await this.#destination(queue, event.payload, {
      RequestID: event.requestId,
      ErrorCode: completed === undefined ? '429' : '200',
      ErrorMessage: error?.errorMessage ?? 'Rate Exceeded.',
    });
  }

  async #send(
    destination: string,
    event: AsyncEvent,
    { fn, version }: Target,
    condition: string,
    invocations: number,
    completed: Completed | undefined,
  ): Promise<void> {
    const record = {
      version: '1.0',
      timestamp: new Date(this.#clock.now()).toISOString(),
      requestContext: {
        requestId: event.requestId,
        functionArn: functionArn(fn.name, version.version),
        condition,
        approximateInvokeCount: invocations,
      },
      requestPayload: JSON.parse(event.payload === '' ? '{}' : event.payload) as unknown,
      ...(completed === undefined
        ? {}
        : {
            responseContext: {
              statusCode: 200,
              executedVersion: completed.executedVersion,
              ...(completed.functionError === undefined ? {} : { functionError: completed.functionError }),
            },
            responsePayload: JSON.parse(completed.payload) as unknown,
          }),
    };
    await this.#destination(destination, JSON.stringify(record));
  }

  #later(ms: number, run: () => Promise<void>): void {
    const timer = this.#clock.after(ms, async () => {
      this.#timers.delete(timer);
      await run().catch(this.#onFailure);
    });
    this.#timers.add(timer);
  }
}
