/** Pagination as ECS's list operations do it. */
import { AwsError } from '../../call.ts';

export interface Page<T> {
  readonly items: T[];
  readonly nextToken?: string;
}

/** One page of at most `maxResults` (100 unless told, ECS's own maximum). */
export function page<T>(
  all: readonly T[],
  request: { maxResults?: number | undefined; nextToken?: string | undefined },
): Page<T> {
  const size = request.maxResults ?? 100;
  if (size < 1 || size > 100)
    throw new AwsError('InvalidParameterException', 'maxResults must be between 1 and 100.');
  const start =
    request.nextToken === undefined ? 0 : Number(Buffer.from(request.nextToken, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0)
    throw new AwsError('InvalidParameterException', 'Invalid token.');
  const end = start + size;
  const items = all.slice(start, end);
  return end < all.length ? { items, nextToken: Buffer.from(String(end)).toString('base64url') } : { items };
}
