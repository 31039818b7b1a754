/**
 * The alarms of target tracking, which live in CloudWatch: three minutes above the target, fifteen well below it.
 * "Usually more than 10 % lower": https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html.
 * On AWS their action is the policy, which CloudWatch invokes each minute while they are in ALARM; here `Tracker` looks.
 */
import { randomUUID } from 'node:crypto';
import type {
  DescribeAlarmsCommandInput,
  DescribeAlarmsCommandOutput,
  GetMetricStatisticsCommandInput,
  GetMetricStatisticsCommandOutput,
  PutMetricAlarmCommandInput,
} from '@aws-sdk/client-cloudwatch';
import { arn } from '../../account.ts';
import type { Call, Operations, Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Reading } from './movement.ts';
import type { TrackedMetric, Tracking } from './tracking.ts';

const minuteMs = 60_000;
const sides = {
  High: { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 3, share: 1 },
  Low: { ComparisonOperator: 'LessThanThreshold', EvaluationPeriods: 15, share: 0.9 },
} as const;

export class TrackingAlarms {
  readonly #clock: Clock;
  readonly #cloudwatch: Operations;
  readonly #call: Call;

  /** `service`: in whose name. */
  constructor(options: { clock: Clock; cloudwatch: Operations; service: string }) {
    this.#clock = options.clock;
    this.#cloudwatch = options.cloudwatch;
    this.#call = {
      principal: { kind: 'service', service: options.service },
      requestId: 'internal',
      endpoint: '',
    };
  }

  /** `TargetTracking-service/demo/web-AlarmHigh-7c2e…`; those that the policy has already stay. */
  names(
    resource: string,
    { scalesIn, known }: { scalesIn: boolean; known: Pick<Tracking, 'high' | 'low'> | undefined },
  ): Pick<Tracking, 'high' | 'low'> {
    const name = (side: keyof typeof sides) => `TargetTracking-${resource}-Alarm${side}-${randomUUID()}`;
    return {
      high: known?.high ?? name('High'),
      low: scalesIn ? (known?.low ?? name('Low')) : undefined,
    };
  }

  /** Those of a policy, made or changed; those that it has no more are deleted. */
  put(tracking: Tracking, known: Tracking | undefined): void {
    const { high, low, metric, target } = tracking;
    this.#delete(alarmNames(known).filter((name) => !alarmNames(tracking).includes(name)));
    for (const [side, name] of [['High', high] as const, ['Low', low] as const]) {
      if (name === undefined) continue;
      const { share, ...rule } = sides[side];
      this.#ask<PutMetricAlarmCommandInput, object>('PutMetricAlarm', {
        AlarmName: name,
        AlarmDescription: `DO NOT EDIT OR DELETE. For TargetTrackingScaling policy ${tracking.policyArn}.`,
        ...metric,
        ...rule,
        Period: minuteMs / 1_000,
        Threshold: target * share,
      });
    }
  }

  /** They go with their policy. */
  forget(tracking: Tracking | undefined): void {
    this.#delete(alarmNames(tracking));
  }

  #delete(names: readonly string[]): void {
    if (names.length > 0) this.#ask('DeleteAlarms', { AlarmNames: names });
  }

  read(trackings: readonly Tracking[]): Reading[] {
    const red = this.#red(trackings.flatMap(alarmNames));
    return trackings.map((tracking) => ({
      tracking,
      value: this.#latest(tracking.metric),
      isHigh: red.has(tracking.high),
      isLow: tracking.low === undefined ? undefined : red.has(tracking.low),
    }));
  }

  /** Those of the alarms that are in ALARM. */
  #red(names: readonly string[]): ReadonlySet<string> {
    if (names.length === 0) return new Set();
    const { MetricAlarms = [] } = this.#ask<DescribeAlarmsCommandInput, Output<DescribeAlarmsCommandOutput>>(
      'DescribeAlarms',
      { AlarmNames: [...names], StateValue: 'ALARM' },
    );
    return new Set(MetricAlarms.map(({ AlarmName = '' }) => AlarmName));
  }

  /** The metric's newest value. */
  #latest({ Statistic, ...metric }: TrackedMetric): number | undefined {
    const now = this.#clock.now();
    const { Datapoints = [] } = this.#ask<
      GetMetricStatisticsCommandInput,
      Output<GetMetricStatisticsCommandOutput>
    >('GetMetricStatistics', {
      ...metric,
      StartTime: new Date(now - 5 * minuteMs),
      EndTime: new Date(now),
      Period: minuteMs / 1_000,
      Statistics: [Statistic],
    });
    const newest = Datapoints.toSorted((a, b) => Number(b.Timestamp) - Number(a.Timestamp))[0];
    return newest?.[Statistic];
  }

  #ask<Input, Answer>(operation: string, input: Input): Answer {
    return this.#cloudwatch[operation]!(input as never, this.#call) as Answer;
  }
}

/** As policies are described with them. */
export function alarmsOf(tracking: Tracking | undefined): { AlarmName: string; AlarmARN: string }[] {
  return alarmNames(tracking).map((AlarmName) => ({
    AlarmName,
    AlarmARN: arn('cloudwatch', `alarm:${AlarmName}`),
  }));
}

function alarmNames(tracking: Tracking | undefined): string[] {
  return [tracking?.high, tracking?.low].filter((name) => name !== undefined);
}
