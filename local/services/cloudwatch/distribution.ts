/** The values of a metric over a span of time: exact sum, count, minimum and maximum, and how the values are spread. */

/**
 * Values are told apart by three significant digits, so whole numbers below 1,000 are exact and percentiles are within
 * 0.5 %; CloudWatch, too, keeps no single values.
 */
const SIGNIFICANT_DIGITS = 3;

export interface Spread {
  readonly value: number;
  readonly count: number;
}

export class Distribution {
  count = 0;
  sum = 0;
  minimum = Number.POSITIVE_INFINITY;
  maximum = Number.NEGATIVE_INFINITY;
  readonly #counts = new Map<number, number>();

  add(value: number, count = 1): void {
    this.#summarise(value * count, count, value, value);
    const near = Number(value.toPrecision(SIGNIFICANT_DIGITS));
    this.#counts.set(near, (this.#counts.get(near) ?? 0) + count);
  }

  /** A statistic set, as PutMetricData takes it: there is no spread to keep, percentiles see its average. */
  addSummary(summary: { sum: number; count: number; minimum: number; maximum: number }): void {
    this.#summarise(summary.sum, summary.count, summary.minimum, summary.maximum);
    const average = summary.sum / summary.count;
    this.#counts.set(average, (this.#counts.get(average) ?? 0) + summary.count);
  }

  merge(other: Distribution): void {
    if (other.count === 0) return;
    this.#summarise(other.sum, other.count, other.minimum, other.maximum);
    for (const [value, count] of other.#counts) {
      this.#counts.set(value, (this.#counts.get(value) ?? 0) + count);
    }
  }

  /** The values in rising order, with how often each came. */
  spread(): Spread[] {
    return [...this.#counts].map(([value, count]) => ({ value, count })).sort((a, b) => a.value - b.value);
  }

  #summarise(sum: number, count: number, minimum: number, maximum: number): void {
    this.sum += sum;
    this.count += count;
    this.minimum = Math.min(this.minimum, minimum);
    this.maximum = Math.max(this.maximum, maximum);
  }
}
