import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { settled } from '../manual-clock.ts';
import { EmbeddedDynamoDb } from './embedded-dynamodb.ts';

let aws: EmbeddedDynamoDb;

beforeEach(() => {
  aws = new EmbeddedDynamoDb({ timeToLiveDelayMs: 60_000 });
});
afterEach(() => aws.service.close());

const TableName = 'ledger';

describe('a table', () => {
  it('is described with what it was created with', async () => {
    const stream = await aws.createTable({
      DeletionProtectionEnabled: true,
      SSESpecification: { Enabled: true, SSEType: 'KMS', KMSMasterKeyId: 'key' },
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    const { Table } = await aws.call<{ Table: object }>('DescribeTable', { TableName });
    expect(Table).toMatchObject({
      TableArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/ledger',
      TableStatus: 'ACTIVE',
      CreationDateTime: new Date('2026-01-01T00:00:00Z'),
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      GlobalSecondaryIndexes: [{ IndexName: 'byKind', IndexStatus: 'ACTIVE' }],
      LatestStreamArn: stream,
      LatestStreamLabel: '2026-01-01T00:00:00.000',
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      DeletionProtectionEnabled: true,
      SSEDescription: { Status: 'ENABLED', KMSMasterKeyArn: 'key' },
    });
    const ResourceArn = 'arn:aws:dynamodb:us-east-1:123456789012:table/ledger';
    expect(await aws.call('ListTagsOfResource', { ResourceArn })).toEqual({
      Tags: [{ Key: 'team', Value: 'web' }],
    });
    expect(await aws.call('ListTables', {})).toEqual({ TableNames: ['ledger'] });
  });

  it('cannot be deleted while it is protected, and loses its items when it is', async () => {
    await aws.createTable({ DeletionProtectionEnabled: true });
    await aws.put('web', { kind: { S: 'k' } });
    await expect(aws.call('DeleteTable', { TableName })).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining('protected against deletion') as string,
    });
    await aws.call('UpdateTable', { TableName, DeletionProtectionEnabled: false });
    await aws.call('DeleteTable', { TableName });
    await expect(aws.call('DescribeTable', { TableName })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    await aws.createTable();
    expect(await aws.call('Scan', { TableName })).toMatchObject({ Count: 0 });
    expect(await aws.call('Scan', { TableName, IndexName: 'byKind' })).toMatchObject({ Count: 0 });
  });

  it('is refused a second time', async () => {
    await aws.createTable();
    await expect(aws.createTable()).rejects.toMatchObject({ code: 'ResourceInUseException' });
  });

  it('tells whether its backups are continuous', async () => {
    await aws.createTable();
    const status = async () => {
      const { ContinuousBackupsDescription: description } = await aws.call<{
        ContinuousBackupsDescription: {
          PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: string };
        };
      }>('DescribeContinuousBackups', { TableName });
      return description.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus;
    };
    expect(await status()).toBe('DISABLED');
    await aws.call('UpdateContinuousBackups', {
      TableName,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    expect(await status()).toBe('ENABLED');
  });
});

describe('a stream', () => {
  it('tells inserts, changes and removals with both images, in order', async () => {
    const stream = await aws.createTable();
    await aws.put('web', { fence: { N: '1' } });
    await aws.call('UpdateItem', {
      TableName,
      Key: { pk: { S: 'web' }, sk: { S: 'service' } },
      UpdateExpression: 'SET fence = :two',
      ExpressionAttributeValues: { ':two': { N: '2' } },
    });
    await aws.call('DeleteItem', { TableName, Key: { pk: { S: 'web' }, sk: { S: 'service' } } });
    const Keys = { pk: { S: 'web' }, sk: { S: 'service' } };
    const records = aws.records(stream);
    expect(records).toMatchObject([
      { eventName: 'INSERT', dynamodb: { Keys, NewImage: { ...Keys, fence: { N: '1' } } } },
      {
        eventName: 'MODIFY',
        eventSource: 'aws:dynamodb',
        eventSourceARN: stream,
        awsRegion: 'us-east-1',
        dynamodb: {
          Keys,
          OldImage: { ...Keys, fence: { N: '1' } },
          NewImage: { ...Keys, fence: { N: '2' } },
          StreamViewType: 'NEW_AND_OLD_IMAGES',
          ApproximateCreationDateTime: Date.UTC(2026, 0, 1) / 1000,
        },
      },
      { eventName: 'REMOVE', dynamodb: { Keys, OldImage: { ...Keys, fence: { N: '2' } } } },
    ]);
    expect(records[0]!.dynamodb).not.toHaveProperty('OldImage');
    expect(records[2]!.dynamodb).not.toHaveProperty('NewImage');
    const sequence = records.map((record) => BigInt(record.dynamodb!.SequenceNumber!));
    expect(sequence).toEqual([...sequence].sort((a, b) => (a < b ? -1 : 1)));
  });

  it('says nothing of writes that change nothing or fail', async () => {
    const stream = await aws.createTable();
    await aws.put('web', { fence: { N: '1' } });
    await aws.put('web', { fence: { N: '1' } });
    await expect(
      aws.put('web', { fence: { N: '2' } }, { ConditionExpression: 'attribute_not_exists(pk)' }),
    ).rejects.toMatchObject({ code: 'ConditionalCheckFailedException' });
    await aws.call('DeleteItem', { TableName, Key: { pk: { S: 'nobody' }, sk: { S: 'service' } } });
    expect(aws.records(stream)).toHaveLength(1);
  });

  it('keeps the changes of one partition in one shard, in order, and tells batches too', async () => {
    const stream = await aws.createTable();
    for (let n = 0; n < 5; n++) {
      await Promise.all(['a', 'b', 'c', 'd'].map((pk) => aws.put(pk, { n: { N: String(n) } })));
    }
    await aws.call('BatchWriteItem', {
      RequestItems: {
        ledger: [{ PutRequest: { Item: { pk: { S: 'a' }, sk: { S: 'service' }, n: { N: '5' } } } }],
      },
    });
    for (const pk of ['a', 'b', 'c', 'd']) {
      const seen = aws.records(stream).filter((record) => record.dynamodb!.Keys!['pk']!.S === pk);
      expect(seen.map((record) => record.dynamodb!.NewImage!['n']!.N)).toEqual(
        pk === 'a' ? ['0', '1', '2', '3', '4', '5'] : ['0', '1', '2', '3', '4'],
      );
    }
  });

  it('forgets after 24 hours', async () => {
    const stream = await aws.createTable();
    await aws.put('web');
    await aws.clock.advance(24 * 3_600_000 + 1);
    expect(aws.records(stream)).toEqual([]);
  });
});

describe('time to live', () => {
  it('deletes what has expired, as DynamoDB itself, and nothing that was prolonged', async () => {
    const stream = await aws.createTable();
    const seconds = (fromNow: number) => ({ N: String(Math.floor(aws.clock.now() / 1000) + fromNow) });
    await aws.put('before', { ttl: seconds(100) });
    await aws.call('UpdateTimeToLive', {
      TableName,
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
    });
    await aws.put('after', { ttl: seconds(200) });
    await aws.put('prolonged', { ttl: seconds(100) });
    await aws.put('prolonged', { ttl: seconds(9_000) });
    await aws.put('never');
    await aws.clock.advance(159_999);
    expect(await aws.call('Scan', { TableName })).toMatchObject({ Count: 4 });
    await aws.clock.advance(1);
    await expect.poll(async () => (await aws.call('Scan', { TableName }))['Count']).toBe(3);
    await aws.clock.advance(100_000);
    await expect.poll(async () => (await aws.call('Scan', { TableName }))['Count']).toBe(2);
    await settled();
    const removed = aws.records(stream).filter(({ eventName }) => eventName === 'REMOVE');
    expect(new Set(removed.map((record) => record.dynamodb!.Keys!['pk']!.S))).toEqual(
      new Set(['after', 'before']),
    );
    expect(removed[0]).toMatchObject({
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    });
  });

  it('is described', async () => {
    await aws.createTable();
    const TimeToLiveSpecification = { AttributeName: 'ttl', Enabled: true };
    await aws.call('UpdateTimeToLive', { TableName, TimeToLiveSpecification });
    expect(await aws.call('DescribeTimeToLive', { TableName })).toEqual({
      TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'ttl' },
    });
    await expect(aws.call('UpdateTimeToLive', { TableName, TimeToLiveSpecification })).rejects.toMatchObject({
      message: 'TimeToLive is already enabled',
    });
  });
});
