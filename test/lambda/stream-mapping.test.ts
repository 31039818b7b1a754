import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AwsError } from '../../local/call.ts';
import type { LambdaOptions } from '../../local/services/lambda/lambda.ts';
import { EmbeddedDynamoDb } from '../dynamodb/embedded-dynamodb.ts';
import { EmbeddedLambda } from './embedded-lambda.ts';

let dynamodb: EmbeddedDynamoDb;
let aws: EmbeddedLambda;
let streamArn: string;

async function start(options: Partial<LambdaOptions> = {}): Promise<void> {
  dynamodb = new EmbeddedDynamoDb({ shardsPerStream: 1 });
  streamArn = await dynamodb.createTable();
  aws = new EmbeddedLambda({ clock: dynamodb.clock, streams: dynamodb.service.streams, ...options });
}

beforeEach(() => start());
afterEach(async () => {
  await aws.lambda.close();
  await dynamodb.service.close();
});

/** Prints the keys of each batch; fails as the keys in it say. */
const consumer = `
  export const handler = async ({ Records }) => {
    const keys = Records.map((r) => r.dynamodb.Keys.pk.S);
    process.stdout.write('batch ' + keys.join(' ') + '\\n');
    if (keys.includes('poison')) throw new Error('poison');
    return { batchItemFailures: Records.filter((r) => r.dynamodb.Keys.pk.S === 'reported')
      .map((r) => ({ itemIdentifier: r.dynamodb.SequenceNumber })) };
  };`;
const queue = 'arn:aws:sqs:us-east-1:123456789012:failed';

const batches = () =>
  aws
    .logged()
    .filter((line) => line.startsWith('batch '))
    .map((line) => line.slice('batch '.length));
const finished = () => aws.logged().filter((line) => line.startsWith('END ')).length;

async function map(options: object = {}): Promise<string> {
  await aws.create('consumer', consumer);
  const { UUID } = await aws.call<{ UUID: string }>('CreateEventSourceMapping', {
    FunctionName: 'consumer',
    EventSourceArn: streamArn,
    StartingPosition: 'TRIM_HORIZON',
    ...options,
  });
  return UUID;
}

/** Moves the clock; then waits until so many invocations have ended and what follows from them has settled. */
async function reaches(invocations: number, ms: number): Promise<void> {
  await dynamodb.clock.advance(ms);
  await expect.poll(finished).toBe(invocations);
  await dynamodb.clock.advance(0);
}

describe('a mapping', () => {
  it('delivers what was there before it and what comes after, in order, 100 ms later', async () => {
    for (const pk of ['a', 'b', 'c']) await dynamodb.put(pk);
    await map({ BatchSize: 2 });
    await dynamodb.clock.advance(99);
    expect(batches()).toEqual([]);
    await reaches(2, 1);
    await dynamodb.put('d');
    await reaches(3, 100);
    expect(batches()).toEqual(['a b', 'c', 'd']);
  });

  it('from LATEST delivers only what comes after it', async () => {
    await dynamodb.put('before');
    await map({ StartingPosition: 'LATEST' });
    await dynamodb.put('after');
    await reaches(1, 100);
    expect(batches()).toEqual(['after']);
  });

  it('waits for its batching window unless the batch is full', async () => {
    await map({ MaximumBatchingWindowInSeconds: 5, BatchSize: 3 });
    await dynamodb.put('a');
    await dynamodb.clock.advance(4_000);
    await dynamodb.put('b');
    expect(batches()).toEqual([]);
    await reaches(1, 1_000);
    for (const pk of ['c', 'd', 'e']) await dynamodb.put(pk);
    await reaches(2, 100);
    expect(batches()).toEqual(['a b', 'c d e']);
  });

  it('stops while it is disabled and goes on where it was', async () => {
    const UUID = await map();
    await dynamodb.put('a');
    await reaches(1, 100);
    await aws.call('UpdateEventSourceMapping', { UUID, Enabled: false });
    await dynamodb.put('b');
    await dynamodb.clock.advance(10_000);
    expect(await aws.call('GetEventSourceMapping', { UUID })).toMatchObject({ State: 'Disabled' });
    await aws.call('UpdateEventSourceMapping', { UUID, Enabled: true });
    await reaches(2, 100);
    expect(batches()).toEqual(['a', 'b']);
  });

  it('leaves out what its filters do not match', async () => {
    await map({ FilterCriteria: { Filters: [{ Pattern: '{"eventName":["MODIFY"]}' }] } });
    await dynamodb.put('a');
    await dynamodb.put('a', { n: { N: '1' } });
    await dynamodb.put('b');
    await reaches(1, 100);
    expect(batches()).toEqual(['a']);
  });
});

