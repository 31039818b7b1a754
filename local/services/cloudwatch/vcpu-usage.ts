/**
 * How many vCPUs are in use on demand, once a minute while there are any.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/monitoring-fargate-usage.html,
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Service-Quota-Integration.html
 */
import type { Clock, Timer } from '../../clock.ts';
import type { MetricSink } from './metric-sink.ts';

const periodMs = 60_000;

/** The dimensions of vCPUs on demand, as quotas name them too. */
export function vcpuDimensions(service: UsingService) {
  return { Service: service, Type: 'Resource', Resource: 'vCPU', Class: 'Standard/OnDemand' };
}

export type UsingService = 'Fargate' | 'EC2';

export interface VcpuUsageOptions {
  readonly clock: Clock;
  readonly service: UsingService;
  readonly metrics: MetricSink | undefined;
  readonly vcpus: () => number;
}

export class VcpuUsage {
  readonly #options: VcpuUsageOptions;
  #timer: Timer | undefined;

  constructor(options: VcpuUsageOptions) {
    this.#options = options;
    if (options.metrics !== undefined) this.#next(options.metrics);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #next(metrics: MetricSink): void {
    const { clock, service, vcpus } = this.#options;
    this.#timer = clock.after(periodMs, () => {
      this.#next(metrics);
      const used = vcpus();
      if (used === 0) return;
      metrics.record({
        namespace: 'AWS/Usage',
        metric: 'ResourceCount',
        dimensions: vcpuDimensions(service),
        unit: 'None',
        at: clock.now(),
        values: [used],
      });
    });
  }
}
