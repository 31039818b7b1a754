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
