/** Alarms as a gate going forward. Going back they are never asked. */
import type { Verdict } from './verdict.ts';

export interface AlarmState {
  readonly name: string;
  /** `missing`: no alarm of that name exists. */
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | 'missing';
  readonly reason: string;
}

/**
 * Red is red; a missing alarm never counts as green. `INSUFFICIENT_DATA` passes: an alarm on errors has no data while
 * there are none.
 */
export function alarmVerdict(alarms: readonly AlarmState[]): Verdict {
  const reasons: string[] = [];
  for (const { name, state, reason } of alarms) {
    if (state === 'ALARM') reasons.push(redInWords({ name, reason }));
    if (state === 'missing') {
      reasons.push(`the alarm ${name} does not exist: create it, or take it out of the service's alarms`);
    }
  }
  return reasons.length === 0 ? { verdict: 'pass' } : { verdict: 'fail', reasons };
}

/** Names of the alarms that say no. */
export function notGreen(alarms: readonly AlarmState[]): readonly string[] {
  return alarms.filter((each) => alarmVerdict([each]).verdict === 'fail').map(({ name }) => name);
}

export function redInWords({ name, reason }: { name: string; reason: string }): string {
  return `the alarm ${name} is red${reason === '' ? '' : `: ${reason.replace(/\.+$/, '')}`}`;
}
