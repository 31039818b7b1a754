/** How the world hears of an alarm's new state: the event on the default bus and the message to SNS topics. */
import type { MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { accountId } from '../../account.ts';
import type { AwsEvent } from '../../aws-event.ts';
import type { Alarm, AlarmState } from './alarm.ts';
import { isoTime } from './alarm-reason.ts';

/** us-east-1 as alarms' messages call it. */
const REGION_IN_WORDS = 'US East (N. Virginia)';

/** SNS takes no more characters. */
const MAX_SUBJECT = 100;

/** "CloudWatch Alarm State Change" ("Alarm events and EventBridge", user guide). */
export function stateChangeEvent(alarm: Alarm, previous: AlarmState): AwsEvent {
  const { input, queries } = alarm.configuration;
  const single = input.Metrics === undefined;
  return {
    source: 'aws.cloudwatch',
    detailType: 'CloudWatch Alarm State Change',
    resources: [alarm.arn],
    detail: {
      alarmName: alarm.name,
      state: stateDetail(alarm.state),
      previousState: stateDetail(previous),
      configuration: {
        metrics: queries.map((query) => metricDetail(query, single ? alarm.queryId : query.Id!)),
        ...(input.AlarmDescription !== undefined && { description: input.AlarmDescription }),
      },
    },
  };
}

function stateDetail(state: AlarmState): Record<string, string> {
  return {
    value: state.value,
    reason: state.reason,
    ...(state.reasonData !== undefined && { reasonData: state.reasonData }),
    timestamp: isoTime(state.at),
  };
}

function metricDetail(query: MetricDataQuery, id: string): Record<string, unknown> {
  const { MetricStat, Expression, Label, ReturnData = true } = query;
  if (MetricStat === undefined) {
    return {
      id,
      expression: Expression,
      ...(Label !== undefined && { label: Label }),
      returnData: ReturnData,
    };
  }
  const { Metric, Period, Stat, Unit } = MetricStat;
  return {
    id,
    metricStat: {
      metric: {
        namespace: Metric!.Namespace,
        name: Metric!.MetricName,
        dimensions: Object.fromEntries(Metric!.Dimensions?.map(({ Name, Value }) => [Name, Value]) ?? []),
      },
      period: Period,
      stat: Stat,
      ...(Unit && { unit: Unit }),
    },
    returnData: ReturnData,
  };
}

export function notification(alarm: Alarm, previous: AlarmState): { subject: string; message: string } {
  const { input, rule, period } = alarm.configuration;
  const { Statistic, ExtendedStatistic, Metrics } = input;
  const watched =
    Metrics === undefined
      ? {
          MetricName: input.MetricName,
          Namespace: input.Namespace,
          StatisticType: Statistic === undefined ? 'ExtendedStatistic' : 'Statistic',
          ...(Statistic === undefined ? { ExtendedStatistic } : { Statistic: Statistic.toUpperCase() }),
          Unit: input.Unit ?? null,
          Dimensions: input.Dimensions?.map(({ Name, Value }) => ({ value: Value, name: Name })) ?? [],
        }
      : { Metrics };
  const message = {
    AlarmName: alarm.name,
    AlarmDescription: input.AlarmDescription ?? null,
    AWSAccountId: accountId,
    AlarmConfigurationUpdatedTimestamp: isoTime(alarm.configuredAt),
    NewStateValue: alarm.state.value,
    NewStateReason: alarm.state.reason,
    StateChangeTime: isoTime(alarm.state.at),
    Region: REGION_IN_WORDS,
    AlarmArn: alarm.arn,
    OldStateValue: previous.value,
    OKActions: input.OKActions ?? [],
    AlarmActions: input.AlarmActions ?? [],
    InsufficientDataActions: input.InsufficientDataActions ?? [],
    Trigger: {
      ...watched,
      Period: period,
      EvaluationPeriods: rule.evaluationPeriods,
      ...(input.DatapointsToAlarm !== undefined && { DatapointsToAlarm: input.DatapointsToAlarm }),
      ComparisonOperator: rule.comparison,
      Threshold: rule.threshold,
      TreatMissingData: rule.treatMissingData,
      EvaluateLowSampleCountPercentile: input.EvaluateLowSampleCountPercentile ?? '',
    },
  };
  return {
    subject: shortened(`${alarm.state.value}: "${alarm.name}" in ${REGION_IN_WORDS}`),
    message: JSON.stringify(message),
  };
}

function shortened(subject: string): string {
  return subject.length <= MAX_SUBJECT ? subject : `${subject.slice(0, MAX_SUBJECT - 3)}...`;
}
