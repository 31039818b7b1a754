/** The ledger in the embedded DynamoDB, through the real client. */
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallTally } from '../../functions/aws/call-tally.ts';
import { DynamoHistory } from '../../functions/aws/dynamo-history.ts';
import { DynamoLedger, parseServiceItem } from '../../functions/aws/dynamo-ledger.ts';
import { changeIn } from '../../functions/aws/ledger-stream.ts';
import { pause } from '../../functions/aws/pause.ts';
import { ledgerTable } from '../../functions/core/ledger/ledger-table.ts';
import { newServiceItem, type ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { type Chapter, recordPrefix } from '../../functions/core/messages/chapter.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { serviceName } from '../../functions/core/names.ts';
import { signal } from '../../functions/steps/signal.ts';
import { DynamoDb } from '../../local/services/dynamodb/dynamodb.ts';
import {
  admitted,
  baking,
  generationOf,
  liveItem,
  pendingOf,
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

const taskRuns = (task: string) => ({
  'detail-type': 'ECS Task State Change',
  detail: { taskArn: `arn:aws:ecs:x:1:task/c/${task}`, group: 'service:web-g0002', lastStatus: 'RUNNING' },
});

/** The same numbers each time: https://en.wikipedia.org/wiki/Linear_congruential_generator */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

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
    const paused: number[] = [];
    const stale = new DynamoLedger(client, 'ledger', undefined, async (repeat) => void paused.push(repeat));
    const read = stale.read.bind(stale);
    stale.read = async (service) => ({ ...(await read(service)), version: 99 });
    const change = stale.change(web, (current) => {
      tries += 1;
      return { item: { ...current, fence: 9 } };
    });
    await expect(change).rejects.toThrow(
      expect.objectContaining({
        name: 'Cutover.AwsUnavailable',
        message: expect.stringContaining('changed 50 times') as string,
      }),
    );
    expect(tries).toBe(50);
    expect(paused).toEqual(Array.from({ length: 49 }, (_, index) => index + 1));
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
    ['a push waits for', { pending: pendingOf(3) }],
    ['retain a generation', { retained: [retainedOf(generationOf(1), start)] }],
    ['have orphans to be ended', { collect: { by: 'ann', at: start } }],
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

describe('what wrote a change', () => {
  it('is on the item: the function, its invocation, how long it had run, and each call that it had made', async () => {
    let now = 1_000;
    const tally = new CallTally('shift', () => now);
    const counted = new DynamoLedger(tally.count(new DynamoDBClient(aws.client)), 'ledger', tally);
    tally.begin('request-1');
    await counted.change(web, (item) => ({ item: { ...item, fence: 1 } }));
    now = 1_250;
    await counted.change(web, (item) => ({ item: { ...item, fence: 2 } }));
    const read = (count: number) => ({ count, errors: 0, ms: 0 });
    expect((await ledger.read(web)).written).toEqual({
      by: 'shift',
      request: 'request-1',
      at: 1_250,
      ms: 250,
      calls: { 'dynamodb:GetItem': read(2), 'dynamodb:PutItem': read(1) },
    });

    tally.begin('request-2');
    await counted.change(web, (item) => ({ item: { ...item, fence: 3 } }));
    expect((await ledger.read(web)).written).toMatchObject({
      request: 'request-2',
      ms: 0,
      calls: { 'dynamodb:GetItem': read(1) },
    });
    await ledger.change(web, (item) => ({ item: { ...item, fence: 4 } }));
    expect((await ledger.read(web)).written).toBeNull();
  });

  it('counts a call that failed, and what it took', async () => {
    let now = 0;
    const tally = new CallTally('promote', () => (now += 5));
    const nowhere = new DynamoLedger(tally.count(new DynamoDBClient(aws.client)), 'nowhere', tally);
    tally.begin('request-1');
    await expect(nowhere.read(web)).rejects.toThrow('AWS refused');
    expect(tally.written().calls).toEqual({ 'dynamodb:GetItem': { count: 1, errors: 1, ms: 5 } });
  });

  it('names at most thirty kinds of calls', async () => {
    const tally = new CallTally('shift');
    const client = new DynamoDBClient(aws.client);
    let kind = 0;
    client.middlewareStack.add(() => async () => ({ output: { $metadata: {} }, response: {} }), {
      step: 'initialize',
      priority: 'low',
    });
    client.middlewareStack.add(
      (next, context) => (args) => {
        context['commandName'] = `Call${kind++}Command`;
        return next(args);
      },
      { step: 'initialize', priority: 'high' },
    );
    tally.count(client);
    for (let n = 0; n < 40; n++) await client.send(new GetItemCommand({ TableName: 'ledger', Key: key }));
    const { calls } = tally.written();
    expect(Object.keys(calls)).toHaveLength(30);
    expect(calls['dynamodb:Call28']).toMatchObject({ count: 1 });
    expect(calls['others']).toMatchObject({ count: 11 });
  });

  it('never holds a service: an item whose record is missing or makes no sense is read without it', async () => {
    for (const written of [undefined, { by: 'shift' }]) {
      const stored = { ...liveItem(), written, [ledgerTable.sortKey]: ledgerTable.serviceItem };
      const Item = marshall(stored, { removeUndefinedValues: true });
      await client.send(new PutItemCommand({ TableName: 'ledger', Item }));
      expect(await ledger.read(web)).toEqual(liveItem());
    }
  });
});

describe('two hundred signals at once', () => {
  it('are all latched, none fails, and the last one within seconds', async () => {
    const clock = new ManualClock();
    const random = seeded(7);
    const store = new DynamoDBClient(aws.client);
    let stored = marshall(baking(0).item);
    // One item behind calls that take 5 to 15 ms of a clock that the test moves.
    const takes = () => clock.sleep(5 + 10 * random());
    store.middlewareStack.add(
      () =>
        async ({ input }) => {
          await takes();
          const output = { $metadata: {} };
          if (!('Item' in input)) return { response: {}, output: { ...output, Item: stored } };
          const { Item = {} } = input;
          const taken = Number(Item['version']?.N) - 1 !== Number(stored['version']?.N);
          if (!taken) stored = Item;
          await takes();
          if (taken) throw Object.assign(new Error('taken'), { name: 'ConditionalCheckFailedException' });
          return { response: {}, output };
        },
      { step: 'initialize' },
    );
    const contended = new DynamoLedger(
      store,
      'ledger',
      undefined,
      pause(random, (ms) => clock.sleep(ms)),
    );
    const waits = { succeed: async () => {}, fail: async () => {} };
    const ports = { ledger: contended, waits, now: () => clock.now() };
    const began = clock.now();
    let done = 0;
    const all = Promise.all(
      Array.from({ length: 200 }, async (_, task) => {
        await signal(taskRuns(`task-${task}`), ports);
        done += 1;
      }),
    );
    while (done < 200 && clock.now() - began < 60_000) await clock.advance(100);
    await all;
    const { deployment } = parseServiceItem(unmarshall(stored));
    expect(new Set(deployment?.latch.running).size).toBe(200);
    expect(clock.now() - began).toBeLessThan(10_000);
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

  it('is read whole and in the order of its course, of one deployment alone, page by page', async () => {
    const [chapter] = chaptersOf(liveItem(), admitted().item);
    const history = new DynamoHistory(client, 'ledger');
    // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html: a page holds 1 MB.
    const long = 'x'.repeat(200_000);
    const told = [12, 9, 110, 11, 10, 1_000, 8].map((version): Chapter => {
      const id = `${recordPrefix('web-g0002-d2')}${String(version).padStart(8, '0')}-0-started`;
      return { ...chapter!, id, reason: long };
    });
    for (const each of told) await history.tell(each, 'in words');
    await history.tell({ ...chapter!, id: `${recordPrefix('web-g0002-d22')}00000001-0-started` }, '');
    const read = await history.read('web', 'web-g0002-d2');
    expect(read.map(({ id }) => Number(/#0*(\d+)-/.exec(id)?.[1]))).toEqual([8, 9, 10, 11, 12, 110, 1_000]);
    expect(read[0]).toMatchObject({ kind: 'started', push: 'event-2', written: null });
    expect(aws.calls.records().filter(({ operation }) => operation === 'Query').length).toBeGreaterThan(1);
    expect(await history.read('web', 'web-g0009-d9')).toEqual([]);
  });
});
