/**
 * The way of an event from a rule to a target: sent after a short while, again with growing pauses when that fails, and to
 * the target's dead-letter queue in the end ("Event retry policy and using dead-letter queues", user guide).
 */
import type { Target } from '@aws-sdk/client-eventbridge';
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Queues } from '../sqs/queues.ts';
import type { BusEvent } from './bus-event.ts';
import { deliveryErrorOf } from './delivery-error.ts';
import type { Rule } from './rule.ts';
import { MAX_EVENT_AGE_SECONDS, MAX_RETRY_ATTEMPTS } from './target.ts';

/** The first pause; each is twice the one before. AWS adds jitter, which is left out so that runs repeat. */
const FIRST_PAUSE_MS = 1000;
/** With pauses of at most 488 s, 185 retries fill the 24 hours. */
const LONGEST_PAUSE_MS = 488_000;

export interface Delivery {
  readonly event: BusEvent;
  readonly rule: Pick<Rule, 'name' | 'arn'>;
  readonly target: Target;
}

/** What becomes of a delivery: for tests of lost, doubled and late events, all of which AWS allows. */
export type Interception = 'deliver' | 'drop' | 'twice' | { readonly delayMs: number };

export interface DeliveriesOptions {
  readonly clock: Clock;
  readonly queues: Queues;
  readonly deliveryMs: number;
  readonly intercept: (delivery: Delivery) => Interception;
  /** Sends the input that the target gets of the event; throws when it cannot. */
  readonly send: (delivery: Delivery, ingestedAt: number) => Promise<void>;
  /** An event that no target and no dead-letter queue got. */
  readonly onFailure: (failure: Error) => void;
}

interface Underway extends Delivery {
  readonly ingestedAt: number;
  readonly retries: number;
}

export class Deliveries {
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  start(delivery: Delivery): void {
    const { clock, deliveryMs } = this.#options;
    const interception = this.#options.intercept(delivery);
    if (interception === 'drop') return;
    const underway = { ...delivery, ingestedAt: clock.now(), retries: 0 };
    const delayMs = typeof interception === 'object' ? interception.delayMs : deliveryMs;
    for (let copies = interception === 'twice' ? 2 : 1; copies > 0; copies -= 1)
      this.#sendAfter(delayMs, underway);
  }

  #sendAfter(ms: number, underway: Underway): void {
    const { clock } = this.#options;
    clock.after(ms, () => clock.busy(() => this.#send(underway)));
  }

  async #send(underway: Underway): Promise<void> {
    try {
      await this.#options.send(underway, underway.ingestedAt);
    } catch (error) {
      this.#failed(underway, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #failed(underway: Underway, error: Error): void {
    const { RetryPolicy } = underway.target;
    const { MaximumRetryAttempts: attempts = MAX_RETRY_ATTEMPTS } = RetryPolicy ?? {};
    const { MaximumEventAgeInSeconds: age = MAX_EVENT_AGE_SECONDS } = RetryPolicy ?? {};
    if (!deliveryErrorOf(error).retryable) return this.#giveUp(underway, error);
    if (underway.retries >= attempts) return this.#giveUp(underway, error, 'MaximumRetryAttempts');
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** underway.retries);
    if (this.#options.clock.now() + pauseMs > underway.ingestedAt + age * 1000) {
      return this.#giveUp(underway, error, 'MaximumEventAgeInSeconds');
    }
    this.#sendAfter(pauseMs, { ...underway, retries: underway.retries + 1 });
  }

  #giveUp({ event, rule, target, retries }: Underway, error: Error, exhausted?: string): void {
    const { queues, onFailure } = this.#options;
    const lost = `Event ${event.id} (${event['detail-type']}) of rule ${rule.name} did not reach ${target.Arn}`;
    const queueArn = target.DeadLetterConfig?.Arn;
    if (queueArn === undefined) return onFailure(new Error(`${lost}: ${error.message}`, { cause: error }));
    const attributes = {
      RULE_ARN: rule.arn,
      TARGET_ARN: target.Arn!,
      ERROR_CODE: deliveryErrorOf(error).code,
      ERROR_MESSAGE: error.message,
      ...(exhausted !== undefined && { EXHAUSTED_RETRY_CONDITION: exhausted }),
      RETRY_ATTEMPTS: String(retries),
    };
    const typed = Object.entries(attributes).map(([name, StringValue]) => [
      name,
      { DataType: 'String', StringValue },
    ]);
    try {
      queues.send(
        queueArn,
        JSON.stringify(event),
        Object.fromEntries(typed) as Parameters<Queues['send']>[2],
      );
    } catch (failure) {
      if (!(failure instanceof AwsError)) throw failure;
      onFailure(new Error(`${lost}, nor its dead-letter queue: ${failure.message}`, { cause: error }));
    }
  }
}
