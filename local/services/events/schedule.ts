/** Schedule expressions of rules: `rate(5 minutes)` and `cron(0 10 * * ? *)`, in UTC. */
import { type Field, firstFields, minuteMs, type Schedule, schedule, valuesOf, weekdays } from './cron.ts';

const unitMinutes: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

const fields: readonly Field[] = [
  ...firstFields,
  { name: 'day of week', least: 1, most: 7, words: weekdays },
  { name: 'year', least: 1970, most: 2199, words: [] },
];

/** Throws an Error that says what is wrong. */
export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate !== null) {
    const count = Number(rate[1]);
    if (count < 1 || (count === 1) !== (rate[3] === '')) throw invalid();
    return (from) => from + count * unitMinutes[rate[2]!]! * minuteMs;
  }
  const cron = /^cron\(([^()]+)\)$/.exec(expression);
  if (cron === null) throw invalid();
  return cronSchedule(cron[1]!.trim().split(/\s+/));
}

function cronSchedule(texts: readonly string[]): Schedule {
  if (texts.length !== fields.length) throw invalid();
  // "You can't specify the Day-of-month and Day-of-week fields in the same cron expression": one of them is `?`.
  if ((texts[2] === '?') === (texts[4] === '?')) throw invalid();
  const [minute, hour, day, month, weekday, year] = fields.map((field, at) =>
    valuesOf(texts[at]!, field, invalid),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  return schedule(
    { hours: hour, minutes: minute },
    (date) =>
      year.has(date.getUTCFullYear()) &&
      month.has(date.getUTCMonth() + 1) &&
      day.has(date.getUTCDate()) &&
      weekday.has(date.getUTCDay() + 1),
  );
}

function invalid(what?: string): Error {
  return new Error(`Parameter ScheduleExpression is not valid${what === undefined ? '' : `: ${what}`}.`);
}
