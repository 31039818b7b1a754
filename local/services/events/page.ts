/** One page of a sorted list. The token names the last entry of the page before, so that changes between pages do no harm. */
import { AwsError } from '../../call.ts';

export interface Page<T> {
  readonly entries: T[];
  /** Absent on the last page. */
  readonly token?: string;
}

export interface PageRequest<T> {
  readonly token: string | undefined;
  readonly limit: number;
  /** Unique, and the order of the list. */
  readonly key: (entry: T) => string;
  readonly refusal?: () => AwsError;
}

export function page<T>(sorted: readonly T[], request: PageRequest<T>): Page<T> {
  const { token, limit, key } = request;
  const last = token === undefined ? '' : Buffer.from(token, 'base64url').toString();
  if (token !== undefined && Buffer.from(last).toString('base64url') !== token) {
    throw request.refusal?.() ?? new AwsError('ValidationException', 'Invalid token.');
  }
  const rest = token === undefined ? sorted : sorted.filter((entry) => key(entry) > last);
  const entries = rest.slice(0, limit);
  if (entries.length === rest.length) return { entries };
  return { entries, token: Buffer.from(key(entries.at(-1)!)).toString('base64url') };
}

/** In the order that `page` needs. */
export function sortedBy<T>(entries: Iterable<T>, key: (entry: T) => string): T[] {
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
