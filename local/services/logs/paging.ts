/** Pages of a sorted list by a token that names the last entry of the page before. */
import { AwsError } from '../../call.ts';

export function page<T>(
  entries: readonly T[],
  keyOf: (entry: T) => string,
  options: { limit: number; nextToken: string | undefined },
): { entries: T[]; nextToken?: string } {
  let start = 0;
  if (options.nextToken !== undefined) {
    const last = Buffer.from(options.nextToken, 'base64url').toString();
    start = entries.findIndex((entry) => keyOf(entry) === last) + 1;
    if (start === 0) throw new AwsError('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  const taken = entries.slice(start, start + options.limit);
  const last = taken.at(-1);
  return start + taken.length < entries.length && last !== undefined
    ? { entries: taken, nextToken: Buffer.from(keyOf(last)).toString('base64url') }
    : { entries: taken };
}
