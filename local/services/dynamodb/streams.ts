/**
 * DynamoDB Streams: the changes of a table's items, in shards by partition key, kept for 24 hours.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
 */
import { createHash, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { StreamViewType } from '@aws-sdk/client-dynamodb';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import { itemSize, type Row } from 'dynalite/db/index.js';
import { arn, region } from '../../account.ts';
import type { Clock } from '../../clock.ts';
import type { ShardRecord, StreamSource } from '../lambda/stream-source.ts';
import type { Change } from './engine.ts';

const retentionMs = 24 * 3_600_000;

interface Shard {
  readonly id: string;
  newest: number;
  records: ShardRecord[];
  readonly listeners: Set<() => void>;
}

interface Stream {
  readonly arn: string;
  readonly viewType: StreamViewType;
  /** Partition key first. */
  readonly keyNames: readonly string[];
  readonly shards: readonly Shard[];
}

/** Who deleted an item, when it was DynamoDB itself after its time to live. */
export const expiry = { type: 'Service', principalId: 'dynamodb.amazonaws.com' } as const;

export class Streams implements StreamSource {
  readonly #clock: Clock;
  readonly #shardCount: number;
  readonly #streams = new Map<string, Stream>();
  readonly #byTable = new Map<string, Stream>();
  #sequence = 0;

  constructor(options: { clock: Clock; shardsPerStream: number }) {
    this.#clock = options.clock;
    this.#shardCount = options.shardsPerStream;
  }

  /** Starts a stream for a table; its label is the time, as AWS's is. */
  open(table: string, viewType: StreamViewType, keyNames: readonly string[]): { arn: string; label: string } {
    const now = new Date(this.#clock.now());
    const label = now.toISOString().slice(0, -1);
    const stream: Stream = {
      arn: arn('dynamodb', `table/${table}/stream/${label}`),
      viewType,
      keyNames,
      shards: Array.from({ length: this.#shardCount }, (_, index) => ({
        id: `shardId-${String(now.getTime()).padStart(20, '0')}-${index.toString(16).padStart(8, '0')}`,
        newest: 0,
        records: [],
        listeners: new Set(),
      })),
    };
    this.#streams.set(stream.arn, stream);
    this.#byTable.set(table, stream);
    return { arn: stream.arn, label };
  }

  /** Nothing more is written; what is there stays readable until it is 24 hours old. */
  end(table: string): void {
    this.#byTable.delete(table);
  }

  record(change: Change, userIdentity?: typeof expiry): void {
    const stream = this.#byTable.get(change.table);
    // A write that changes nothing makes no record.
    if (stream === undefined || isDeepStrictEqual(change.before, change.after)) return;
    const shard = this.#shardOf(stream, (change.after ?? change.before)!);
    const now = this.#clock.now();
    this.#sequence += 1;
    const record = this.#describe(stream, change, now);
    shard.records.push({
      position: this.#sequence,
      at: now,
      record: userIdentity === undefined ? record : { ...record, userIdentity },
    });
    shard.newest = this.#sequence;
    const gone = shard.records.findIndex(({ at }) => at >= now - retentionMs);
    if (gone > 0) shard.records.splice(0, gone);
    for (const listener of shard.listeners) listener();
  }

  shards(streamArn: string): readonly string[] | undefined {
    return this.#streams.get(streamArn)?.shards.map((shard) => shard.id);
  }

  read(streamArn: string, shardId: string, position: number, limit: number): readonly ShardRecord[] {
    const oldest = this.#clock.now() - retentionMs;
    const { records } = this.#shard(streamArn, shardId);
    const start = records.findIndex((record) => record.position > position && record.at >= oldest);
    return start === -1 ? [] : records.slice(start, start + limit);
  }

  newest(streamArn: string, shardId: string): number {
    return this.#shard(streamArn, shardId).newest;
  }

  subscribe(streamArn: string, shardId: string, onRecord: () => void): () => void {
    const { listeners } = this.#shard(streamArn, shardId);
    listeners.add(onRecord);
    return () => listeners.delete(onRecord);
  }

  #shard(streamArn: string, shardId: string): Shard {
    const shard = this.#streams.get(streamArn)?.shards.find(({ id }) => id === shardId);
    if (shard === undefined) throw new Error(`no shard ${shardId} in ${streamArn}`);
    return shard;
  }

  #shardOf(stream: Stream, item: Row): Shard {
    const partition = JSON.stringify(item[stream.keyNames[0]!]);
    const hash = createHash('md5').update(partition).digest().readUInt32BE(0);
    return stream.shards[hash % stream.shards.length]!;
  }

  #describe(stream: Stream, { before, after }: Change, now: number): DynamoDBRecord {
    const item = (after ?? before)!;
    const keys: Row = Object.fromEntries(stream.keyNames.map((name) => [name, item[name]!]));
    const newImage =
      stream.viewType === 'NEW_IMAGE' || stream.viewType === 'NEW_AND_OLD_IMAGES' ? after : undefined;
    const oldImage =
      stream.viewType === 'OLD_IMAGE' || stream.viewType === 'NEW_AND_OLD_IMAGES' ? before : undefined;
    const parts = [keys, newImage, oldImage].filter((part) => part !== undefined);
    return {
      eventID: randomUUID().replaceAll('-', ''),
      eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: region,
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(now / 1000),
        Keys: image(keys),
        ...(newImage === undefined ? {} : { NewImage: image(newImage) }),
        ...(oldImage === undefined ? {} : { OldImage: image(oldImage) }),
        SequenceNumber: String(this.#sequence).padStart(25, '1000000000000000000000000'),
        SizeBytes: parts.reduce((sum, part) => sum + itemSize(part), 0),
        StreamViewType: stream.viewType,
      },
      eventSourceARN: stream.arn,
    };
  }
}

/** dynalite keeps attribute values in the very form that functions get. */
function image(row: Row): Record<string, AttributeValue> {
  return row as Record<string, AttributeValue>;
}
