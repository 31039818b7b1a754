/**
 * Metrics of the namespace AWS/ApplicationELB, split as AWS splits them: what targets answered by load balancer and by
 * target group, what the load balancer made by load balancer alone. The dimension AvailabilityZone is left out.
 */
import type { CountReport } from '../../balancer/protocol.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import type { Resources } from './resources.ts';
import type { HostCounts } from './target-registrations.ts';

const minuteMs = 60_000;

/** Reported as zero, too, while there are registered targets and requests flow through the load balancer. */
const reportedAtZero = [
  'RequestCount',
  'HTTPCode_Target_2XX_Count',
  'HTTPCode_Target_3XX_Count',
  'HTTPCode_Target_4XX_Count',
  'HTTPCode_Target_5XX_Count',
] as const;

type Dimensions = Readonly<Record<string, string>>;

export class LoadBalancerMetrics {
  readonly #clock: Clock;
  readonly #sink: MetricSink;
  readonly #resources: Resources;
  readonly #hostCounts: (targetGroupArn: string) => HostCounts;
  readonly #requests = new Map<string, number>();
  /** Load balancers that had traffic in this minute. */
  readonly #busy = new Set<string>();
  #connections: Readonly<Record<string, number>> = {};
  #minute: Timer;

  constructor(options: {
    clock: Clock;
    sink: MetricSink;
    resources: Resources;
    hostCounts: (targetGroupArn: string) => HostCounts;
  }) {
    this.#clock = options.clock;
    this.#sink = options.sink;
    this.#resources = options.resources;
    this.#hostCounts = options.hostCounts;
    this.#minute = this.#atNextMinute();
  }

  /** Requests that went to each target group since the start. */
  get requestsByTargetGroup(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  take(report: CountReport): void {
    this.#connections = report.connections;
    const at = this.#clock.now();
    for (const count of report.counts) {
      const dimensions = dimensionsOf(count.loadBalancerArn, count.targetGroupArn);
      for (const [metric, amount] of Object.entries(count.sums))
        this.#record(metric, dimensions, at, [amount]);
      if (count.responseTimes.length > 0)
        this.#record('TargetResponseTime', dimensions, at, count.responseTimes, count.responseCounts);
      this.#busy.add(count.loadBalancerArn);
      const requests = count.sums['RequestCount'] ?? 0;
      if (count.targetGroupArn === undefined || requests === 0) continue;
      this.#requests.set(count.targetGroupArn, (this.#requests.get(count.targetGroupArn) ?? 0) + requests);
      this.#perTarget(count.targetGroupArn, dimensions, at, requests);
    }
  }

  close(): void {
    this.#minute.cancel();
  }

  #atNextMinute(): Timer {
    const now = this.#clock.now();
    const end = (Math.floor(now / minuteMs) + 1) * minuteMs;
    return this.#clock.after(end - now, () => {
      // The last millisecond still belongs to the minute that is told of.
      this.#recordMinute(end - 1);
      this.#minute = this.#atNextMinute();
    });
  }

  #recordMinute(at: number): void {
    for (const group of this.#resources.targetGroups.values()) {
      const loadBalancer = this.#resources.loadBalancerOf(group.arn);
      const hosts = this.#hostCounts(group.arn);
      if (loadBalancer === undefined || hosts.registered === 0) continue;
      const dimensions = dimensionsOf(loadBalancer.arn, group.arn);
      this.#record('HealthyHostCount', dimensions, at, [hosts.healthy]);
      this.#record('UnHealthyHostCount', dimensions, at, [hosts.unhealthy]);
      if (!this.#busy.has(loadBalancer.arn)) continue;
      for (const metric of reportedAtZero) {
        this.#record(metric, dimensions, at, [0]);
        this.#record(metric, dimensionsOf(loadBalancer.arn, undefined), at, [0]);
      }
      // "Emits real 0 values", so that what no request reaches is scaled in:
      // https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
      for (const each of perTarget(dimensions)) this.#record('RequestCountPerTarget', each, at, [0]);
    }
    this.#busy.clear();
    for (const [loadBalancerArn, open] of Object.entries(this.#connections)) {
      if (open > 0)
        this.#record('ActiveConnectionCount', dimensionsOf(loadBalancerArn, undefined), at, [open]);
    }
  }

  /** What target tracking on ALBRequestCountPerTarget looks at. */
  #perTarget(targetGroupArn: string, dimensions: Dimensions, at: number, requests: number): void {
    const { healthy, registered } = this.#hostCounts(targetGroupArn);
    const share = [requests / Math.max(1, healthy > 0 ? healthy : registered)];
    for (const each of perTarget(dimensions)) this.#record('RequestCountPerTarget', each, at, share);
  }

  #record(
    metric: string,
    dimensions: Dimensions,
    at: number,
    values: readonly number[],
    counts?: readonly number[],
  ): void {
    this.#sink.record({
      namespace: 'AWS/ApplicationELB',
      metric,
      dimensions,
      unit: unitOf(metric),
      at,
      values,
      ...(counts && { counts }),
    });
  }
}

/** `app/web/50dc6c495c0c9188` and `targetgroup/blue/73e2d6bc24d8a067`, from the ARNs. */
function dimensionsOf(loadBalancerArn: string, targetGroupArn: string | undefined): Dimensions {
  return {
    LoadBalancer: loadBalancerArn.split(':loadbalancer/')[1] ?? loadBalancerArn,
    ...(targetGroupArn === undefined ? {} : { TargetGroup: targetGroupArn.split(':')[5] ?? targetGroupArn }),
  };
}

/** Told with the load balancer, and by the target group alone. */
function perTarget(dimensions: Dimensions): readonly Dimensions[] {
  return [dimensions, { TargetGroup: dimensions['TargetGroup'] ?? '' }];
}

function unitOf(metric: string): string {
  if (metric === 'TargetResponseTime') return 'Seconds';
  return metric === 'ProcessedBytes' ? 'Bytes' : 'Count';
}
