/**
 * The metrics themselves: values in bins of 60 s (1 s for high-resolution ones), by namespace, name, dimensions and
 * unit. A bin can be asked for only once it is visible.
 */
import type { Dimension, Metric } from '@aws-sdk/client-cloudwatch';
import { Distribution } from './distribution.ts';
import type { Statistic } from './statistic.ts';

export const MINUTE_MS = 60_000;

interface Bin {
  readonly start: number;
  readonly unit: string;
  visibleAt: number;
  readonly values: Distribution;
}

interface Series {
  readonly metric: Metric;
  /** In the order of their starts. */
  readonly bins: Bin[];
}

export interface Sample {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly at: number;
  readonly resolutionMs: number;
  /** When a bin that this sample opens can first be seen. */
  readonly visibleAt: (binEnd: number) => number;
  readonly into: (values: Distribution) => void;
}

export interface Window {
  /** Milliseconds: the first period starts here. */
  readonly start: number;
  /** Excluded. */
  readonly end: number;
  readonly periodMs: number;
}

export interface Selection {
  readonly metric: Metric;
  readonly unit?: string;
}

/** Values by the start of their period, in rising order. Periods without values are absent. */
export type Points = ReadonlyMap<number, number>;

export class MetricStore {
  readonly #series = new Map<string, Series>();
  readonly #now: () => number;
  readonly #retentionMs: number;

  constructor(options: { now: () => number; retentionMs: number }) {
    this.#now = options.now;
    this.#retentionMs = options.retentionMs;
  }

  /** Adds to the sample's bin and returns when that bin is visible. */
  add(sample: Sample): number {
    const bin = this.#bin(sample);
    sample.into(bin.values);
    return bin.visibleAt;
  }

  /** One statistic over each period of the window in which there are visible values. */
  points(selection: Selection, window: Window, statistic: Statistic): Points {
    const points = new Map<number, number>();
    for (const [start, values] of this.distributions(selection, window)) points.set(start, statistic(values));
    return points;
  }

  distributions(selection: Selection, window: Window): Map<number, Distribution> {
    const found = new Map<number, Distribution>();
    const bins = this.#series.get(keyOf(selection.metric))?.bins ?? [];
    const now = this.#now();
    for (const bin of bins) {
      if (bin.start < window.start || bin.start >= window.end || bin.visibleAt > now) continue;
      if (selection.unit !== undefined && selection.unit !== bin.unit) continue;
      const period =
        window.start + Math.floor((bin.start - window.start) / window.periodMs) * window.periodMs;
      const values = found.get(period) ?? new Distribution();
      values.merge(bin.values);
      found.set(period, values);
    }
    return found;
  }

  /** The units in which a metric was reported. */
  units(metric: Metric): Set<string> {
    return new Set(this.#series.get(keyOf(metric))?.bins.map((bin) => bin.unit));
  }

  /** Every metric that has a visible value since `since`, in a stable order. */
  list(since: number): Metric[] {
    const now = this.#now();
    return [...this.#series]
      .filter(([, { bins }]) => bins.some((bin) => bin.visibleAt <= now && bin.start >= since))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { metric }]) => metric);
  }

  #bin(sample: Sample): Bin {
    const start = Math.floor(sample.at / sample.resolutionMs) * sample.resolutionMs;
    const { bins } = this.#seriesOf(sample);
    let after = bins.length;
    while (after > 0 && bins[after - 1]!.start > start) after -= 1;
    const visibleAt = sample.visibleAt(start + sample.resolutionMs);
    for (let at = after - 1; at >= 0 && bins[at]!.start === start; at -= 1) {
      const bin = bins[at]!;
      if (bin.unit !== sample.unit) continue;
      bin.visibleAt = Math.min(bin.visibleAt, visibleAt);
      return bin;
    }
    const bin = { start, unit: sample.unit, visibleAt, values: new Distribution() };
    bins.splice(after, 0, bin);
    while (bins[0]!.start < this.#now() - this.#retentionMs && bins[0] !== bin) bins.shift();
    return bin;
  }

  #seriesOf(sample: Sample): Series {
    const metric: Metric = {
      Namespace: sample.namespace,
      MetricName: sample.metric,
      Dimensions: Object.entries(sample.dimensions).map(([Name, Value]) => ({ Name, Value })),
    };
    const key = keyOf(metric);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { metric, bins: [] };
    this.#series.set(key, series);
    return series;
  }
}

/** Dimensions in any order name the same metric. */
export function keyOf(metric: Metric): string {
  const dimensions = (metric.Dimensions ?? []).map(({ Name, Value }: Dimension) => [Name, Value]);
  dimensions.sort(([a], [b]) => (a! < b! ? -1 : 1));
  return JSON.stringify([metric.Namespace, metric.MetricName, dimensions]);
}
