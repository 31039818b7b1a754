import { AwsError } from '../call.ts';

/** IAM's default page ("MaxItems" in its API reference). */
const defaultPage = 100;

/** `Marker` is the number of items already given. */
export function paged<T>(
  all: readonly T[],
  { Marker, MaxItems = defaultPage }: { Marker?: string | undefined; MaxItems?: number | undefined },
): { items: T[]; IsTruncated: boolean; Marker?: string } {
  const start = Marker === undefined ? 0 : Number(Marker);
  if (!Number.isInteger(start)) throw new AwsError('InvalidInputException', 'Invalid Marker');
  const end = start + MaxItems;
  const more = end < all.length;
  return { items: all.slice(start, end), IsTruncated: more, ...(more ? { Marker: String(end) } : {}) };
}
