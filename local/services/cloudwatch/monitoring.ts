/** CloudWatch as other services ask it in their own name: alarms that they keep, and what a metric says now. */
import type {
  DescribeAlarmsCommandInput,
  DescribeAlarmsCommandOutput,
  Dimension,
  GetMetricStatisticsCommandInput,
  GetMetricStatisticsCommandOutput,
  MetricAlarm,
  PutMetricAlarmCommandInput,
  StandardUnit,
  Statistic,
} from '@aws-sdk/client-cloudwatch';
import type { Call, Operations, Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';

/** How far back a newest value may lie, in periods. */
const recentPeriods = 5;

export interface WatchedMetric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: Dimension[];
  readonly Statistic: Statistic;
  readonly Unit?: StandardUnit;
}

export class Monitoring {
  readonly #clock: Clock;
  readonly #cloudwatch: Operations;
  readonly #call: Call;

  constructor(options: { clock: Clock; cloudwatch: Operations; service: string }) {
    this.#clock = options.clock;
    this.#cloudwatch = options.cloudwatch;
    this.#call = {
      principal: { kind: 'service', service: options.service },
      requestId: 'internal',
      endpoint: '',
    };
  }

  putAlarm(alarm: PutMetricAlarmCommandInput): void {
    this.#ask('PutMetricAlarm', alarm);
  }

  deleteAlarms(names: readonly string[]): void {
    if (names.length > 0) this.#ask('DeleteAlarms', { AlarmNames: names });
  }

  alarms(input: DescribeAlarmsCommandInput): MetricAlarm[] {
    const { MetricAlarms = [] } = this.#ask<DescribeAlarmsCommandInput, Output<DescribeAlarmsCommandOutput>>(
      'DescribeAlarms',
      input,
    );
    return MetricAlarms;
  }

  /** The metric's newest value, if it is not long ago. */
  latest({ Statistic, ...metric }: WatchedMetric, periodSeconds = 60): number | undefined {
    const now = this.#clock.now();
    const { Datapoints = [] } = this.#ask<
      GetMetricStatisticsCommandInput,
      Output<GetMetricStatisticsCommandOutput>
    >('GetMetricStatistics', {
      ...metric,
      StartTime: new Date(now - recentPeriods * periodSeconds * 1_000),
      EndTime: new Date(now),
      Period: periodSeconds,
      Statistics: [Statistic],
    });
    const newest = Datapoints.toSorted((a, b) => Number(b.Timestamp) - Number(a.Timestamp))[0];
    return newest?.[Statistic];
  }

  #ask<Input, Answer>(operation: string, input: Input): Answer {
    return this.#cloudwatch[operation]!(input as never, this.#call) as Answer;
  }
}
