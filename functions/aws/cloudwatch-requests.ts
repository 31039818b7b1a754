/** Requests by minute, from the metrics of the load balancer that the rule belongs to. */
import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import { CutoverError } from '../core/errors.ts';
import type { SlotName } from '../core/names.ts';
import type { Minute } from '../core/quiet.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import type { Requests } from '../ports/requests.ts';
import { balancerOf, groupOf } from './alb-names.ts';
import { calling } from './failures.ts';

export class CloudWatchRequests implements Requests {
  readonly #client: CloudWatchClient;

  constructor(client: CloudWatchClient) {
    this.#client = client;
  }

  async perMinute(
    settings: TrafficSettings,
    slot: SlotName,
    from: number,
    to: number,
  ): Promise<readonly Minute[]> {
    const LoadBalancer = balancerOf(settings);
    const TargetGroup = groupOf(settings, slot);
    const doing = `reading the requests of ${slot}`;
    const { MetricDataResults = [], NextToken } = await calling(doing, () =>
      this.#client.send(
        new GetMetricDataCommand({
          StartTime: new Date(from),
          EndTime: new Date(to),
          MetricDataQueries: [
            requestCount('all', { LoadBalancer }),
            requestCount('slot', { LoadBalancer, TargetGroup }),
          ],
        }),
      ),
    );
    const odd = MetricDataResults.find(({ StatusCode }) => StatusCode !== 'Complete');
    if (odd !== undefined || NextToken !== undefined) {
      throw new CutoverError(
        'Cutover.AwsUnavailable',
        `CloudWatch answered in part while ${doing}: ${odd?.StatusCode ?? 'there is more'}`,
      );
    }
    const counts = (id: string): ReadonlyMap<number, number> => {
      const series = MetricDataResults.find(({ Id }) => Id === id);
      return new Map(series?.Timestamps?.map((at, index) => [at.getTime(), series.Values?.[index] ?? 0]));
    };
    const all = counts('all');
    const own = counts('slot');
    return [...new Set([...all.keys(), ...own.keys()])].map((at) => {
      const inSlot = own.get(at) ?? 0;
      return { at, inSlot, elsewhere: Math.max(0, (all.get(at) ?? 0) - inSlot) };
    });
  }
}

/**
 * Reported while requests flow through the balancer and the group has targets; else there is no datapoint:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
function requestCount(Id: string, dimensions: Readonly<Record<string, string>>): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  const Metric = { Namespace: 'AWS/ApplicationELB', MetricName: 'RequestCount', Dimensions };
  return { Id, MetricStat: { Metric, Period: 60, Stat: 'Sum' } };
}
