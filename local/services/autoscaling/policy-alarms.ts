/**
 * Alarms whose action is a policy of step or simple scaling. On AWS CloudWatch invokes the policy, each minute while the alarm
 * is in ALARM; here who scales looks. Alarms on metric math do not move a policy here: what they compute is not read.
 */
import type { MetricAlarm } from '@aws-sdk/client-cloudwatch';
import type { Monitoring } from '../cloudwatch/monitoring.ts';

export class PolicyAlarms {
  readonly #monitoring: Monitoring;

  constructor(monitoring: Monitoring) {
    this.#monitoring = monitoring;
  }

  /** All that act by the policy. */
  of(policyArn: string): MetricAlarm[] {
    return this.#monitoring
      .alarms({ ActionPrefix: policyArn })
      .filter(({ AlarmActions = [] }) => AlarmActions.includes(policyArn));
  }

  /** Those in ALARM that may act, each with how far its newest value is beyond its threshold. */
  breached(policyArn: string): { readonly alarm: string; readonly beyond: number }[] {
    return this.of(policyArn).flatMap((alarm) => {
      if (alarm.StateValue !== 'ALARM' || alarm.ActionsEnabled !== true) return [];
      const value = this.#latest(alarm);
      return value === undefined
        ? []
        : [{ alarm: alarm.AlarmName ?? '', beyond: value - (alarm.Threshold ?? 0) }];
    });
  }

  /** With the group go those that have no other action (API_DeleteAutoScalingGroup). */
  forget(policyArn: string): void {
    const alone = this.of(policyArn).filter(
      ({ AlarmActions, OKActions = [], InsufficientDataActions = [] }) =>
        [...(AlarmActions ?? []), ...OKActions, ...InsufficientDataActions].every(
          (each) => each === policyArn,
        ),
    );
    this.#monitoring.deleteAlarms(alone.flatMap(({ AlarmName }) => AlarmName ?? []));
  }

  #latest({ Namespace, MetricName, Dimensions = [], Statistic, Period }: MetricAlarm): number | undefined {
    if (Namespace === undefined || MetricName === undefined || Statistic === undefined) return undefined;
    return this.#monitoring.latest({ Namespace, MetricName, Dimensions, Statistic }, Period);
  }
}
