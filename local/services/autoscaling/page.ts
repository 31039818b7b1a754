/** Pages of the Describe operations. */
import { AwsError } from '../../call.ts';
import { type Page, page, sortedBy } from '../events/page.ts';
import { invalid } from './group.ts';

interface Asked {
  readonly MaxRecords?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** In the order of their keys; `fallback` entries when none are asked for. */
export function pageOf<T>(
  entries: Iterable<T>,
  key: (entry: T) => string,
  most: number,
  { fallback, asked }: { fallback: number; asked: Asked },
): Page<T> {
  const limit = asked.MaxRecords ?? fallback;
  if (limit < 1 || limit > most) throw invalid(`MaxRecords must be between 1 and ${most}`);
  return page(sortedBy(entries, key), {
    token: asked.NextToken,
    limit,
    key,
    refusal: () => new AwsError('InvalidNextToken', 'Invalid next token.'),
  });
}
