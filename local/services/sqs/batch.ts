/** Batches: up to ten entries with ids of their own, each of which can fail alone. */
import type { BatchResultErrorEntry } from '@aws-sdk/client-sqs';
import { AwsError } from '../../call.ts';

const MAX_ENTRIES = 10;

export interface BatchErrors {
  readonly empty: string;
  readonly tooMany: string;
  readonly notDistinct: string;
}

/** SQS's names for what is wrong with a whole batch; SNS ends them in "Exception". */
export const sqsBatchErrors: BatchErrors = {
  empty: 'EmptyBatchRequest',
  tooMany: 'TooManyEntriesInBatchRequest',
  notDistinct: 'BatchEntryIdsNotDistinct',
};

export function batch<E extends { Id?: string | undefined }, R>(
  entries: readonly E[],
  errors: BatchErrors,
  run: (entry: E) => R,
): { Successful: R[]; Failed: (BatchResultErrorEntry & { SenderFault: boolean })[] } {
  const ids = entries.map(({ Id }) => Id);
  if (entries.length === 0)
    throw new AwsError(errors.empty, 'There should be at least one entry in the request.');
  if (entries.length > MAX_ENTRIES) {
    const message = `Maximum number of entries per request are ${MAX_ENTRIES}. You have sent ${entries.length}.`;
    throw new AwsError(errors.tooMany, message);
  }
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new AwsError(errors.notDistinct, `Id ${repeated} repeated.`);
  const Successful: R[] = [];
  const Failed: (BatchResultErrorEntry & { SenderFault: boolean })[] = [];
  for (const entry of entries) {
    try {
      Successful.push(run(entry));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({
        Id: entry.Id,
        Code: error.code,
        Message: error.message,
        SenderFault: error.status < 500,
      });
    }
  }
  return { Successful, Failed };
}
