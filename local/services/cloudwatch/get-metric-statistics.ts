/** GetMetricStatistics: several statistics of one metric. */
import type {
  Datapoint,
  GetMetricStatisticsCommandInput,
  GetMetricStatisticsCommandOutput,
  StandardUnit,
} from '@aws-sdk/client-cloudwatch';
import { AwsError, type Output } from '../../call.ts';
import { checkPeriod } from './metric-data.ts';
import { type MetricStore, MINUTE_MS } from './metric-store.ts';
import { statisticNamed } from './statistic.ts';

/** "The maximum number of data points returned from a single call is 1,440." */
const MAX_DATAPOINTS = 1440;

export function getMetricStatistics(
  store: MetricStore,
  input: GetMetricStatisticsCommandInput,
): Output<GetMetricStatisticsCommandOutput> {
  const { Namespace, MetricName, Dimensions = [], Statistics = [], ExtendedStatistics = [] } = input;
  const periodMs = checkPeriod(input.Period) * 1000;
  const start = Math.floor(input.StartTime!.getTime() / MINUTE_MS) * MINUTE_MS;
  const end = input.EndTime!.getTime();
  if (start >= end) {
    throw invalid(
      'InvalidParameterValueException',
      'The parameter StartTime must be less than the parameter EndTime.',
    );
  }
  const asked = Math.ceil((end - start) / periodMs);
  if (asked > MAX_DATAPOINTS) {
    const message = `You have requested up to ${asked} datapoints, which exceeds the limit of ${MAX_DATAPOINTS}.`;
    throw invalid('InvalidParameterCombinationException', message);
  }
  if (Statistics.length === 0 && ExtendedStatistics.length === 0) {
    throw invalid(
      'MissingRequiredParameterException',
      'Must specify either Statistics or ExtendedStatistics',
    );
  }
  const metric = { Namespace, MetricName, Dimensions };
  const units = input.Unit === undefined ? store.units(metric) : [input.Unit];
  const Datapoints = [...units].flatMap((unit) =>
    [...store.distributions({ metric, unit }, { start, end, periodMs })].map(([at, values]): Datapoint => {
      const plain = Statistics.map((name) => [name, statisticNamed(name)(values)] as const);
      const extended = ExtendedStatistics.map((name) => [name, statisticNamed(name)(values)] as const);
      return {
        Timestamp: new Date(at),
        Unit: unit as StandardUnit,
        ...Object.fromEntries(plain),
        ...(extended.length > 0 && { ExtendedStatistics: Object.fromEntries(extended) }),
      };
    }),
  );
  return { Label: MetricName, Datapoints };
}

function invalid(code: string, message: string): AwsError {
  return new AwsError(code, message);
}
