/** When a scheduled action runs: `at(2026-11-20T08:00:00)`, `cron(0 8 * * ? *)`, `rate(1 day)`, the first two in a time zone. */
import type { Schedule } from '../events/cron.ts';
import { parseSchedule } from '../events/schedule.ts';
import { timeZone } from '../events/time-zone.ts';
import { invalid } from './identity.ts';

/** Throws AWS's own error for what it cannot read. */
export function actionSchedule(expression: string, timezone = 'UTC'): Schedule {
  const zone = timeZone(timezone);
  if (zone === undefined) throw invalid(`Invalid timezone: ${timezone}`);
  const at = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression)?.[1];
  if (at !== undefined) {
    const once = zone.instant(Date.parse(`${at}Z`));
    if (Number.isNaN(once)) throw unreadable(expression);
    return (from) => (once > from ? once : undefined);
  }
  try {
    const schedule = parseSchedule(expression);
    return expression.startsWith('rate') ? schedule : zone.zoned(schedule);
  } catch (thrown) {
    throw unreadable(expression, thrown);
  }
}

function unreadable(expression: string, thrown?: unknown): Error {
  const why = thrown instanceof Error ? ` ${thrown.message}` : '';
  return invalid(`Invalid schedule expression: ${expression}.${why}`);
}