describe('a poison record', () => {
  it('blocks its shard until its retries are over, then goes to the destination', async () => {
    await map({
      BatchSize: 1,
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: queue } },
    });
    for (const pk of ['a', 'poison', 'b']) await dynamodb.put(pk);
    await reaches(2, 100);
    expect(batches()).toEqual(['a', 'poison']);
    await reaches(3, 1_000);
    expect(aws.sent).toEqual([]);
    await reaches(5, 2_000);
    expect(batches()).toEqual(['a', 'poison', 'poison', 'poison', 'b']);
    expect(aws.sent.map(({ arn }) => arn)).toEqual([queue]);
    expect(JSON.parse(aws.sent[0]!.message)).toMatchObject({
      requestContext: {
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 3,
        functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:consumer',
      },
      responseContext: { functionError: 'Unhandled' },
      DDBStreamBatchInfo: { batchSize: 1, streamArn },
    });
    expect(aws.sent[0]!.message).not.toContain('poison');
  });

  it('is found by splitting the batch, without using retries up', async () => {
    await map({ BisectBatchOnFunctionError: true, MaximumRetryAttempts: 0 });
    for (const pk of ['a', 'b', 'poison', 'c']) await dynamodb.put(pk);
    await reaches(5, 100);
    expect(batches()).toEqual(['a b poison c', 'a b', 'poison c', 'poison', 'c']);
  });

  it('is given up at the maximum age', async () => {
    await map({
      BatchSize: 1,
      MaximumRecordAgeInSeconds: 60,
      DestinationConfig: { OnFailure: { Destination: queue } },
    });
    await dynamodb.put('poison');
    let invocations = 1;
    await reaches(1, 100);
    // 1 + 2 + 4 + … seconds: the sixth retry would come after 63.
    for (const delay of [1, 2, 4, 8, 16]) await reaches(++invocations, delay * 1000);
    await dynamodb.put('a');
    await reaches(++invocations, 32_000);
    expect(batches().at(-1)).toBe('a');
    expect(JSON.parse(aws.sent[0]!.message)).toMatchObject({
      requestContext: { condition: 'RecordAgeExceeded' },
    });
  });

  it('that the function reports is retried from there on', async () => {
    await map({ FunctionResponseTypes: ['ReportBatchItemFailures'], MaximumRetryAttempts: 1 });
    for (const pk of ['a', 'reported', 'b']) await dynamodb.put(pk);
    await reaches(1, 100);
    await reaches(2, 1_000);
    expect(batches()).toEqual(['a reported b', 'reported b']);
  });
});

it('a throttled function does not use retries up', async () => {
  await map({ MaximumRetryAttempts: 0 });
  await aws.call('PutFunctionConcurrency', { FunctionName: 'consumer', ReservedConcurrentExecutions: 0 });
  await dynamodb.put('a');
  await dynamodb.clock.advance(5_000);
  await aws.call('DeleteFunctionConcurrency', { FunctionName: 'consumer' });
  await reaches(1, 10_000);
  expect(batches()).toEqual(['a']);
});

describe('what is refused', () => {
  it.each([
    ['another source', { EventSourceArn: queue }, 'reads DynamoDB streams only'],
    [
      'a stream that is not there',
      { EventSourceArn: 'arn:aws:dynamodb:us-east-1:123456789012:table/x/stream/y' },
      'Stream not found',
    ],
    ['a batch that is too large', { BatchSize: 10_001 }, "Value '10001' at 'BatchSize'"],
    [
      'a filter that is no pattern',
      { FilterCriteria: { Filters: [{ Pattern: '{"eventName":"INSERT"}' }] } },
      'Invalid filter pattern definition.',
    ],
  ])('%s', async (_, options, message) => {
    await expect(map(options)).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
      message: expect.stringContaining(message) as string,
    });
  });

  it('a role that may not read the stream', async () => {
    await aws.lambda.close();
    const asked: string[] = [];
    await start({
      authorizer: {
        authorize: ({ action, resources }) => {
          asked.push(`${action} ${resources.join()}`);
          if (action === 'dynamodb:ListStreams') throw new AwsError('AccessDeniedException', 'no');
        },
      },
    });
    await expect(map()).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
      message: expect.stringContaining(`Cannot access stream ${streamArn}`) as string,
    });
    expect(asked[0]).toBe(`dynamodb:GetRecords ${streamArn}`);
  });

  it('the same mapping twice', async () => {
    await map();
    const again = { FunctionName: 'consumer', EventSourceArn: streamArn, StartingPosition: 'LATEST' };
    await expect(aws.call('CreateEventSourceMapping', again)).rejects.toMatchObject({
      code: 'ResourceConflictException',
      status: 409,
    });
    expect((await aws.call('ListEventSourceMappings', {}))['EventSourceMappings']).toHaveLength(1);
  });
});
