/** What was read, or why it could not be: for what may be unknown without harm. */
import { CutoverError, type ErrorName } from './errors.ts';

/** `unread`: why, in words that follow a colon. */
export type Reading<T> = { readonly value: T } | { readonly unread: string };

const awsSaidNo: ReadonlySet<string> = new Set<ErrorName>(['Cutover.AwsRefused', 'Cutover.AwsUnavailable']);

/** That AWS refuses or does not answer becomes words; any other failure is thrown. */
export async function reading<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await read() };
  } catch (failure) {
    if (!(failure instanceof CutoverError) || !awsSaidNo.has(failure.name)) throw failure;
    return { unread: failure.message };
  }
}

export function valueOr<T>(of: Reading<T>, other: T): T {
  return 'value' in of ? of.value : other;
}
