/** The ledger in the embedded DynamoDB, through the real client. */
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DynamoHistory } from '../../functions/aws/dynamo-history.ts';
import { DynamoLedger } from '../../functions/aws/dynamo-ledger.ts';
import { changeIn } from '../../functions/aws/ledger-stream.ts';
import { ledgerTable } from '../../functions/core/ledger-table.ts';
import { serviceName } from '../../functions/core/names.ts';
import { newServiceItem, type ServiceItem } from '../../functions/core/service-item.ts';
import { chaptersOf } from '../../functions/core/story.ts';
import { DynamoDb } from '../../local/services/dynamodb/dynamodb.ts';
import {
  admitted,
  baking,
  generationOf,
  liveItem,
  pushOf,
  retainedOf,
  start,
  web,
} from '../core/examples.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

let dynamo: DynamoDb;
let aws: Awaited<ReturnType<typeof embedded>>;
let client: DynamoDBClient;
let ledger: DynamoLedger;
beforeEach(async () => {
  dynamo = new DynamoDb({ clock: new ManualClock() });
  aws = await embedded({ dynamodb: dynamo.operations });
  client = new DynamoDBClient(aws.client);
  ledger = new DynamoLedger(client, 'ledger');
  const { partitionKey, sortKey, openKey, openIndex } = ledgerTable;
  await client.send(
    new CreateTableCommand({
      TableName: 'ledger',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [partitionKey, sortKey, openKey].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      KeySchema: [
        { AttributeName: partitionKey, KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: openIndex,
          KeySchema: [{ AttributeName: openKey, KeyType: 'HASH' }],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
});
afterEach(async () => {
  client.destroy();
  await aws.close();
  await dynamo.close();
});

const write = (item: ServiceItem) => ledger.change(item.service, () => ({ item }));
const key = marshall({ [ledgerTable.partitionKey]: 'web', [ledgerTable.sortKey]: ledgerTable.serviceItem });

describe('the ledger', () => {
  it('knows a service that was never deployed as an empty item', async () => {
    expect(await ledger.read(web)).toEqual(newServiceItem(web));
  });

  it.each([
    ['a new one', newServiceItem(web)],
    ['a live one', liveItem()],
    ['one in the middle of a deployment', baking(1).item],
  ])('keeps an item as it is: %s', async (_, item) => {
    await write(item);
    expect(await ledger.read(web)).toEqual({ ...item, version: 1 });
  });

  it('keeps what a newer version of the code wrote, at every depth, through a change by this one', async () => {
    const { item } = baking(1);
    const deployment = item.deployment!;
    const newer = {
      ...item,
      unheard: 1,
      live: { ...item.live!, unheard: 2 },
      deployment: {
        ...deployment,
        unheard: 3,
        latch: { ...deployment.latch, unheard: 4 },
        plan: { ...deployment.plan, settings: { ...deployment.plan.settings, unheard: 5 } },
      },
    };
    await write(newer);
    await ledger.change(web, (known) => ({ item: { ...known, fence: known.fence + 1 } }));
    expect(await ledger.read(web)).toEqual({ ...newer, fence: item.fence + 1, version: 2 });
  });

  it('counts its versions, and writes nothing when nothing changed', async () => {
    await write(liveItem());
    const { item } = await ledger.change(web, (current) => ({ item: { ...current, fence: 5 } }));
    expect(item).toMatchObject({ version: 2, fence: 5 });
    await ledger.change(web, (current) => ({ item: current }));
    expect(await ledger.read(web)).toMatchObject({ version: 2 });
  });

  it('loses no change when many are made at once: each is decided again on what the others wrote', async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        ledger.change(web, (current) => ({
          item: { ...current, fence: current.fence + 1, admitted: [...current.admitted, String(index)] },
        })),
      ),
    );
    const item = await ledger.read(web);
    expect(item).toMatchObject({ fence: 8, version: 8 });
    expect(item.admitted.toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
  });

  it('gives up when somebody always writes in between, and says so', async () => {
    await write(liveItem());
    let tries = 0;
    const stale = new DynamoLedger(client, 'ledger');
    const read = stale.read.bind(stale);
    stale.read = async (service) => ({ ...(await read(service)), version: 99 });
    const change = stale.change(web, (current) => {
      tries += 1;
      return { item: { ...current, fence: 9 } };
    });
    await expect(change).rejects.toThrow(
      expect.objectContaining({
        name: 'Cutover.AwsUnavailable',
        message: expect.stringContaining('changed 20 times') as string,
      }),
    );
    expect(tries).toBe(20);
    expect(await ledger.read(web)).toMatchObject({ fence: 1, version: 1 });
  });

  it('throws what a decision throws, and writes nothing', async () => {
    await write(liveItem());
    await expect(
      ledger.change(web, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await ledger.read(web)).toMatchObject({ version: 1 });
  });

  it('names the path of what it cannot read', async () => {
    const stored = {
      ...liveItem(),
      live: { ...liveItem().live, slot: 'Not A Slot' },
      [ledgerTable.sortKey]: ledgerTable.serviceItem,
    };
    await client.send(new PutItemCommand({ TableName: 'ledger', Item: marshall(stored) }));
    await expect(ledger.read(web)).rejects.toThrow(
      /^the service item of web is not valid; nothing was changed\. live\/slot: /,
    );
  });

  it.each<[string, Partial<ServiceItem>]>([
    ['an execution holds', { owner: admitted().item.owner }],
    ['a push waits for', { pending: pushOf(3) }],
    ['retain a generation', { retained: [retainedOf(generationOf(1), start)] }],
  ])('knows which services %s', async (_, open) => {
    expect(await ledger.open()).toEqual([]);
    await write({ ...liveItem(), service: serviceName.parse('api') });
    await write(liveItem(open));
    expect(await ledger.open()).toEqual(['web']);
    await write(liveItem());
    expect(await ledger.open()).toEqual([]);
  });

  it('says what AWS refused, and what to try again', async () => {
    const nowhere = new DynamoLedger(client, 'nowhere');
    await expect(nowhere.read(web)).rejects.toThrow(
      expect.objectContaining({
        name: 'Cutover.AwsRefused',
        message: expect.stringContaining('while reading the service item of web') as string,
      }),
    );
    const silent = new DynamoLedger(
      new DynamoDBClient({ ...aws.client, endpoint: 'http://127.0.0.1:1' }),
      'ledger',
    );
    await expect(silent.read(web)).rejects.toThrow(
      expect.objectContaining({ name: 'Cutover.AwsUnavailable' }),
    );
  });
});

describe('the stream', () => {
  it('gives back the items that were written', async () => {
    await write(liveItem());
    const { Item: OldImage } = await client.send(new GetItemCommand({ TableName: 'ledger', Key: key }));
    await ledger.change(web, () => ({ item: baking(1).item }));
    const { Item: NewImage } = await client.send(new GetItemCommand({ TableName: 'ledger', Key: key }));
    const record = (images: object) => ({
      eventName: 'MODIFY',
      dynamodb: { SequenceNumber: '1', ...images },
    });
    expect(changeIn(record({ OldImage, NewImage }))).toMatchObject({
      before: { version: 1 },
      after: { version: 2, deployment: { phase: 'baking' } },
    });
    expect(changeIn(record({ NewImage }))).toMatchObject({ before: null });
    expect(changeIn(record({ OldImage }))).toBeUndefined();
    expect(
      changeIn(record({ NewImage: marshall({ service: 'web', item: 'deployment#x' }) })),
    ).toBeUndefined();
  });
});

describe('history', () => {
  it('is told once: a chapter that is there stays as it is', async () => {
    const [chapter] = chaptersOf(liveItem(), admitted().item);
    const history = new DynamoHistory(client, 'ledger');
    await history.tell(chapter!, 'in words');
    await history.tell({ ...chapter!, reason: 'told again' }, 'in words');
    const { Item } = await client.send(
      new GetItemCommand({
        TableName: 'ledger',
        Key: marshall({ [ledgerTable.partitionKey]: 'web', [ledgerTable.sortKey]: chapter!.id }),
      }),
    );
    expect(Item).toMatchObject({ kind: { S: 'started' }, reason: { NULL: true }, text: { S: 'in words' } });
  });
});
