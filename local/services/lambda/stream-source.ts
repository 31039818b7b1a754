/** What an event source mapping reads from: the shards of a DynamoDB stream. */
import type { DynamoDBRecord } from 'aws-lambda';

export interface ShardRecord {
  /** Rises within a shard; `record.dynamodb.SequenceNumber` as a number to compare by. */
  readonly position: number;
  /** When it was written, in milliseconds on the embedded AWS's clock. */
  readonly at: number;
  /** In the shape that functions receive. */
  readonly record: DynamoDBRecord;
}

export interface StreamSource {
  /** The ids of a stream's shards; undefined when there is no such stream. */
  shards(streamArn: string): readonly string[] | undefined;
  /** Up to `limit` records of a shard after `position`, oldest first; older than 24 hours are gone. */
  read(streamArn: string, shardId: string, position: number, limit: number): readonly ShardRecord[];
  /** The position of the newest record, 0 before the first. */
  newest(streamArn: string, shardId: string): number;
  /** Calls back after each new record of a shard until the returned function is called. */
  subscribe(streamArn: string, shardId: string, onRecord: () => void): () => void;
}
