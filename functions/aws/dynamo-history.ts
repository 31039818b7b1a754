/** The ledger's history items: one for each chapter, in the table beside the service item. */
import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Chapter } from '../core/story.ts';
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
            Item: marshall({ ...chapter, item: chapter.id, text, time: new Date(chapter.at).toISOString() }),
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
}
