/** Measures as JSON lines for machines, or as a table that people read while the bench goes on. */
import type { Measure, Rate, Report } from './measure.ts';

export function jsonLines(write: (text: string) => void): Report {
  return (measure) => write(`${JSON.stringify(measure)}\n`);
}

export function table(write: (text: string) => void): Report {
  let section: string | undefined;
  return (measure) => {
    const isNew = measure.section !== section;
    section = measure.section;
    if (isNew) write(`\n${section}\n`);
    if (measure.columns === undefined) write(`${row(measure)}\n`);
    else {
      const cells = Object.entries(measure.columns);
      if (isNew)
        write(
          `${line(
            '',
            cells.map(([heading, cell]) => heading.padStart(widthOf(cell))),
          )}\n`,
        );
      write(
        `${line(
          measure.name,
          cells.map(([, cell]) => text(cell).padStart(widthOf(cell))),
        )}\n`,
      );
    }
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

function line(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(17)} ${cells.join(' ')}`.trimEnd();
}

/** Three rates and four numbers fit into a terminal of 100 columns. */
function widthOf(cell: number | Rate): number {
  return typeof cell === 'number' ? 7 : 15;
}

function text(cell: number | Rate): string {
  if (typeof cell === 'number') return Number.isNaN(cell) ? '–' : cell.toLocaleString('en-US');
  const { percent, from, to } = cell;
  return `${short(percent)} ${`${short(from)}–${to >= 99.95 ? 100 : short(to)}`.padStart(9)}`;
}

/** In at most four characters; 100 is all of them. */
function short(percent: number): string {
  if (percent === 0 || percent === 100) return String(percent);
  return percent < 10 ? percent.toFixed(2) : Math.min(percent, 99.9).toFixed(1);
}
