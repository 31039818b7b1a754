/** What a benchmark says: a number, what it is held against in the same run, and what the design aims at. */

export interface Measure {
  readonly section: string;
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** A floor or a peer of the same run; `ratio` is the value over it. */
  readonly against?: { readonly what: string; readonly value: number; readonly ratio: number };
  readonly target?: { readonly text: string; readonly met: boolean };
  readonly note?: string;
  /** Parts of the value, such as by function. */
  readonly by?: Readonly<Record<string, number>>;
  /** A row of a table instead, by its headings; the value is the first of them. */
  readonly columns?: Readonly<Record<string, number | Rate>>;
}

/** How many of a hundred, and between which two that lies with a confidence of 95 %. */
export interface Rate {
  readonly percent: number;
  readonly from: number;
  readonly to: number;
}

export type Report = (measure: Measure) => void;

export function against(
  value: number,
  what: string,
  floor: number,
): { readonly what: string; readonly value: number; readonly ratio: number } {
  return { what, value: floor, ratio: floor === 0 ? Number.NaN : value / floor };
}

export function atMost(
  value: number,
  limit: number,
  unit = '',
): { readonly text: string; readonly met: boolean } {
  return { text: `≤ ${limit}${unit}`, met: value <= limit };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  if (sorted.length === 0) throw new Error('nothing was measured');
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** The normal distribution's for 95 % between both ends. */
const confidence = 1.96;

/** The interval is Wilson's score interval: https://doi.org/10.1080/01621459.1927.10502953 */
export function rate(count: number, of: number): Rate {
  const share = count / of;
  const scale = 1 + confidence ** 2 / of;
  const middle = (share + confidence ** 2 / (2 * of)) / scale;
  const half = (confidence * Math.sqrt((share * (1 - share)) / of + (confidence / (2 * of)) ** 2)) / scale;
  return {
    percent: 100 * share,
    from: 100 * Math.max(0, middle - half),
    to: 100 * Math.min(1, middle + half),
  };
}
