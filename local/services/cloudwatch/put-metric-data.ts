/** PutMetricData: values, values with counts, or a statistic set. They can be seen at once. */
import type { MetricDatum, PutMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import { AwsError } from '../../call.ts';
import type { Distribution } from './distribution.ts';
import { MINUTE_MS, type Sample } from './metric-store.ts';

/** "between two weeks before the current date, and up to two hours into the future" */
const PAST_MS = 14 * 86_400_000;
const FUTURE_MS = 2 * 3_600_000;

export function samplesOf(input: PutMetricDataCommandInput, now: number): Sample[] {
  if (input.EntityMetricData?.length)
    throw new AwsError('ValidationError', 'EntityMetricData is not modelled');
  return (input.MetricData ?? []).map((datum) => sample(input.Namespace!, datum, now));
}

function sample(namespace: string, datum: MetricDatum, now: number): Sample {
  const at = datum.Timestamp?.getTime() ?? now;
  if (at < now - PAST_MS || at > now + FUTURE_MS) {
    throw invalid(
      `The parameter MetricData.member.Timestamp must specify a time within the last two weeks or the next two hours`,
    );
  }
  const high = datum.StorageResolution === 1;
  return {
    namespace,
    metric: datum.MetricName!,
    dimensions: Object.fromEntries(datum.Dimensions?.map(({ Name, Value }) => [Name!, Value!]) ?? []),
    unit: datum.Unit ?? 'None',
    at,
    resolutionMs: high ? 1000 : MINUTE_MS,
    visibleAt: () => now,
    into: values(datum),
  };
}

function values(datum: MetricDatum): (distribution: Distribution) => void {
  const { Value, Values, Counts, StatisticValues } = datum;
  if ([Value, Values, StatisticValues].filter((given) => given !== undefined).length !== 1) {
    throw new AwsError(
      'InvalidParameterCombinationException',
      'Exactly one of Value, Values and StatisticValues must be given for a metric datum',
    );
  }
  if (Counts !== undefined && Counts.length !== Values?.length) {
    throw invalid(
      'The parameters MetricData.member.Values and MetricData.member.Counts must be of the same size',
    );
  }
  if ([Value ?? 0, ...(Values ?? [])].some((value) => !Number.isFinite(value))) {
    throw invalid('The value for parameter MetricData.member.Value must be a finite number');
  }
  return (distribution) => {
    if (Value !== undefined) distribution.add(Value);
    Values?.forEach((value, index) => distribution.add(value, Counts?.[index] ?? 1));
    if (StatisticValues !== undefined) {
      const { Sum, SampleCount, Minimum, Maximum } = StatisticValues;
      distribution.addSummary({ sum: Sum!, count: SampleCount!, minimum: Minimum!, maximum: Maximum! });
    }
  };
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}
