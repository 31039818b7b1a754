/** Pages of the Describe operations: "This value can be between 1 and 50. The default value is 50." */
import { AwsError } from '../../call.ts';
import { page, sortedBy } from '../events/page.ts';
import { invalid } from './identity.ts';

interface Asked {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** In the order of their keys; AWS promises none. */
export function pageOf<T>(entries: Iterable<T>, key: (entry: T) => string, most: number, asked: Asked) {
  const limit = asked.MaxResults ?? most;
  if (limit < 1 || limit > most) throw invalid(`MaxResults must be between 1 and ${most}`);
  return page(sortedBy(entries, key), {
    token: asked.NextToken,
    limit,
    key,
    refusal: () => new AwsError('InvalidNextTokenException', 'Invalid next token.'),
  });
}
