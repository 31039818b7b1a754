/**
 * Unix cron expressions, `30 0 1 1,6,12 *`: minute, hour, day of month, month, day of week from Sunday as 0 or 7, in UTC
 * (https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html). As cron has it since
 * POSIX, a day fits by either of its fields when both are restricted.
 */
import { type Field, firstFields, type Schedule, schedule, valuesOf, weekdays } from './cron.ts';

const fields: readonly Field[] = [
  ...firstFields,
  { name: 'day of week', least: 0, most: 7, words: weekdays },
];

/** Throws an Error that says what is wrong. */
export function parseUnixCron(expression: string): Schedule {
  const texts = expression.trim().split(/\s+/);
  if (texts.length !== fields.length) throw invalid(`${texts.length} fields`);
  const [minute, hour, day, month, weekday] = fields.map((field, at) =>
    valuesOf(texts[at]!, field, invalid),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  const anyDay = texts[2] === '*' || texts[4] === '*';
  return schedule({ hours: hour, minutes: minute }, (date) => {
    const isDay = day.has(date.getUTCDate());
    const isWeekday = weekday.has(date.getUTCDay()) || (date.getUTCDay() === 0 && weekday.has(7));
    return month.has(date.getUTCMonth() + 1) && (anyDay ? isDay && isWeekday : isDay || isWeekday);
  });
}

function invalid(what: string): Error {
  return new Error(`not a cron expression: ${what}`);
}
