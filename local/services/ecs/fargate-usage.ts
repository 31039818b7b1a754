/**
 * How many vCPUs are in use on demand, once a minute while there are any.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html
 */
import type { Clock, Timer } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';

const periodMs = 60_000;
const dimensions = { Service: 'Fargate', Type: 'Resource', Resource: 'vCPU', Class: 'Standard/OnDemand' };

export interface FargateUsageOptions {
  readonly clock: Clock;
  readonly metrics: MetricSink | undefined;
  readonly vcpus: () => number;
}

export class FargateUsage {
  readonly #options: FargateUsageOptions;
  #timer: Timer | undefined;

  constructor(options: FargateUsageOptions) {
    this.#options = options;
    if (options.metrics !== undefined) this.#next(options.metrics);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #next(metrics: MetricSink): void {
    const { clock, vcpus } = this.#options;
    this.#timer = clock.after(periodMs, () => {
      this.#next(metrics);
      const used = vcpus();
      if (used === 0) return;
      metrics.record({
        namespace: 'AWS/Usage',
        metric: 'ResourceCount',
        dimensions,
        unit: 'None',
        at: clock.now(),
        values: [used],
      });
    });
  }
}
