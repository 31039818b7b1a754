/**
 * CloudWatch's statistics by their names: the five plain ones, percentiles (`p99`), and the trimmed ones (`TM`, `TC`,
 * `TS`, `WM`, `PR`, `IQM`) with bounds as values (`TC(:0.5)`) or percentiles (`TM(10%:90%)`, `tm99`). A lower bound
 * excludes, an upper bound includes ("CloudWatch statistics definitions", user guide).
 */
import { AwsError } from '../../call.ts';
import type { Distribution, Spread } from './distribution.ts';

export type Statistic = (values: Distribution) => number;

interface Bound {
  readonly at: number;
  readonly percent: boolean;
}

interface Bounds {
  readonly lower?: Bound;
  readonly upper?: Bound;
}

const plain: Readonly<Record<string, Statistic>> = {
  SampleCount: (values) => values.count,
  Sum: (values) => values.sum,
  Average: (values) => values.sum / values.count,
  Minimum: (values) => values.minimum,
  Maximum: (values) => values.maximum,
};

/** The statistic of this name, or a ValidationError that names it. */
export function statisticNamed(name: string): Statistic {
  const simple = plain[name];
  if (simple !== undefined) return simple;
  const percentile = /^p(\d{1,2}(?:\.\d{1,10})?|100)$/.exec(name);
  if (percentile !== null) return (values) => percentileOf(values.spread(), Number(percentile[1]));
  if (name === 'IQM') return trimmed('TM', { lower: percent(25), upper: percent(75) });
  const short = /^(tm|tc|ts|wm)(\d{1,2}(?:\.\d{1,10})?|100)$/.exec(name);
  if (short !== null) return trimmed(short[1]!.toUpperCase(), { upper: percent(Number(short[2])) });
  const long = /^(TM|TC|TS|WM|PR)\(([^:()]*):([^:()]*)\)$/.exec(name);
  if (long !== null) {
    const lower = bound(long[2]!);
    const upper = bound(long[3]!);
    const valid = lower !== 'invalid' && upper !== 'invalid' && (lower !== undefined || upper !== undefined);
    if (valid) return trimmed(long[1]!, { ...(lower && { lower }), ...(upper && { upper }) });
  }
  throw new AwsError('ValidationError', `The value ${name} for parameter Stat is not supported.`);
}

function percent(at: number): Bound {
  return { at, percent: true };
}

function bound(text: string): Bound | undefined | 'invalid' {
  if (text === '') return undefined;
  const parts = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim());
  return parts === null ? 'invalid' : { at: Number(parts[1]), percent: parts[2] === '%' };
}

function trimmed(kind: string, bounds: Bounds): Statistic {
  return (values) => {
    const spread = values.spread();
    if (kind === 'WM') return winsorizedMean(spread, bounds, values.count);
    const kept = between(spread, bounds, values.count);
    const count = kept.reduce((total, entry) => total + entry.count, 0);
    if (kind === 'TC') return count;
    if (kind === 'PR') return (100 * count) / values.count;
    const sum = kept.reduce((total, entry) => total + entry.value * entry.count, 0);
    return kind === 'TS' ? sum : sum / count;
  };
}

/** The part of the spread that lies within the bounds. */
function between(spread: readonly Spread[], bounds: Bounds, total: number): Spread[] {
  const rank = (edge: Bound | undefined, otherwise: number) =>
    edge?.percent ? (edge.at / 100) * total : otherwise;
  const [first, last] = [rank(bounds.lower, 0), rank(bounds.upper, total)];
  const kept: Spread[] = [];
  let below = 0;
  for (const { value, count } of spread) {
    const within = Math.min(below + count, last) - Math.max(below, first);
    below += count;
    if (bounds.lower && !bounds.lower.percent && value <= bounds.lower.at) continue;
    if (bounds.upper && !bounds.upper.percent && value > bounds.upper.at) continue;
    if (within > 0) kept.push({ value, count: within });
  }
  return kept;
}

function winsorizedMean(spread: readonly Spread[], bounds: Bounds, total: number): number {
  const edge = (limit: Bound | undefined, otherwise: number) => {
    if (limit === undefined) return otherwise;
    return limit.percent ? percentileOf(spread, limit.at) : limit.at;
  };
  const low = edge(bounds.lower, Number.NEGATIVE_INFINITY);
  const high = edge(bounds.upper, Number.POSITIVE_INFINITY);
  const sum = spread.reduce((all, { value, count }) => all + Math.min(high, Math.max(low, value)) * count, 0);
  return sum / total;
}

/** The smallest value that at least `percentile` percent of the values do not exceed. */
function percentileOf(spread: readonly Spread[], percentile: number): number {
  const total = spread.reduce((all, { count }) => all + count, 0);
  const wanted = (percentile / 100) * total;
  let seen = 0;
  for (const { value, count } of spread) {
    seen += count;
    if (seen >= wanted) return value;
  }
  return Number.NaN;
}
