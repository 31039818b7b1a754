/**
 * The alarms of target tracking, which live in CloudWatch: three minutes above the target, fifteen well below it.
 * "Usually more than 10 % lower": https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html.
 * On AWS their action is the policy, which CloudWatch invokes each minute while they are in ALARM; here `Tracker` looks.
 */
import { randomUUID } from 'node:crypto';
import { arn } from '../../account.ts';
import type { Monitoring } from '../cloudwatch/monitoring.ts';
import type { Reading } from './movement.ts';
import type { Tracking } from './tracking.ts';

const sides = {
  High: { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 3, share: 1 },
  Low: { ComparisonOperator: 'LessThanThreshold', EvaluationPeriods: 15, share: 0.9 },
} as const;

export class TrackingAlarms {
  readonly #monitoring: Monitoring;

  constructor(monitoring: Monitoring) {
    this.#monitoring = monitoring;
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
    this.#monitoring.deleteAlarms(alarmNames(known).filter((name) => !alarmNames(tracking).includes(name)));
    for (const [side, name] of [['High', high] as const, ['Low', low] as const]) {
      if (name === undefined) continue;
      const { share, ...rule } = sides[side];
      this.#monitoring.putAlarm({
        AlarmName: name,
        AlarmDescription: `DO NOT EDIT OR DELETE. For TargetTrackingScaling policy ${tracking.policyArn}.`,
        ...metric,
        ...rule,
        Period: 60,
        Threshold: target * share,
      });
    }
  }

  /** They go with their policy. */
  forget(tracking: Tracking | undefined): void {
    this.#monitoring.deleteAlarms(alarmNames(tracking));
  }

  read(trackings: readonly Tracking[]): Reading[] {
    const AlarmNames = trackings.flatMap(alarmNames);
    const inAlarm = this.#monitoring.alarms({ AlarmNames, StateValue: 'ALARM' });
    const red = new Set(inAlarm.map(({ AlarmName }) => AlarmName));
    return trackings.map((tracking) => ({
      tracking,
      value: this.#monitoring.latest(tracking.metric),
      isHigh: red.has(tracking.high),
      isLow: tracking.low === undefined ? undefined : red.has(tracking.low),
    }));
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
