/**
 * How often the comparison is wrong: false alarms where there is no difference, and which share of generations that are worse it
 * finds, over simulated canaries, beside Kayenta's judge on the same minutes. The same seed gives the same numbers.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Difference, Setting } from './canaries.ts';
import type { Row } from './comparison-worker.ts';
import { median, type Report, rate } from './measure.ts';
import type { Trials } from './trials.ts';

const seed = 20_260_101;

const usual: Setting = {
  requestsPerMinute: 1_000,
  weightPercent: 10,
  failedPercent: 1,
  minutes: 60,
  dependence: 'none',
};

const settings: readonly Setting[] = [
  usual,
  { ...usual, failedPercent: 0.1 },
  { ...usual, requestsPerMinute: 100 },
  { ...usual, requestsPerMinute: 10_000, minutes: 15 },
  { ...usual, weightPercent: 50 },
  { ...usual, dependence: 'rates wander together' },
  { ...usual, dependence: 'rates wander apart' },
  { ...usual, dependence: 'five at a time' },
];

const none: Difference = { name: 'no difference', failedPoints: 0, slowPoints: 0 };

/**
 * Points of a hundred requests. Where times are lognormal with a standard deviation of their logarithm of 0.5, a limit that 10 %
 * exceed is exceeded by 1 - Φ(1.2816 - ln 1.2 / 0.5) = 17.96 % once all take 20 % longer.
 */
const differences: readonly Difference[] = [
  none,
  { ...none, name: '1 % more fail', failedPoints: 1, isEffect: true },
  { ...none, name: '5 % more fail', failedPoints: 5 },
  { ...none, name: '20 % more fail', failedPoints: 20 },
  { ...none, name: '5 % more slow', slowPoints: 5, isEffect: true },
  { ...none, name: 'all 20 % slower', slowPoints: 7.96 },
];

export async function measureComparison(report: Report, canaries: number): Promise<void> {
  const workers = Array.from(
    { length: Math.min(differences.length, availableParallelism()) },
    () => new Worker(new URL('comparison-worker.ts', import.meta.url)),
  );
  try {
    for (const [index, setting] of settings.entries()) {
      const rows = differences.map((difference, number) => ({
        setting,
        difference,
        count: canaries,
        seed: seedOf(index * differences.length + number),
      }));
      const judged = await judgeRows(workers, rows);
      differences.forEach((difference, number) => tell(report, setting, difference, judged[number]!));
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Far from each other, so that no row goes on where another one began. */
function seedOf(row: number): number {
  return Math.imul(seed + row, 0x9e3779b1);
}

/** Each worker takes the next row when it is done with one. */
async function judgeRows(workers: readonly Worker[], rows: readonly Row[]): Promise<readonly Trials[]> {
  const judged: Trials[] = [];
  const waiting = [...rows.entries()];
  await Promise.all(
    workers.map(async (worker) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, row] = next;
        worker.postMessage(row);
        const [trials] = (await once(worker, 'message')) as [Trials];
        judged[index] = trials;
      }
    }),
  );
  return judged;
}

function tell(report: Report, setting: Setting, difference: Difference, trials: Trials): void {
  const { count, worse, unclear, worseByNeeded, requests, kayenta } = trials;
  const cutover = rate(worse, count);
  const isEffect = difference.isEffect === true;
  const needed = Math.round(median(trials.needed));
  const most = (setting.requestsPerMinute * setting.minutes * setting.weightPercent) / 100;
  report({
    section: `Comparison: ${wordsOf(setting)}; ${number(count)} canaries a row`,
    name: difference.name,
    value: cutover.percent,
    unit: '%',
    columns: {
      Cutover: cutover,
      Kayenta: rate(kayenta.atEnd, count),
      'each minute': rate(kayenta.eachMinute, count),
      unclear: round((100 * unclear) / count),
      median: halfOf(requests, count),
      needed: isEffect ? needed : Number.NaN,
      'by then': isEffect && needed <= most ? round((100 * worseByNeeded) / count) : Number.NaN,
    },
  });
}

function wordsOf({ requestsPerMinute, weightPercent, failedPercent, minutes, dependence }: Setting): string {
  const words = [
    `${weightPercent} % of ${number(requestsPerMinute)}/min`,
    `${failedPercent} % fail`,
    `${minutes} min`,
    ...(dependence === 'none' ? [] : [dependence]),
  ];
  return words.join(', ');
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}

/** Until half of all were taken back, the ones included that never were. */
function halfOf(requests: readonly number[], count: number): number {
  return requests.toSorted((one, other) => one - other)[Math.floor(count / 2)] ?? Number.NaN;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
