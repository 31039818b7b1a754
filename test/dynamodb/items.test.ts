import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmbeddedDynamoDb } from './embedded-dynamodb.ts';

let aws: EmbeddedDynamoDb;

beforeEach(async () => {
  aws = new EmbeddedDynamoDb();
  await aws.createTable();
});
afterEach(() => aws.service.close());

const Key = { pk: { S: 'web' }, sk: { S: 'service' } };
const TableName = 'ledger';

describe('items', () => {
  it('are written, read, updated, queried, scanned and deleted', async () => {
    await aws.put('web', { fence: { N: '1' }, kind: { S: 'service' } });
    const updated = await aws.call('UpdateItem', {
      TableName,
      Key,
      UpdateExpression: 'SET #f = #f + :one, live = :live',
      ExpressionAttributeNames: { '#f': 'fence' },
      ExpressionAttributeValues: { ':one': { N: '1' }, ':live': { M: { g: { S: 'web-g0001' } } } },
      ReturnValues: 'ALL_NEW',
    });
    const item = {
      ...Key,
      kind: { S: 'service' },
      fence: { N: '2' },
      live: { M: { g: { S: 'web-g0001' } } },
    };
    expect(updated['Attributes']).toEqual(item);
    expect(await aws.call('GetItem', { TableName, Key, ConsistentRead: true })).toEqual({ Item: item });
    const queried = await aws.call('Query', {
      TableName,
      IndexName: 'byKind',
      KeyConditionExpression: 'kind = :kind',
      ExpressionAttributeValues: { ':kind': { S: 'service' } },
    });
    expect(queried).toMatchObject({ Count: 1, Items: [item] });
    expect(await aws.call('Scan', { TableName })).toMatchObject({ Count: 1, Items: [item] });
    await aws.call('DeleteItem', { TableName, Key });
    expect(await aws.call('GetItem', { TableName, Key })).toEqual({});
  });

  it('keep bytes as bytes, in and out', async () => {
    const bytes = new Uint8Array([0, 255, 7]);
    await aws.put('web', { raw: { B: bytes }, nested: { L: [{ M: { raw: { BS: [bytes] } } }] } });
    const { Item } = await aws.call<{ Item: object }>('GetItem', { TableName, Key });
    expect(Item).toMatchObject({ raw: { B: bytes }, nested: { L: [{ M: { raw: { BS: [bytes] } } }] } });
  });

  it('are written and read in batches', async () => {
    const write = await aws.call('BatchWriteItem', {
      RequestItems: {
        ledger: ['a', 'b'].map((pk) => ({ PutRequest: { Item: { pk: { S: pk }, sk: { S: 's' } } } })),
      },
    });
    expect(write).toEqual({ UnprocessedItems: {} });
    const read = await aws.call<{ Responses: { ledger: unknown[] } }>('BatchGetItem', {
      RequestItems: { ledger: { Keys: ['a', 'b'].map((pk) => ({ pk: { S: pk }, sk: { S: 's' } })) } },
    });
    expect(read.Responses.ledger).toHaveLength(2);
  });

  it('come page by page', async () => {
    for (const pk of ['a', 'b', 'c']) await aws.put(pk);
    const first = await aws.call('Scan', { TableName, Limit: 2 });
    const second = await aws.call('Scan', { TableName, ExclusiveStartKey: first['LastEvaluatedKey'] });
    expect([first['Count'], second['Count'], second['LastEvaluatedKey']]).toEqual([2, 1, undefined]);
  });
});

describe('a condition that fails', () => {
  const input = {
    TableName,
    Key,
    UpdateExpression: 'SET fence = :next',
    ConditionExpression: 'fence = :mine',
    ExpressionAttributeValues: { ':mine': { N: '1' }, ':next': { N: '2' } },
  };

  it('returns the item as it was when that is asked for', async () => {
    await aws.put('web', { fence: { N: '7' } });
    const failure = { code: 'ConditionalCheckFailedException', message: 'The conditional request failed' };
    await expect(aws.call('UpdateItem', input)).rejects.toMatchObject({ ...failure, members: {} });
    await expect(
      aws.call('UpdateItem', { ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
    ).rejects.toMatchObject({ ...failure, members: { Item: { ...Key, fence: { N: '7' } } } });
  });

  it('returns nothing of an item that is not there', async () => {
    await expect(
      aws.call('UpdateItem', { ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
    ).rejects.toMatchObject({ code: 'ConditionalCheckFailedException', members: {} });
  });

  it('lets exactly one of many writers through', async () => {
    await aws.put('web', { fence: { N: '1' } });
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => aws.call('UpdateItem', input)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('what is refused', () => {
  const refused: [string, string, object, string, string][] = [
    [
      'an unknown table',
      'GetItem',
      { TableName: 'nobody', Key },
      'ResourceNotFoundException',
      'Requested resource not found',
    ],
    [
      'a key that does not fit',
      'GetItem',
      { TableName, Key: { pk: { S: 'x' } } },
      'ValidationException',
      'The provided key element does not match the schema',
    ],
    [
      'a broken expression',
      'UpdateItem',
      { TableName, Key, UpdateExpression: 'SET' },
      'ValidationException',
      'Invalid UpdateExpression',
    ],
    ['transactions', 'TransactWriteItems', {}, 'ValidationException', 'has no TransactWriteItems'],
  ];
  it.each(refused)('%s', async (_, operation, input, code, message) => {
    await expect(aws.call(operation, input)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});
