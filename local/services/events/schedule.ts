/** Schedule expressions of rules: `rate(5 minutes)` and `cron(0 10 * * ? *)`, in UTC. */

/** The next time after `from` (milliseconds); undefined when there is none within four years. */
export type Schedule = (from: number) => number | undefined;

const MINUTE_MS = 60_000;
const unitMinutes: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** Throws an Error that says what is wrong. */
export function parseSchedule(expression: string): Schedule {
  const rate = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression);
  if (rate !== null) {
    const count = Number(rate[1]);
    if (count < 1 || (count === 1) !== (rate[3] === '')) throw invalid();
    return (from) => from + count * unitMinutes[rate[2]!]! * MINUTE_MS;
  }
  const cron = /^cron\(([^()]+)\)$/.exec(expression);
  if (cron === null) throw invalid();
  return cronSchedule(cron[1]!.trim().split(/\s+/));
}

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words: readonly string[];
}

const fields: readonly Field[] = [
  { name: 'minutes', least: 0, most: 59, words: [] },
  { name: 'hours', least: 0, most: 23, words: [] },
  { name: 'day of month', least: 1, most: 31, words: [] },
  { name: 'month', least: 1, most: 12, words: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ') },
  { name: 'day of week', least: 1, most: 7, words: 'SUN MON TUE WED THU FRI SAT'.split(' ') },
  { name: 'year', least: 1970, most: 2199, words: [] },
];

function cronSchedule(texts: readonly string[]): Schedule {
  if (texts.length !== fields.length) throw invalid();
  // "You can't specify the Day-of-month and Day-of-week fields in the same cron expression": one of them is `?`.
  if ((texts[2] === '?') === (texts[4] === '?')) throw invalid();
  const [minutes, hours, days, months, weekdays, years] = fields.map((field, at) =>
    valuesOf(texts[at]!, field),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>, Set<number>];
  const isDay = (date: Date) =>
    years.has(date.getUTCFullYear()) &&
    months.has(date.getUTCMonth() + 1) &&
    days.has(date.getUTCDate()) &&
    weekdays.has(date.getUTCDay() + 1);
  return (from) => {
    const day = new Date(from);
    day.setUTCHours(0, 0, 0, 0);
    for (let count = 0; count <= 4 * 366; count += 1) {
      if (isDay(day)) {
        for (const hour of hours) {
          for (const minute of minutes) {
            const at = day.getTime() + (hour * 60 + minute) * MINUTE_MS;
            if (at > from) return at;
          }
        }
      }
      day.setUTCDate(day.getUTCDate() + 1);
    }
    return undefined;
  };
}

/** `*`, `?`, numbers, words, lists, ranges and steps; `L`, `W` and `#` are refused. */
function valuesOf(text: string, field: Field): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range, step] = part.split('/');
    const [first, last] = rangeOf(range!, field, step !== undefined);
    const by = step === undefined ? 1 : Number(step);
    const isValid = first >= field.least && last <= field.most && first <= last && by >= 1;
    if (!isValid) throw new Error(`Parameter ScheduleExpression is not valid: ${field.name} '${text}'.`);
    for (let value = first; value <= last; value += by) values.add(value);
  }
  return new Set([...values].sort((a, b) => a - b));
}

function rangeOf(range: string, field: Field, stepped: boolean): [number, number] {
  if (range === '*' || range === '?') return [field.least, field.most];
  const [first, last] = range.split('-').map((text) => numberOf(text, field));
  return [first!, last ?? (stepped ? field.most : first!)];
}

function numberOf(text: string, field: Field): number {
  const word = field.words.indexOf(text.toUpperCase());
  if (word !== -1) return word + 1;
  if (/^\d+$/.test(text)) return Number(text);
  if (/[LW#]/i.test(text))
    throw new Error(`'${text}' in the ${field.name} of a cron expression is not modelled.`);
  return Number.NaN;
}

function invalid(): Error {
  return new Error('Parameter ScheduleExpression is not valid.');
}
