/**
 * How many messages are in each queue, in the namespace AWS/SQS, once a minute.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
import type { Clock, Timer } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import type { Queue } from './queue.ts';

const PERIOD_MS = 60_000;
/** "A queue stays active for up to six hours if it contains any messages or if any action accesses it." */
const ACTIVE_MS = 6 * 3_600_000;

export class QueueMetrics {
  readonly #clock: Clock;
  readonly #sink: MetricSink;
  readonly #usedAt = new Map<Queue, number>();
  #timer: Timer;

  constructor(clock: Clock, sink: MetricSink) {
    this.#clock = clock;
    this.#sink = sink;
    this.#timer = this.#next();
  }

  /** Somebody made or asked something of the queue. */
  used(queue: Queue): void {
    this.#usedAt.set(queue, this.#clock.now());
  }

  forget(queue: Queue): void {
    this.#usedAt.delete(queue);
  }

  close(): void {
    this.#timer.cancel();
  }

  #next(): Timer {
    return this.#clock.after(PERIOD_MS, () => {
      this.#timer = this.#next();
      for (const [queue, usedAt] of this.#usedAt) this.#sample(queue, usedAt);
    });
  }

  #sample(queue: Queue, usedAt: number): void {
    const at = this.#clock.now();
    const { visible, inFlight, delayed } = queue.counts();
    if (visible + inFlight + delayed > 0) this.used(queue);
    else if (at - usedAt > ACTIVE_MS) return;
    const counts = {
      ApproximateNumberOfMessagesVisible: visible,
      ApproximateNumberOfMessagesNotVisible: inFlight,
      ApproximateNumberOfMessagesDelayed: delayed,
    };
    for (const [metric, count] of Object.entries(counts)) {
      const dimensions = { QueueName: queue.name };
      this.#sink.record({ namespace: 'AWS/SQS', metric, dimensions, unit: 'Count', at, values: [count] });
    }
  }
}
