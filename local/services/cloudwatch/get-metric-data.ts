/** GetMetricData: the series of several queries, page by page of datapoints. */
import type {
  GetMetricDataCommandInput,
  GetMetricDataCommandOutput,
  MetricDataQuery,
  MetricDataResult,
} from '@aws-sdk/client-cloudwatch';
import { AwsError, type Output } from '../../call.ts';
import { checkQueries, valuesOf } from './metric-data.ts';
import { isSeries } from './metric-math.ts';
import { type MetricStore, MINUTE_MS, type Points } from './metric-store.ts';

/** "The maximum number of data points the request should return before paginating. If you omit this, 100,800 is used." */
const MAX_DATAPOINTS = 100_800;

interface Series {
  readonly query: MetricDataQuery;
  readonly points: readonly (readonly [number, number])[];
}

export function getMetricData(
  store: MetricStore,
  input: GetMetricDataCommandInput,
): Output<GetMetricDataCommandOutput> {
  const queries = input.MetricDataQueries!;
  const start = Math.floor(input.StartTime!.getTime() / MINUTE_MS) * MINUTE_MS;
  const end = input.EndTime!.getTime();
  if (start >= end) {
    throw new AwsError('ValidationError', 'The parameter StartTime must be less than the parameter EndTime.');
  }
  checkQueries(queries);
  const values = valuesOf(queries, store, { start, end });
  const ascending = input.ScanBy === 'TimestampAscending';
  const series = queries
    .filter((query) => query.ReturnData ?? true)
    .flatMap((query): Series[] => {
      const value = values(query.Id!);
      if (typeof value === 'number') return [];
      return (isSeries(value) ? [value] : value).map((points) => ({
        query,
        points: ordered(points, ascending),
      }));
    });
  return paged(series, input);
}

function ordered(points: Points, ascending: boolean): (readonly [number, number])[] {
  return [...points].sort(([a], [b]) => (ascending ? a - b : b - a));
}

/** Pages count datapoints over all series; the token is how many were already given. */
function paged(
  series: readonly Series[],
  input: GetMetricDataCommandInput,
): Output<GetMetricDataCommandOutput> {
  const given = input.NextToken === undefined ? 0 : Number(input.NextToken);
  if (!Number.isInteger(given) || given < 0) {
    throw new AwsError('InvalidNextToken', 'The next token specified is invalid.');
  }
  const limit = given + (input.MaxDatapoints ?? MAX_DATAPOINTS);
  let before = 0;
  const results: MetricDataResult[] = [];
  for (const { query, points } of series) {
    const taken = points.slice(Math.max(0, given - before), Math.max(0, limit - before));
    const complete = before + points.length <= limit;
    before += points.length;
    if (given > 0 && taken.length === 0) continue;
    results.push({
      Id: query.Id,
      Label: query.Label ?? query.MetricStat?.Metric?.MetricName ?? query.Id,
      Timestamps: taken.map(([at]) => new Date(at)),
      Values: taken.map(([, value]) => value),
      StatusCode: complete ? 'Complete' : 'PartialData',
    });
  }
  return { MetricDataResults: results, Messages: [], ...(before > limit && { NextToken: String(limit) }) };
}
