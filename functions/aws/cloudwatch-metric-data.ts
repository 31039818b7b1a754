/** Metrics of CloudWatch minute by minute. */
import {
  type CloudWatchClient,
  GetMetricDataCommand,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import { CutoverError } from '../core/errors.ts';
import type { Minutes } from '../core/traffic/counted-minutes.ts';
import { calling } from './failures.ts';

/** By the begin of the minute, for the minutes that have a value. */
export type Series = ReadonlyMap<number, number>;

/**
 * The series of every query that returns one, by its id. A part of an answer is none: what is missing in it would count as zero.
 * `doing`: in words, for the error.
 */
export async function metricSeries(
  client: CloudWatchClient,
  queries: MetricDataQuery[],
  { from, to }: Minutes,
  doing: string,
): Promise<(id: string) => Series> {
  if (to <= from || queries.length === 0) return () => new Map();
  const { MetricDataResults = [], NextToken } = await calling(doing, () =>
    client.send(
      new GetMetricDataCommand({
        StartTime: new Date(from),
        EndTime: new Date(to),
        MetricDataQueries: queries,
      }),
    ),
  );
  const odd = MetricDataResults.find(({ StatusCode }) => StatusCode !== 'Complete');
  if (odd !== undefined || NextToken !== undefined) {
    const said = odd?.Messages?.map(({ Value }) => Value).join('; ');
    throw new CutoverError(
      'Cutover.AwsUnavailable',
      `CloudWatch answered in part while ${doing}: ${[odd?.StatusCode ?? 'there is more', said].filter(Boolean).join(', ')}`,
    );
  }
  const series = new Map(
    MetricDataResults.map(({ Id, Timestamps = [], Values = [] }) => [
      Id,
      new Map(Timestamps.map((at, index) => [at.getTime(), Values[index] ?? 0])),
    ]),
  );
  return (id) => series.get(id) ?? new Map();
}

export function minuteStat(
  Id: string,
  metric: { readonly Namespace: string; readonly MetricName: string },
  dimensions: Readonly<Record<string, string>>,
  Stat: string,
  ReturnData = true,
): MetricDataQuery {
  const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
  return { Id, MetricStat: { Metric: { ...metric, Dimensions }, Period: 60, Stat }, ReturnData };
}
