/**
 * The alarms of target tracking, which live in CloudWatch: three minutes above the target, fifteen well below it.
 * "Usually more than 10 % lower": https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html.
 * On AWS their action is the policy, which CloudWatch invokes each minute while they are in ALARM; here `Tracker` looks.
 */
import { randomUUID } from 'node:crypto';
import type { Alarm } from '@aws-sdk/client-application-auto-scaling';
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
import type { Policy, Target } from './target.ts';
import { type TrackedMetric, trackedMetric } from './tracked-metric.ts';

const minuteMs = 60_000;
const sides = {
  High: { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 3, share: 1 },
  Low: { ComparisonOperator: 'LessThanThreshold', EvaluationPeriods: 15, share: 0.9 },
} as const;

const call: Call = {
  principal: { kind: 'service', service: 'application-autoscaling' },
  requestId: 'internal',
  endpoint: '',
};

export class TrackingAlarms {
  readonly #clock: Clock;
  readonly #cloudwatch: Operations;

  constructor(options: { clock: Clock; cloudwatch: Operations }) {
    this.#clock = options.clock;
    this.#cloudwatch = options.cloudwatch;
  }

  /** `TargetTracking-service/demo/web-AlarmHigh-7c2e…` */
  name(target: Target, side: keyof typeof sides): string {
    return `TargetTracking-${target.resourceId}-Alarm${side}-${randomUUID()}`;
  }

  /** Those of a policy, made or changed. */
  put(target: Target, { description, tracking }: Policy): void {
    if (tracking === undefined) return;
    const { high, low, configuration } = tracking;
    for (const [side, name] of [['High', high] as const, ['Low', low] as const]) {
      if (name === undefined) continue;
      const { share, ...rule } = sides[side];
      this.#ask<PutMetricAlarmCommandInput, object>('PutMetricAlarm', {
        AlarmName: name,
        AlarmDescription: `DO NOT EDIT OR DELETE. For TargetTrackingScaling policy ${description.PolicyARN}.`,
        ...this.#metric(target, configuration),
        ...rule,
        Period: minuteMs / 1_000,
        Threshold: (configuration.TargetValue ?? 0) * share,
      });
    }
  }

  delete(names: readonly string[]): void {
    if (names.length > 0) this.#ask('DeleteAlarms', { AlarmNames: names });
  }

  /** Those of the alarms that are in ALARM. */
  red(names: readonly string[]): ReadonlySet<string> {
    if (names.length === 0) return new Set();
    const { MetricAlarms = [] } = this.#ask<DescribeAlarmsCommandInput, Output<DescribeAlarmsCommandOutput>>(
      'DescribeAlarms',
      { AlarmNames: [...names], StateValue: 'ALARM' },
    );
    return new Set(MetricAlarms.map(({ AlarmName = '' }) => AlarmName));
  }

  /** The newest value of what the policy tracks. */
  latest(target: Target, { tracking }: Policy): number | undefined {
    if (tracking === undefined) return undefined;
    const { Statistic, ...metric } = this.#metric(target, tracking.configuration);
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

  #metric(
    target: Target,
    { PredefinedMetricSpecification: specification }: NonNullable<Policy['tracking']>['configuration'],
  ): TrackedMetric {
    return trackedMetric(specification ?? { PredefinedMetricType: undefined }, target.place);
  }

  #ask<Input, Answer>(operation: string, input: Input): Answer {
    return this.#cloudwatch[operation]!(input as never, call) as Answer;
  }
}

export function alarmsOf({ tracking }: Pick<Policy, 'tracking'>): Alarm[] {
  return [tracking?.high, tracking?.low].flatMap((AlarmName) =>
    AlarmName === undefined ? [] : [{ AlarmName, AlarmARN: arn('cloudwatch', `alarm:${AlarmName}`) }],
  );
}
