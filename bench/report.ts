/** Measures as JSON lines for machines, or as a table that people read while the bench goes on. */
import type { Measure, Report } from './measure.ts';

export function jsonLines(write: (text: string) => void): Report {
  return (measure) => write(`${JSON.stringify(measure)}\n`);
}

export function table(write: (text: string) => void): Report {
  let section: string | undefined;
  return (measure) => {
    if (measure.section !== section) write(`\n${measure.section}\n`);
    section = measure.section;
    write(`${row(measure)}\n`);
  };
}

function row({ name, value, unit, against, target, note, by }: Measure): string {
  const columns = [
    `  ${name.padEnd(46)}`,
    `${shown(value)} ${unit}`.trim().padStart(16),
    against === undefined ? ''.padEnd(9) : `${shown(against.ratio)} ×`.padStart(9),
  ];
  const remarks = [
    against === undefined ? undefined : `of ${shown(against.value)}, ${against.what}`,
    target === undefined ? undefined : `target ${target.text}${target.met ? '' : ': MISSED'}`,
    note,
    by === undefined
      ? undefined
      : Object.entries(by)
          .map(([part, count]) => `${part} ${shown(count)}`)
          .join(', '),
  ];
  return `${columns.join('  ')}  ${remarks.filter((remark) => remark !== undefined && remark !== '').join('; ')}`.trimEnd();
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '–';
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.1 ? value.toPrecision(3) : value.toFixed(2);
}
