/**
 * Windows in which nothing new is deployed: a push waits until they are over. What goes back never does, nor what runs already.
 */
import * as z from 'zod';
import { timeZone } from '../time-zone.ts';

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const clockTime = z
  .string()
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time from 00:00 to 24:00, such as 08:30');
const moment = z.iso.datetime('must be a time in UTC such as 2026-12-23T00:00:00Z');
const reason = z.string().min(1).max(200);

export const freezeWindow = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('weekly'),
    days: z.array(z.enum(dayNames)).min(1).describe('on which the window begins'),
    from: clockTime,
    to: clockTime.describe('at or before from: on the next day'),
    timeZone: timeZone.default('UTC'),
    reason,
  }),
  z
    .strictObject({ kind: z.literal('once'), from: moment, to: moment, reason })
    .refine(({ from, to }) => Date.parse(from) < Date.parse(to), 'must end after it begins'),
]);
export type FreezeWindow = z.infer<typeof freezeWindow>;

export interface Freeze {
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly reason: string;
}

const minuteMs = 60_000;
/** A freeze that lasts longer is looked at again then: windows that leave no gap would have no end. */
const mostMinutes = 31 * 24 * 60;

/** The freeze that holds now, through windows that follow each other; undefined when none does. */
export function frozenAt(windows: readonly FreezeWindow[], now: number): Freeze | undefined {
  const open = windows.map(opened);
  const first = open.find(({ holds }) => holds(now));
  if (first === undefined) return undefined;
  const end = (Math.floor(now / minuteMs) + mostMinutes) * minuteMs;
  let until = now;
  // Each window to its end before the others are asked: all of them at each minute would take a function's whole time.
  for (
    let next: Opened | undefined = first;
    next !== undefined;
    next = open.find(({ holds }) => holds(until))
  ) {
    while (until < end && next.holds(until)) until = (Math.floor(until / minuteMs) + 1) * minuteMs;
    if (until >= end) break;
  }
  return { until, reason: first.reason };
}

interface Opened {
  readonly reason: string;
  readonly holds: (at: number) => boolean;
}

function opened(window: FreezeWindow): Opened {
  const { reason: why } = window;
  if (window.kind === 'once') {
    const [from, to] = [Date.parse(window.from), Date.parse(window.to)];
    return { reason: why, holds: (at) => at >= from && at < to };
  }
  const { days } = window;
  const [from, to] = [minuteOf(window.from), minuteOf(window.to)];
  const local = localTime(window.timeZone);
  const on = (day: number): boolean => days.includes(dayNames[(day + 7) % 7]!);
  return {
    reason: why,
    holds: (at) => {
      const { day, minute } = local(at);
      if (from < to) return on(day) && minute >= from && minute < to;
      return (on(day) && minute >= from) || (on(day - 1) && minute < to);
    },
  };
}

/** Day of the week, 0 for Sunday, and minute of the day, where the window is said. */
function localTime(zone: string): (at: number) => { readonly day: number; readonly minute: number } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = dayNames.findIndex((name) => name === parts.get('weekday')?.toLowerCase());
    return { day, minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')) };
  };
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}
