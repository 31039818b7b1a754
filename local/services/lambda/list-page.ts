/** Pages of Lambda's lists: `MaxItems` and a `Marker` that says how many came before. */
import { AwsError } from '../../call.ts';

export function listPage<T>(
  entries: readonly T[],
  input: { readonly Marker?: string | undefined; readonly MaxItems?: number | undefined },
  mostItems: number,
): { entries: T[]; NextMarker?: string } {
  const start = input.Marker === undefined ? 0 : Number(input.Marker);
  if (!Number.isInteger(start) || start < 0) {
    throw new AwsError('InvalidParameterValueException', 'The provided marker is invalid.');
  }
  const end = start + Math.min(input.MaxItems ?? mostItems, mostItems);
  return { entries: entries.slice(start, end), ...(end < entries.length ? { NextMarker: String(end) } : {}) };
}
