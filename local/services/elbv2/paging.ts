/** Pages by `PageSize` and `Marker`. A marker is the position that the next page begins at. */
import { inRange, invalid } from './validation.ts';

/** The service model's bound on PageSize. */
const largestPage = 400;

export interface Page<T> {
  readonly items: T[];
  /** `{ NextMarker }` when there is more. */
  readonly next: { NextMarker?: string };
}

export function page<T>(
  items: readonly T[],
  input: { Marker?: string | undefined; PageSize?: number | undefined },
): Page<T> {
  inRange('pageSize', input.PageSize, 1, largestPage);
  const start = input.Marker === undefined ? 0 : Number(Buffer.from(input.Marker, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw invalid(`Invalid marker '${input.Marker}'`);
  const end = start + (input.PageSize ?? largestPage);
  return {
    items: items.slice(start, end),
    next: end < items.length ? { NextMarker: Buffer.from(String(end)).toString('base64url') } : {},
  };
}
