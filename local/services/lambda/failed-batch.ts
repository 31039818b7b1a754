/** What an event source mapping tells its OnFailure destination about discarded records: where they are, not what. */
import type { Clock } from '../../clock.ts';
import type { Discarded } from './shard-reader.ts';

export function failedBatch(
  { shardId, records, condition, invocations, completed }: Discarded,
  made: { clock: Clock; functionArn: string; streamArn: string },
): string {
  const first = records[0]!;
  const last = records.at(-1)!;
  const iso = (ms: number) => new Date(ms).toISOString();
  return JSON.stringify({
    requestContext: {
      ...(completed === undefined ? {} : { requestId: completed.requestId }),
      functionArn: made.functionArn,
      condition,
      approximateInvokeCount: invocations,
    },
    ...(completed === undefined
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: completed.executedVersion,
            ...(completed.functionError === undefined ? {} : { functionError: completed.functionError }),
          },
        }),
    version: '1.0',
    timestamp: iso(made.clock.now()),
    DDBStreamBatchInfo: {
      shardId,
      startSequenceNumber: first.record.dynamodb?.SequenceNumber,
      endSequenceNumber: last.record.dynamodb?.SequenceNumber,
      approximateArrivalOfFirstRecord: iso(first.at),
      approximateArrivalOfLastRecord: iso(last.at),
      batchSize: records.length,
      streamArn: made.streamArn,
    },
  });
}
