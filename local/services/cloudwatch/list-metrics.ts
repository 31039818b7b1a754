/** ListMetrics: which metrics there are. */
import type { ListMetricsCommandInput, ListMetricsCommandOutput, Metric } from '@aws-sdk/client-cloudwatch';
import { AwsError, type Output } from '../../call.ts';
import { page, sortedBy } from '../events/page.ts';
import { keyOf, type MetricStore } from './metric-store.ts';

/** "Up to 500 results are returned for any one call." */
const PAGE = 500;
/** The one value of `RecentlyActive`, PT3H. */
const RECENT_MS = 3 * 3_600_000;

export function listMetrics(
  store: MetricStore,
  now: number,
  input: ListMetricsCommandInput,
): Output<ListMetricsCommandOutput> {
  const since = input.RecentlyActive === undefined ? 0 : now - RECENT_MS;
  const found = store.list(since).filter((metric) => matches(metric, input));
  const { entries, token } = page(sortedBy(found, keyOf), {
    token: input.NextToken,
    limit: PAGE,
    key: keyOf,
    refusal: () => new AwsError('InvalidParameterValueException', 'Invalid nextToken'),
  });
  return { Metrics: entries, ...(token && { NextToken: token }) };
}

function matches(
  metric: Metric,
  { Namespace, MetricName, Dimensions = [] }: ListMetricsCommandInput,
): boolean {
  if (Namespace !== undefined && metric.Namespace !== Namespace) return false;
  if (MetricName !== undefined && metric.MetricName !== MetricName) return false;
  return Dimensions.every((wanted) =>
    metric.Dimensions?.some(
      ({ Name, Value }) => Name === wanted.Name && (wanted.Value === undefined || Value === wanted.Value),
    ),
  );
}
