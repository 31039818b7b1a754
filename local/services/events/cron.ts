/** What cron expressions of all kinds share: their fields, and the walk to the next minute that fits. */

/** The next time after `from` (milliseconds); undefined when there is none within four years. */
export type Schedule = (from: number) => number | undefined;

export const minuteMs = 60_000;

export interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** Names of the values from the least on. */
  readonly words: readonly string[];
}

const minutes: Field = { name: 'minutes', least: 0, most: 59, words: [] };
const hours: Field = { name: 'hours', least: 0, most: 23, words: [] };
const daysOfMonth: Field = { name: 'day of month', least: 1, most: 31, words: [] };
const months: Field = {
  name: 'month',
  least: 1,
  most: 12,
  words: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' '),
};
/** Of all kinds of expressions; what follows differs. */
export const firstFields: readonly Field[] = [minutes, hours, daysOfMonth, months];
export const weekdays = 'SUN MON TUE WED THU FRI SAT'.split(' ');

/** Each of these minutes of these hours on each day that fits, in UTC. */
export function schedule(
  at: { readonly hours: ReadonlySet<number>; readonly minutes: ReadonlySet<number> },
  isDay: (date: Date) => boolean,
): Schedule {
  return (from) => {
    const day = new Date(from);
    day.setUTCHours(0, 0, 0, 0);
    for (let count = 0; count <= 4 * 366; count += 1) {
      if (isDay(day)) {
        for (const hour of at.hours) {
          for (const minute of at.minutes) {
            const time = day.getTime() + (hour * 60 + minute) * minuteMs;
            if (time > from) return time;
          }
        }
      }
      day.setUTCDate(day.getUTCDate() + 1);
    }
    return undefined;
  };
}

/** `*`, `?`, numbers, words, lists, ranges and steps; `L`, `W` and `#` are refused. Throws `invalid`'s error for what is wrong. */
export function valuesOf(text: string, field: Field, invalid: (what: string) => Error): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range, step] = part.split('/');
    const [first, last] = rangeOf(range!, field, step !== undefined);
    const by = step === undefined ? 1 : Number(step);
    const isValid = first >= field.least && last <= field.most && first <= last && by >= 1;
    if (!isValid) throw invalid(`${field.name} '${text}'`);
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
  if (word !== -1) return word + field.least;
  if (/^\d+$/.test(text)) return Number(text);
  if (/[LW#]/i.test(text))
    throw new Error(`'${text}' in the ${field.name} of a cron expression is not modelled.`);
  return Number.NaN;
}
