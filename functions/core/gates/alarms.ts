/** Alarms as a gate going forward. Going back they are never asked. */
import * as z from 'zod';
import type { Verdict } from './verdict.ts';

export const alarmPolicy = z.strictObject({
  redAtStart: z
    .enum(['refuse', 'ignore'])
    .default('refuse')
    .describe(
      'of an alarm that is red before anything is launched: no push is deployed, or it counts once it was green',
    ),
  noData: z
    .enum(['pass', 'fail'])
    .default('pass')
    .describe('of an alarm with INSUFFICIENT_DATA: one on errors has no data while there are none'),
});
export type AlarmPolicy = z.infer<typeof alarmPolicy>;

export interface AlarmState {
  readonly name: string;
  /** `missing`: no alarm of that name exists. */
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA' | 'missing';
  readonly reason: string;
  /** When it came to that state, in milliseconds since the epoch; null when nobody knows. */
  readonly since: number | null;
}

/** Why the alarm says no; undefined when it does not. A missing one never counts as green. */
export function saysNo(
  { name, state, reason }: AlarmState,
  { noData }: Pick<AlarmPolicy, 'noData'>,
): string | undefined {
  switch (state) {
    case 'OK':
      return undefined;
    case 'ALARM':
      return redInWords({ name, reason });
    case 'INSUFFICIENT_DATA':
      return noData === 'pass'
        ? undefined
        : `the alarm ${name} has no data, which does not count as green here`;
    case 'missing':
      return `the alarm ${name} does not exist: create it, or take it out of the service's alarms`;
  }
}

/**
 * `excusedBefore`: what is red since before then was known when the deployment began, and does not count until it was green;
 * null: nothing is excused.
 */
export function alarmVerdict(
  alarms: readonly AlarmState[],
  policy: Pick<AlarmPolicy, 'noData'>,
  excusedBefore: number | null,
): Verdict {
  const reasons = alarms
    .filter((alarm) => !isExcused(alarm, excusedBefore))
    .map((alarm) => saysNo(alarm, policy))
    .filter((words) => words !== undefined);
  return reasons.length === 0 ? { verdict: 'pass' } : { verdict: 'fail', reasons };
}

function isExcused({ state, since }: AlarmState, before: number | null): boolean {
  return state === 'ALARM' && before !== null && since !== null && since < before;
}

export function redInWords({ name, reason }: { name: string; reason: string }): string {
  return `the alarm ${name} is red${reason === '' ? '' : `: ${reason.replace(/\.+$/, '')}`}`;
}
