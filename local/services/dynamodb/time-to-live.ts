/**
 * Time to live: deletes items after their expiry, as DynamoDB itself (the stream record says so). AWS takes up to a few
 * days and shows expired items until then; here it takes `delayMs`.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
import type {
  DescribeTimeToLiveCommandInput,
  DescribeTimeToLiveCommandOutput,
  UpdateTimeToLiveCommandInput,
  UpdateTimeToLiveCommandOutput,
} from '@aws-sdk/client-dynamodb';
import type { Row } from 'dynalite/db/index.js';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { Change, Engine } from './engine.ts';
import { keyNames, type Table } from './table.ts';
import type { Tables } from './tables.ts';

export class TimeToLive {
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #tables: Tables;
  readonly #delayMs: number;
  /** Per table the one timer for its earliest expiry that is known. */
  readonly #timers = new Map<string, { due: number; timer: Timer }>();
  readonly #expiring = new Set<string>();

  constructor(options: { clock: Clock; engine: Engine; tables: Tables; delayMs: number }) {
    this.#clock = options.clock;
    this.#engine = options.engine;
    this.#tables = options.tables;
    this.#delayMs = options.delayMs;
  }

  /** Notes when a written item expires. */
  noticed({ table: name, after }: Change): void {
    const table = this.#tables.find(name);
    const expires = after === undefined || table === undefined ? undefined : expiryOf(table, after);
    if (expires !== undefined) this.#arm(name, expires);
  }

  /** Whether a change is this class's own deletion. */
  isExpiry({ table, before, after }: Change): boolean {
    return after === undefined && before !== undefined && this.#expiring.has(this.#identity(table, before));
  }

  close(): void {
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  readonly operations: Operations = {
    UpdateTimeToLive: async (
      input: UpdateTimeToLiveCommandInput,
    ): Promise<Output<UpdateTimeToLiveCommandOutput>> => {
      const table = this.#tables.named(input.TableName!);
      const { AttributeName: attribute, Enabled: enabled } = input.TimeToLiveSpecification!;
      if ((table.timeToLive?.enabled ?? false) === enabled) {
        throw new AwsError(
          'ValidationException',
          `TimeToLive is already ${enabled === true ? 'enabled' : 'disabled'}`,
        );
      }
      table.timeToLive = { attribute: attribute!, enabled: enabled === true };
      if (enabled === true) await this.#sweep(table);
      return { TimeToLiveSpecification: input.TimeToLiveSpecification };
    },

    DescribeTimeToLive: (input: DescribeTimeToLiveCommandInput): Output<DescribeTimeToLiveCommandOutput> => {
      const { timeToLive } = this.#tables.named(input.TableName!);
      return {
        TimeToLiveDescription:
          timeToLive?.enabled === true
            ? { TimeToLiveStatus: 'ENABLED', AttributeName: timeToLive.attribute }
            : { TimeToLiveStatus: 'DISABLED' },
      };
    },
  };

  #arm(name: string, expires: number): void {
    const due = expires + this.#delayMs;
    const armed = this.#timers.get(name);
    if (armed !== undefined && armed.due <= due) return;
    armed?.timer.cancel();
    const timer = this.#clock.after(due - this.#clock.now(), async () => {
      this.#timers.delete(name);
      const table = this.#tables.find(name);
      if (table !== undefined) await this.#clock.busy(() => this.#sweep(table));
    });
    this.#timers.set(name, { due, timer });
  }

  /** Deletes what has expired and arms the timer for what expires next. */
  async #sweep(table: Table): Promise<void> {
    let start: unknown;
    do {
      const { output, failure } = await this.#engine.run('Scan', {
        TableName: table.name,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      if (failure !== undefined) throw failure.error;
      for (const item of output['Items'] as Row[]) {
        const expires = expiryOf(table, item);
        if (expires === undefined) continue;
        if (expires + this.#delayMs > this.#clock.now()) this.#arm(table.name, expires);
        else await this.#expire(table, item);
      }
      start = output['LastEvaluatedKey'];
    } while (start !== undefined);
  }

  async #expire(table: Table, item: Row): Promise<void> {
    const attribute = table.timeToLive!.attribute;
    const identity = this.#identity(table.name, item);
    this.#expiring.add(identity);
    try {
      const { failure } = await this.#engine.run('DeleteItem', {
        TableName: table.name,
        Key: keyOf(table, item),
        // Not when the item has been given a new time meanwhile.
        ConditionExpression: '#expires = :expires',
        ExpressionAttributeNames: { '#expires': attribute },
        ExpressionAttributeValues: { ':expires': item[attribute] },
      });
      if (failure !== undefined && failure.error.code !== 'ConditionalCheckFailedException')
        throw failure.error;
    } finally {
      this.#expiring.delete(identity);
    }
  }

  #identity(name: string, item: Row): string {
    const table = this.#tables.find(name);
    return table === undefined ? name : `${name} ${JSON.stringify(keyOf(table, item))}`;
  }
}

function keyOf(table: Table, item: Row): Row {
  return Object.fromEntries(keyNames(table.description).map((name) => [name, item[name]!]));
}

/** The attribute holds seconds since the epoch as a number; other types are ignored. */
function expiryOf({ timeToLive }: Table, item: Row): number | undefined {
  const seconds = timeToLive?.enabled === true ? item[timeToLive.attribute]?.['N'] : undefined;
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
