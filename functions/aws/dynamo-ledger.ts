/** The ledger's service items in DynamoDB. */
import { type DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { CutoverError } from '../core/errors.ts';
import { ledgerTable } from '../core/ledger/ledger-table.ts';
import { isOpen } from '../core/ledger/ownership.ts';
import { newServiceItem, type ServiceItem, serviceItem } from '../core/ledger/service-item.ts';
import { type ServiceName, serviceName } from '../core/names.ts';
import { parseOrThrow } from '../core/parse.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { CallTally } from './call-tally.ts';
import { calling, codeOf } from './failures.ts';
import { type Pause, pause } from './pause.ts';

/**
 * Hundreds of tasks that start at once are as many signals for one item. With the pauses between them these attempts last
 * about ten seconds: longer than hundreds of writers need, and well within a function's time.
 */
const attempts = 50;

export class DynamoLedger implements Ledger {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #tally: Pick<CallTally, 'written'> | undefined;
  readonly #pause: Pause;

  /** `tally`: says of each write what made it; without one nothing is said. */
  constructor(
    client: DynamoDBClient,
    table: string,
    tally?: Pick<CallTally, 'written'>,
    pauseBefore: Pause = pause(),
  ) {
    this.#client = client;
    this.#table = table;
    this.#tally = tally;
    this.#pause = pauseBefore;
  }

  async read(service: ServiceName): Promise<ServiceItem> {
    const { Item } = await calling(`reading the service item of ${service}`, () =>
      this.#client.send(
        new GetItemCommand({ TableName: this.#table, Key: marshall(keyOf(service)), ConsistentRead: true }),
      ),
    );
    return Item === undefined ? newServiceItem(service) : parseServiceItem(unmarshall(Item));
  }

  async change<T extends { readonly item: ServiceItem }>(
    service: ServiceName,
    decide: (item: ServiceItem) => T,
  ): Promise<T> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0) await this.#pause(attempt);
      const before = await this.read(service);
      const decided = decide(before);
      if (decided.item === before) return decided;
      const next = {
        ...decided.item,
        version: before.version + 1,
        written: this.#tally?.written() ?? null,
      };
      if (await this.#replace(before, next)) return { ...decided, item: next };
    }
    throw new CutoverError(
      'Cutover.AwsUnavailable',
      `the service item of ${service} changed ${attempts} times while it was being changed; the step is tried again`,
    );
  }

  async open(): Promise<readonly ServiceName[]> {
    const { Items } = await calling('looking for services with something open', () =>
      this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          IndexName: ledgerTable.openIndex,
          KeyConditionExpression: '#open = :yes',
          ExpressionAttributeNames: { '#open': ledgerTable.openKey },
          ExpressionAttributeValues: marshall({ ':yes': ledgerTable.openValue }),
        }),
      ),
    );
    return (Items ?? []).map((item) => serviceName.parse(unmarshall(item)['service']));
  }

  /** False when somebody else wrote since `before` was read. */
  async #replace(before: ServiceItem, next: ServiceItem): Promise<boolean> {
    const open = isOpen(next) ? { [ledgerTable.openKey]: ledgerTable.openValue } : {};
    return calling(`writing the service item of ${next.service}`, async () => {
      try {
        await this.#client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: marshall({ ...next, ...keyOf(next.service), ...open }, { removeUndefinedValues: true }),
            ConditionExpression:
              before.version === 0 ? 'attribute_not_exists(#version)' : '#version = :version',
            ExpressionAttributeNames: { '#version': 'version' },
            ...(before.version === 0
              ? {}
              : { ExpressionAttributeValues: marshall({ ':version': before.version }) }),
          }),
        );
        return true;
      } catch (thrown) {
        if (codeOf(thrown) === 'ConditionalCheckFailedException') return false;
        throw thrown;
      }
    });
  }
}

function keyOf(service: string): Record<string, string> {
  return { [ledgerTable.partitionKey]: service, [ledgerTable.sortKey]: ledgerTable.serviceItem };
}

/** The item as it is stored carries its sort key and the index's attribute beside its own members. */
export function parseServiceItem(stored: Record<string, unknown>): ServiceItem {
  const { [ledgerTable.sortKey]: _item, [ledgerTable.openKey]: _open, ...own } = stored;
  return parseOrThrow(serviceItem, own, `the service item of ${String(own['service'])}`);
}
