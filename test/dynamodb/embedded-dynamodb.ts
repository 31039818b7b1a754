/** A DynamoDB on a clock for tests, called as the dispatcher calls it. */
import type { DynamoDBRecord } from 'aws-lambda';
import type { Call } from '../../local/call.ts';
import { DynamoDb, type DynamoDbOptions } from '../../local/services/dynamodb/dynamodb.ts';
import { ManualClock } from '../manual-clock.ts';

export class EmbeddedDynamoDb {
  readonly clock = new ManualClock();
  readonly service: DynamoDb;

  constructor(options: Partial<DynamoDbOptions> = {}) {
    this.service = new DynamoDb({ clock: this.clock, ...options });
  }

  async call<T = Record<string, unknown>>(operation: string, input: object): Promise<T> {
    const call: Call = {
      principal: { kind: 'root' },
      requestId: 'request',
      endpoint: 'http://127.0.0.1:4566',
    };
    const run = this.service.operations[operation] as unknown as (input: object, call: Call) => Promise<T>;
    return run(input, call);
  }

  /** A table `ledger` with keys `pk` and `sk`, an index by `kind` and a stream; returns the stream's ARN. */
  async createTable(options: object = {}): Promise<string> {
    const { TableDescription } = await this.call<{ TableDescription: { LatestStreamArn: string } }>(
      'CreateTable',
      {
        TableName: 'ledger',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk', 'kind'].map((AttributeName) => ({
          AttributeName,
          AttributeType: 'S',
        })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'byKind',
            KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
            Projection: { ProjectionType: 'ALL' },
          },
        ],
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
        ...options,
      },
    );
    return TableDescription.LatestStreamArn;
  }

  async put(pk: string, attributes: Record<string, object> = {}, options: object = {}): Promise<void> {
    await this.call('PutItem', {
      TableName: 'ledger',
      Item: { pk: { S: pk }, sk: { S: 'service' }, ...attributes },
      ...options,
    });
  }

  /** All records of a stream, shard after shard. */
  records(streamArn: string): DynamoDBRecord[] {
    return this.service.streams
      .shards(streamArn)!
      .flatMap((shard) => this.service.streams.read(streamArn, shard, 0, 1000))
      .map(({ record }) => record);
  }
}
