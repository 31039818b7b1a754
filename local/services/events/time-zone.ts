/** Schedules by the wall clock of a time zone, whose summer time they follow. */
import type { Schedule } from './cron.ts';

export interface TimeZone {
  /** When its wall clock shows a time, both in milliseconds as if of UTC. */
  instant(wall: number): number;
  /** The same schedule by its wall clock. */
  zoned(schedule: Schedule): Schedule;
}

/** `Europe/Berlin`; undefined for what is in no zone of this world. */
export function timeZone(name: string): TimeZone | undefined {
  const format = formatOf(name);
  if (format === undefined) return undefined;
  /** Milliseconds that the zone's wall clock is ahead of UTC, at an instant. */
  const ahead = (at: number): number => {
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
  };
  const instant = (wall: number): number => wall - ahead(wall - ahead(wall));
  return {
    instant,
    zoned: (schedule) => (from) => {
      const wall = schedule(from + ahead(from));
      return wall === undefined ? undefined : instant(wall);
    },
  };
}

function formatOf(timezone: string): Intl.DateTimeFormat | undefined {
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
    return undefined;
  }
}
