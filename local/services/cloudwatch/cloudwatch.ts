/** Amazon CloudWatch: metrics and the alarms on them. */
import type * as Sdk from '@aws-sdk/client-cloudwatch';
import type { Emit } from '../../aws-event.ts';
import { AwsError, type Operations } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import { Alarms, type Publish } from './alarms.ts';
import { getMetricData } from './get-metric-data.ts';
import { getMetricStatistics } from './get-metric-statistics.ts';
import { listMetrics } from './list-metrics.ts';
import type { MetricSink, Observation } from './metric-sink.ts';
import { MetricStore, MINUTE_MS } from './metric-store.ts';
import { samplesOf } from './put-metric-data.ts';

/** ALB's metrics are seen about a minute after their minute has ended. */
const DEFAULT_PUBLISH_DELAY_MS = 60_000;
/** AWS keeps one-minute values for 15 days; a day is enough here and bounds the memory. */
const RETENTION_MS = 86_400_000;

export interface CloudWatchOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Sends an alarm's message to an SNS topic. */
  readonly publish: Publish;
  /** How long after the end of its minute a service's metric is seen. */
  readonly publishDelayMs?: number;
}

export class CloudWatch implements MetricSink {
  readonly operations: Operations;
  readonly #clock: Clock;
  readonly #publishDelayMs: number;
  readonly #store: MetricStore;
  readonly #alarms: Alarms;
  /** Evaluations that wait for metrics to become visible, by when that is. */
  readonly #awaited = new Map<number, Timer>();

  constructor(options: CloudWatchOptions) {
    const { clock, emit, publish } = options;
    this.#clock = clock;
    this.#publishDelayMs = options.publishDelayMs ?? DEFAULT_PUBLISH_DELAY_MS;
    this.#store = new MetricStore({ now: () => clock.now(), retentionMs: RETENTION_MS });
    this.#alarms = new Alarms({ clock, store: this.#store, emit, publish });
    this.operations = {
      ...this.#alarms.operations,
      PutMetricData: (input: Sdk.PutMetricDataCommandInput) => this.#put(input),
      GetMetricData: (input: Sdk.GetMetricDataCommandInput) => getMetricData(this.#store, input),
      GetMetricStatistics: (input: Sdk.GetMetricStatisticsCommandInput) =>
        getMetricStatistics(this.#store, input),
      ListMetrics: (input: Sdk.ListMetricsCommandInput) => listMetrics(this.#store, clock.now(), input),
    };
  }

  /** Metrics of AWS's own services: 60 s bins, seen some time after they have ended. */
  record(observation: Observation): void {
    const { namespace, metric, dimensions, at, values, counts, unit = 'None' } = observation;
    const visibleAt = this.#store.add({
      namespace,
      metric,
      dimensions,
      unit,
      at,
      resolutionMs: MINUTE_MS,
      visibleAt: (binEnd) => binEnd + this.#publishDelayMs,
      into: (distribution) => {
        for (const [index, value] of values.entries()) distribution.add(value, counts?.[index]);
      },
    });
    this.#evaluateAt(visibleAt);
  }

  close(): void {
    this.#alarms.close();
    for (const timer of this.#awaited.values()) timer.cancel();
    this.#awaited.clear();
  }

  /** One evaluation for all metrics that become visible at a time. */
  #evaluateAt(at: number): void {
    const ms = at - this.#clock.now();
    if (ms <= 0 || this.#awaited.has(at)) return;
    const timer = this.#clock.after(ms, () => {
      this.#awaited.delete(at);
      this.#alarms.evaluateAll();
    });
    this.#awaited.set(at, timer);
  }

  #put(input: Sdk.PutMetricDataCommandInput): Record<string, never> {
    if (input.Namespace!.startsWith('AWS/')) {
      throw new AwsError(
        'InvalidParameterValueException',
        'The value AWS/ for parameter Namespace is invalid.',
      );
    }
    for (const sample of samplesOf(input, this.#clock.now())) this.#store.add(sample);
    return {};
  }
}
