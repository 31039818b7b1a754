/** The ledger's history items: one for each chapter, in the table beside the service item. */
import {
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { ledgerTable } from '../core/ledger/ledger-table.ts';
import { type Chapter, chapterSchema, recordPrefix } from '../core/messages/chapter.ts';
import { parseOrThrow } from '../core/parse.ts';
import type { History } from '../ports/ledger.ts';
import { calling, codeOf } from './failures.ts';

export class DynamoHistory implements History {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async tell(chapter: Chapter, text: string): Promise<void> {
    await calling(`writing ${chapter.id} to the ledger`, async () => {
      try {
        await this.#client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: marshall(
              { ...chapter, item: chapter.id, text, time: new Date(chapter.at).toISOString() },
              { removeUndefinedValues: true },
            ),
            ConditionExpression: 'attribute_not_exists(#item)',
            ExpressionAttributeNames: { '#item': 'item' },
          }),
        );
      } catch (thrown) {
        // Told before: the stream delivers at least once.
        if (codeOf(thrown) !== 'ConditionalCheckFailedException') throw thrown;
      }
    });
  }

  /** The whole record of a deployment in the order of its course; what was written just now may not be told yet. */
  async read(service: string, deployment: string): Promise<readonly Chapter[]> {
    const chapters: Chapter[] = [];
    let from: QueryCommandOutput['LastEvaluatedKey'];
    do {
      const { Items, LastEvaluatedKey } = await calling(`reading the record of ${deployment}`, () =>
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: '#service = :service AND begins_with(#item, :record)',
            ExpressionAttributeNames: { '#service': ledgerTable.partitionKey, '#item': ledgerTable.sortKey },
            ExpressionAttributeValues: marshall({ ':service': service, ':record': recordPrefix(deployment) }),
            ExclusiveStartKey: from,
          }),
        ),
      );
      for (const item of Items ?? []) {
        const stored = unmarshall(item);
        chapters.push(parseOrThrow(chapterSchema, stored, `the history item ${String(stored['id'])}`));
      }
      from = LastEvaluatedKey;
    } while (from !== undefined);
    return chapters;
  }
}
