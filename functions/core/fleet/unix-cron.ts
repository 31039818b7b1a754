/** Cron expressions as EC2 Auto Scaling takes them: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html */

interface Field {
  readonly least: number;
  readonly most: number;
  /** From `least` on. */
  readonly names?: readonly string[];
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Minute, hour, day, month, weekday. */
const fields: readonly Field[] = [
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  { least: 1, most: 12, names: months },
  // Sunday is 0, and 7.
  { least: 0, most: 7, names: weekdays },
];

export function isUnixCron(expression: string): boolean {
  const given = expression.split(' ');
  return (
    given.length === fields.length &&
    fields.every((field, index) => (given[index] ?? '').split(',').every((part) => fits(part, field)))
  );
}

/** `*`, `3`, `MON`, `1-5`, each with a step: `*` + `/15`. */
function fits(part: string, field: Field): boolean {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
  if (range === '*') return true;
  const [from = Number.NaN, to = from, ...others] = range.split('-').map((text) => valueOf(text, field));
  return others.length === 0 && from >= field.least && to <= field.most && from <= to;
}

function valueOf(text: string, { least, names = [] }: Field): number {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return named + least;
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}
