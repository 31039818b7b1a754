/** Requests by minute, from the metrics of the load balancer that the rule belongs to. */
import type { CloudWatchClient, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { type SlotMinute, slowPercentile } from '../core/gates/comparison.ts';
import type { SlotName } from '../core/names.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import type { Minutes } from '../core/traffic/counted-minutes.ts';
import type { Minute } from '../core/traffic/quiet.ts';
import type { Requests } from '../ports/requests.ts';
import { balancerOf, groupOf } from './alb-names.ts';
import { metricSeries, minuteStat } from './cloudwatch-metric-data.ts';

const good = ['2XX', '3XX', '4XX'] as const;
const answers = [...good, '5XX'] as const;

export class CloudWatchRequests implements Requests {
  readonly #client: CloudWatchClient;

  constructor(client: CloudWatchClient) {
    this.#client = client;
  }

  async perMinute(settings: TrafficSettings, slot: SlotName, minutes: Minutes): Promise<readonly Minute[]> {
    const whole = { LoadBalancer: balancerOf(settings) };
    const own = { ...whole, TargetGroup: groupOf(settings, slot) };
    const queries = [count('all', 'RequestCount', whole), count('slot', 'RequestCount', own)];
    const series = await metricSeries(this.#client, queries, minutes, `reading the requests of ${slot}`);
    const all = series('all');
    const inside = series('slot');
    return [...new Set([...all.keys(), ...inside.keys()])].map((at) => {
      const inSlot = inside.get(at) ?? 0;
      return { at, inSlot, elsewhere: Math.max(0, (all.get(at) ?? 0) - inSlot) };
    });
  }

  async slowTime(settings: TrafficSettings, slot: SlotName, minutes: Minutes): Promise<number | undefined> {
    const stat = `p${slowPercentile}`;
    const queries = [time('slow', dimensionsOf(settings, slot), stat)];
    const series = await metricSeries(this.#client, queries, minutes, `reading how slow ${slot} is`);
    const times = [...series('slow').values()].toSorted((one, other) => one - other);
    return times[Math.floor(times.length / 2)];
  }

  async slotMinutes(
    settings: TrafficSettings,
    slots: readonly SlotName[],
    minutes: Minutes,
    slowAboveSeconds: number | undefined,
  ): Promise<readonly (readonly SlotMinute[])[]> {
    const queries = slots.flatMap((slot) => countsOf(slot, dimensionsOf(settings, slot), slowAboveSeconds));
    const doing = `reading the answers of ${slots.join(' and ')}`;
    const series = await metricSeries(this.#client, queries, minutes, doing);
    return slots.map((slot) =>
      [...series(`${slot}_requests`)].map(([at, requests]) => {
        const of = (what: string): number => series(`${slot}_${what}`).get(at) ?? 0;
        const timed = slowAboveSeconds === undefined ? 0 : of('timed');
        return {
          at,
          requests,
          good: good.reduce((sum, status) => sum + of(`answered${status}`), 0),
          bad: of('answered5XX'),
          timed,
          slow: slowAboveSeconds === undefined ? 0 : Math.max(0, timed - of('fast')),
        };
      }),
    );
  }
}

type Dimensions = Readonly<Record<string, string>>;

function dimensionsOf(settings: TrafficSettings, slot: SlotName): Dimensions {
  return { LoadBalancer: balancerOf(settings), TargetGroup: groupOf(settings, slot) };
}

/** Names of slots are small letters and digits, so they fit into an id. */
function countsOf(slot: SlotName, of: Dimensions, slowAboveSeconds: number | undefined): MetricDataQuery[] {
  return [
    count(`${slot}_requests`, 'RequestCount', of),
    ...answers.map((status) => count(`${slot}_answered${status}`, `HTTPCode_Target_${status}_Count`, of)),
    ...(slowAboveSeconds === undefined
      ? []
      : [
          time(`${slot}_timed`, of, 'SampleCount'),
          // Those that took no longer, counted:
          // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
          time(`${slot}_fast`, of, `TC(:${slowAboveSeconds})`),
        ]),
  ];
}

/**
 * Reported while requests flow through the balancer and the group has targets; else there is no datapoint:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
function count(id: string, MetricName: string, dimensions: Dimensions): MetricDataQuery {
  return minuteStat(id, { Namespace: 'AWS/ApplicationELB', MetricName }, dimensions, 'Sum');
}

/** In seconds, of requests that a target answered. */
function time(id: string, dimensions: Dimensions, stat: string): MetricDataQuery {
  const metric = { Namespace: 'AWS/ApplicationELB', MetricName: 'TargetResponseTime' };
  return minuteStat(id, metric, dimensions, stat);
}
