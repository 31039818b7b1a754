/** When a scheduled action runs: `at(2026-11-20T08:00:00)`, `cron(0 8 * * ? *)`, `rate(1 day)`, the first two in a time zone. */
import { parseSchedule, type Schedule } from '../events/schedule.ts';
import { invalid } from './identity.ts';

/** Throws AWS's own error for what it cannot read. */
export function actionSchedule(expression: string, timezone = 'UTC'): Schedule {
  const offset = offsets(timezone);
  const at = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(expression)?.[1];
  const zoned = (wall: number): number => wall - offset(wall - offset(wall));
  if (at !== undefined) {
    const once = zoned(Date.parse(`${at}Z`));
    if (Number.isNaN(once)) throw unreadable(expression);
    return (from) => (once > from ? once : undefined);
  }
  try {
    const schedule = parseSchedule(expression);
    if (expression.startsWith('rate')) return schedule;
    return (from) => {
      const wall = schedule(from + offset(from));
      return wall === undefined ? undefined : zoned(wall);
    };
  } catch (thrown) {
    throw unreadable(expression, thrown);
  }
}

/** Milliseconds that a zone's wall clock is ahead of UTC, at an instant. */
function offsets(timezone: string): (at: number) => number {
  const format = formatOf(timezone);
  return (at) => {
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
  };
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  try {
    const digits = 'numeric';
    return new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: digits,
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
    });
  } catch {
    throw invalid(`Invalid timezone: ${timezone}`);
  }
}

function unreadable(expression: string, thrown?: unknown): Error {
  const why = thrown instanceof Error ? ` ${thrown.message}` : '';
  return invalid(`Invalid schedule expression: ${expression}.${why}`);
}
