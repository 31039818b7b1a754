/** Pages of CloudFormation's lists: tokens are offsets. */
import { invalid } from './template.ts';

export function page<T>(
  all: readonly T[],
  token: string | undefined,
  size = 100,
): { items: T[]; next: { NextToken?: string } } {
  const start = token === undefined ? 0 : Number(token);
  if (!Number.isInteger(start) || start < 0) throw invalid(`Invalid next token: ${token}`);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? { NextToken: String(end) } : {} };
}
