/** What PutMetricAlarm asks for, checked: a rule over the datapoints of one query. */
import type { MetricDataQuery, PutMetricAlarmCommandInput } from '@aws-sdk/client-cloudwatch';
import { AwsError } from '../../call.ts';
import type { Rule, TreatMissingData } from './alarm-evaluation.ts';
import { checkPeriod, checkQueries } from './metric-data.ts';
import { statisticNamed } from './statistic.ts';

export interface AlarmConfiguration {
  readonly input: PutMetricAlarmCommandInput;
  readonly rule: Rule;
  /** Seconds. */
  readonly period: number;
  readonly queries: readonly MetricDataQuery[];
  /** The query whose values are compared with the threshold. */
  readonly watched: string;
}

type Watching = Pick<AlarmConfiguration, 'queries' | 'watched'>;

const DAY_SECONDS = 86_400;
const comparisons = [
  'GreaterThanThreshold',
  'GreaterThanOrEqualToThreshold',
  'LessThanThreshold',
  'LessThanOrEqualToThreshold',
] as const;
const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;

export function alarmConfiguration(input: PutMetricAlarmCommandInput): AlarmConfiguration {
  refuseUnmodelled(input);
  const { queries, watched } = input.Metrics?.length ? mathQueries(input) : metricQuery(input);
  const periods = queries.flatMap((query) => query.MetricStat?.Period ?? query.Period ?? []);
  const period = Math.max(...periods);
  const rule = ruleOf(input);
  checkSpan(period, rule.evaluationPeriods);
  return { input, rule, period, queries, watched };
}

function ruleOf(input: PutMetricAlarmCommandInput): Rule {
  const comparison = oneOf(comparisons, input.ComparisonOperator, 'ComparisonOperator');
  const treatMissingData: TreatMissingData = oneOf(
    treatments,
    input.TreatMissingData ?? 'missing',
    'TreatMissingData',
  );
  const evaluationPeriods = positive(input.EvaluationPeriods, 'EvaluationPeriods');
  const datapointsToAlarm = positive(input.DatapointsToAlarm ?? evaluationPeriods, 'DatapointsToAlarm');
  if (datapointsToAlarm > evaluationPeriods) {
    throw invalid(
      'The value for parameter DatapointsToAlarm must not exceed the value for parameter EvaluationPeriods',
    );
  }
  if (input.Threshold === undefined) {
    throw new AwsError('MissingRequiredParameterException', 'The parameter Threshold is required.');
  }
  return { threshold: input.Threshold, comparison, evaluationPeriods, datapointsToAlarm, treatMissingData };
}

/** The name of the one query of an alarm on a single metric. */
const SINGLE = 'm1';

function metricQuery(input: PutMetricAlarmCommandInput): Watching {
  const { Namespace, MetricName, Dimensions = [], Unit } = input;
  if (!Namespace || !MetricName) {
    throw new AwsError(
      'MissingRequiredParameterException',
      'The parameters MetricName and Namespace, or Metrics, are required.',
    );
  }
  if ((input.Statistic === undefined) === (input.ExtendedStatistic === undefined)) {
    throw combination('Exactly one of Statistic and ExtendedStatistic must be specified');
  }
  const Stat = input.Statistic ?? input.ExtendedStatistic!;
  statisticNamed(Stat);
  const Period = checkPeriod(input.Period);
  const MetricStat = { Metric: { Namespace, MetricName, Dimensions }, Period, Stat, ...(Unit && { Unit }) };
  return { queries: [{ Id: SINGLE, MetricStat }], watched: SINGLE };
}

function mathQueries(input: PutMetricAlarmCommandInput): Watching {
  if (input.MetricName !== undefined || input.Namespace !== undefined || input.Statistic !== undefined) {
    throw combination('Metrics must not be specified along with MetricName, Namespace or Statistic');
  }
  const queries = input.Metrics!;
  checkQueries(queries);
  const returned = queries.filter((query) => query.ReturnData ?? true);
  if (returned.length !== 1) {
    throw invalid('Exactly one element of the metrics list should return data.');
  }
  const periods = new Set(queries.flatMap((query) => query.MetricStat?.Period ?? query.Period ?? []));
  if (periods.size !== 1) throw invalid('Metrics list must contain exactly one period for all metrics');
  return { queries, watched: returned[0]!.Id! };
}

/** "The maximum evaluation period is seven days for alarms with a period of at least one hour, else one day." */
function checkSpan(period: number, evaluationPeriods: number): void {
  const days = period >= 3600 ? 7 : 1;
  if (period * evaluationPeriods <= days * DAY_SECONDS) return;
  const span = days === 1 ? 'a day' : 'seven days';
  throw invalid(
    `Metrics cannot be checked across more than ${span} (EvaluationPeriods * Period must be <= ${days * DAY_SECONDS}).`,
  );
}

/** Of EC2 Auto Scaling, which looks at its alarms itself. */
const groupPolicy = /^arn:aws:autoscaling:[^:]+:\d+:scalingPolicy:[^:]+:autoScalingGroupName\//;

export function isTopic(action: string): boolean {
  return action.startsWith('arn:aws:sns:');
}

function refuseUnmodelled(input: PutMetricAlarmCommandInput): void {
  const { AlarmActions = [], OKActions = [], InsufficientDataActions = [] } = input;
  for (const action of [...AlarmActions, ...OKActions, ...InsufficientDataActions]) {
    if (!isTopic(action) && !groupPolicy.test(action)) {
      throw invalid(
        `Invalid action ${action}: alarms of the embedded AWS act on SNS topics and on scaling policies of Auto Scaling groups only`,
      );
    }
  }
  if (input.ThresholdMetricId !== undefined)
    throw invalid('Anomaly detection (ThresholdMetricId) is not modelled');
  if (input.EvaluateLowSampleCountPercentile === 'ignore') {
    throw invalid('EvaluateLowSampleCountPercentile "ignore" is not modelled');
  }
  if (input.EvaluationCriteria !== undefined || input.EvaluationWindow !== undefined) {
    throw invalid('EvaluationCriteria and EvaluationWindow are not modelled');
  }
}

function oneOf<T extends string>(allowed: readonly T[], value: string | undefined, parameter: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw invalid(`Value '${value}' for parameter ${parameter} must be one of: ${allowed.join(', ')}`);
}

function positive(value: number | undefined, parameter: string): number {
  if (value !== undefined && Number.isInteger(value) && value >= 1) return value;
  throw invalid(`The parameter ${parameter} must be a whole number of at least 1`);
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

function combination(message: string): AwsError {
  return new AwsError('InvalidParameterCombinationException', message);
}
