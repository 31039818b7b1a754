/**
 * DynamoDB on dynalite, with what dynalite lacks: streams, `ReturnValuesOnConditionCheckFailure`, time to live, settings
 * that are kept to be described. Transactions and PartiQL are refused.
 */
import type { AttributeValue, ReturnValuesOnConditionCheckFailure } from '@aws-sdk/client-dynamodb';
import type { Row } from 'dynalite/db/index.js';
import { AwsError, type Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { StreamSource } from '../lambda/stream-source.ts';
import { fromRow, toJson } from './attribute-values.ts';
import { type Action, Engine } from './engine.ts';
import { expiry, Streams } from './streams.ts';
import { Tables } from './tables.ts';
import { TimeToLive } from './time-to-live.ts';

const refused = [
  'TransactWriteItems',
  'TransactGetItems',
  'ExecuteStatement',
  'BatchExecuteStatement',
  'ExecuteTransaction',
];

export interface DynamoDbOptions {
  readonly clock: Clock;
  /** How many shards a stream has; a new on-demand table of AWS has four partitions and as many shards. */
  readonly shardsPerStream?: number;
  /** How long after its expiry an item is deleted: on AWS up to a few days. */
  readonly timeToLiveDelayMs?: number;
}

export class DynamoDb {
  readonly operations: Operations;
  readonly streams: StreamSource;
  readonly #engine: Engine;
  readonly #timeToLive: TimeToLive;

  constructor(options: DynamoDbOptions) {
    const { clock } = options;
    const streams = new Streams({ clock, shardsPerStream: options.shardsPerStream ?? 4 });
    this.#engine = new Engine({
      onChange: (change) => {
        streams.record(change, this.#timeToLive.isExpiry(change) ? expiry : undefined);
        this.#timeToLive.noticed(change);
      },
    });
    const tables = new Tables({ clock, engine: this.#engine, streams });
    this.#timeToLive = new TimeToLive({
      clock,
      engine: this.#engine,
      tables,
      delayMs: options.timeToLiveDelayMs ?? 60_000,
    });
    this.streams = streams;
    this.operations = {
      ...tables.operations,
      ...this.#timeToLive.operations,
      ...Object.fromEntries(
        (
          [
            'BatchGetItem',
            'BatchWriteItem',
            'DeleteItem',
            'GetItem',
            'PutItem',
            'Query',
            'Scan',
            'UpdateItem',
          ] as const
        ).map((action) => [action, (input: ItemInput) => this.#run(action, input)]),
      ),
      ...Object.fromEntries(refused.map((name) => [name, () => refuse(name)])),
    };
  }

  async close(): Promise<void> {
    this.#timeToLive.close();
    await this.#engine.close();
  }

  async #run(action: Action, input: ItemInput): Promise<object> {
    // The table may be given by its ARN; dynalite knows names.
    const named =
      input.TableName === undefined ? input : { ...input, TableName: input.TableName.split('/').at(-1) };
    const { output, failure } = await this.#engine.run(action, toJson(named));
    if (failure !== undefined) throw withItem(failure, input.ReturnValuesOnConditionCheckFailure);
    return Object.fromEntries(Object.entries(output).map(([name, value]) => [name, member(name, value)]));
  }
}

/** What all inputs of item operations may have in common; the rest passes through to dynalite. */
interface ItemInput {
  readonly TableName?: string;
  readonly ReturnValuesOnConditionCheckFailure?: ReturnValuesOnConditionCheckFailure;
}

/** A member of dynalite's output in the SDK's shape: items get their bytes back. */
function member(name: string, value: unknown): unknown {
  switch (name) {
    case 'Item':
    case 'Attributes':
    case 'LastEvaluatedKey':
      return fromRow(value as Row);
    case 'Items':
      return (value as Row[]).map(fromRow);
    case 'Responses':
      return Object.fromEntries(
        Object.entries(value as Record<string, Row[]>).map(([table, items]) => [table, items.map(fromRow)]),
      );
    case 'UnprocessedKeys':
      return Object.fromEntries(
        Object.entries(value as Record<string, { Keys: Row[] }>).map(([table, request]) => [
          table,
          { ...request, Keys: request.Keys.map(fromRow) },
        ]),
      );
    default:
      return value;
  }
}

function withItem(
  failure: { error: AwsError; item: Row | undefined },
  wanted: ReturnValuesOnConditionCheckFailure | undefined,
): AwsError {
  const { error, item } = failure;
  if (error.code !== 'ConditionalCheckFailedException' || wanted !== 'ALL_OLD' || item === undefined)
    return error;
  const members: { Item: Record<string, AttributeValue> } = { Item: fromRow(item) };
  return new AwsError(error.code, error.message, { status: error.status, members });
}

function refuse(operation: string): never {
  throw new AwsError(
    'ValidationException',
    `The embedded DynamoDB has no ${operation}: use single-item operations.`,
  );
}
