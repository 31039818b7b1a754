/**
 * `npm run faults`: every cell of the fault matrices in a simulated world, as a picture. Ends with 0 when each came to what it
 * must, with 1 otherwise.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { synthesize } from '../../local/synthesize.ts';
import { type Cell, nameOf } from './cell.ts';
import { entries } from './entries.ts';
import { explore } from './explore.ts';
import { cells, without } from './matrices.ts';

const help = `npm run faults [-- options]

Runs each cell of the fault matrices (AWS call × fault, state × death, events and people) as a whole deployment in a
simulated world, and prints what came of it. That takes some minutes. The columns of matrix A:

  T  throttled                       E  lost, or the function dies, after the effect
  5  answered 5xx, or lost before    S  a stale read
  C  the function dies before        D  the functions are called twice at once
  exhausted  fails for an hour, then heals

  --only TEXT   only cells whose name has TEXT in it, such as "ModifyRule" or "B "
  --explore N   instead of the cells, N random stories; prints how often each call met each fault
  --seed N      the first story's seed; default 1
  --service S   of the stories: web on ECS (default), or worker on EC2 Auto Scaling
  --json        one line of JSON for each cell
  --help        this text

Ends with 0 when every cell (or story) came to what it must, with 1 otherwise, with 2 for options that do not fit.
`;

interface Result {
  readonly cell: Cell;
  readonly failure: string | undefined;
}

const places = { web: 'ECS', worker: 'EC2 Auto Scaling' } as const;
const titles = {
  A: 'Matrix A: each call to AWS, each way in which it can fail',
  B: 'Matrix B: the execution is stopped in each of its states',
  C: 'Matrix C: events, people, surroundings',
} as const;

async function main(): Promise<number> {
  const values = chosenOptions();
  if (typeof values === 'string') {
    process.stderr.write(`${values}\n\n${help}`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  if (values.explore !== undefined)
    return exploring(values.service, Number(values.explore), Number(values.seed));
  const chosen = cells.filter((cell) => nameOf(cell).includes(values.only));
  if (chosen.length === 0) {
    process.stderr.write(`no cell has "${values.only}" in its name\n`);
    return 2;
  }
  const assembly = await mkdtemp(join(tmpdir(), 'cutover-assembly-'));
  const results: Result[] = [];
  try {
    await synthesize(assembly);
    for (const cell of chosen) {
      const failure = await cell.run({ assembly, entries }).then(
        () => undefined,
        (thrown: unknown) => String(thrown instanceof Error ? thrown.message : thrown),
      );
      const result = { cell, failure };
      results.push(result);
      if (values.json) process.stdout.write(`${jsonOf(result)}\n`);
      else progress(result, results.length, chosen.length);
    }
  } finally {
    await rm(assembly, { recursive: true, force: true });
  }
  const good = results.filter(({ failure }) => failure === undefined).length;
  if (!values.json) process.stdout.write(`${pictureOf(results)}\n${good} of ${results.length} cells\n`);
  return good === results.length ? 0 : 1;
}

/** Random stories: each that fails is named by its seed. */
async function exploring(service: string, stories: number, first: number): Promise<number> {
  if (service !== 'web' && service !== 'worker') {
    process.stderr.write(`--service takes ${Object.keys(places).join(' or ')}\n`);
    return 2;
  }
  if (!Number.isInteger(stories) || stories < 1 || !Number.isInteger(first)) {
    process.stderr.write('--explore and --seed take whole numbers, such as --explore 100 --seed 1\n');
    return 2;
  }
  const assembly = await mkdtemp(join(tmpdir(), 'cutover-assembly-'));
  const total = new Map<string, number>();
  let good = 0;
  try {
    await synthesize(assembly);
    for (let seed = first; seed < first + stories; seed++) {
      try {
        for (const [what, hits] of await explore({ assembly, entries, service }, seed))
          total.set(what, (total.get(what) ?? 0) + hits);
        good += 1;
      } catch (failure) {
        const [words] = String(failure instanceof Error ? failure.message : failure).split('\n');
        process.stdout.write(`${styleText('red', 'FAIL')} seed ${seed}: ${words}\n`);
      }
      counted(seed - first + 1, stories);
    }
  } finally {
    await rm(assembly, { recursive: true, force: true });
  }
  for (const [what, hits] of [...total].toSorted(([one], [other]) => one.localeCompare(other)))
    process.stdout.write(`  ${String(hits).padStart(6)} ${what}\n`);
  process.stdout.write(`${good} of ${stories} stories, seeds ${first} to ${first + stories - 1}\n`);
  return good === stories ? 0 : 1;
}

/** The options, or what is wrong with them. */
function chosenOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: '' },
        explore: { type: 'string' },
        seed: { type: 'string', default: '1' },
        service: { type: 'string', default: 'web' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (failure) {
    return failure instanceof Error ? failure.message : String(failure);
  }
}

/** On a terminal a count that stays in its line, elsewhere a line for each cell as it ends. */
function progress({ cell, failure }: Result, done: number, of: number): void {
  if (process.stderr.isTTY) counted(done, of);
  else process.stderr.write(`${done}/${of} ${failure === undefined ? 'ok' : 'FAIL'} ${nameOf(cell)}\n`);
}

function counted(done: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of}${done === of ? '\r\u001B[K' : ''}`);
}

function jsonOf({ cell: { matrix, service, row, column, expected }, failure }: Result): string {
  return JSON.stringify({ matrix, service, row, column, expected, ok: failure === undefined, failure });
}

function pictureOf(results: readonly Result[]): string {
  const lines: string[] = [];
  const parts = (['A', 'B', 'C'] as const).flatMap((matrix) =>
    (['web', 'worker'] as const).map((service) => ({ matrix, service })),
  );
  for (const { matrix, service } of parts) {
    const own = results.filter(({ cell }) => cell.matrix === matrix && cell.service === service);
    if (own.length === 0) continue;
    lines.push('', styleText('bold', `${titles[matrix]}, on ${places[service]}`));
    for (const row of new Set(own.map(({ cell }) => cell.row))) {
      lines.push(`  ${row}`);
      for (const { cell, failure } of own.filter((each) => each.cell.row === row)) {
        const mark = failure === undefined ? styleText('green', 'ok  ') : styleText('red', 'FAIL');
        lines.push(`    ${mark} ${cell.column.padEnd(12)} ${cell.expected}`);
        if (failure !== undefined)
          lines.push(
            ...failure
              .split('\n')
              .slice(0, 3)
              .map((line) => `         ${line}`),
          );
      }
    }
    for (const { row, why } of without.filter((each) => each.matrix === matrix && service === 'web'))
      lines.push(`  ${row}`, `    ${styleText('dim', `none: ${why}`)}`);
  }
  return lines.join('\n');
}

process.exitCode = await main();
