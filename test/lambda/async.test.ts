import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { EmbeddedLambda } from './embedded-lambda.ts';

let clock: ManualClock;
let aws: EmbeddedLambda;

beforeEach(() => {
  clock = new ManualClock();
  aws = new EmbeddedLambda({ clock });
});
afterEach(() => aws.lambda.close());

const queue = 'arn:aws:sqs:us-east-1:123456789012:failed';
const failing = 'export const handler = async () => { throw new Error("never"); };';

const invocations = () => aws.logged().filter((line) => line.startsWith('END ')).length;

/** Moves the clock and waits for the real thread to have finished so many invocations. */
async function reaches(count: number, ms: number): Promise<void> {
  await clock.advance(ms);
  await expect.poll(invocations).toBe(count);
  await clock.advance(0);
}

async function invokeAsync(name: string): Promise<void> {
  const answer = await aws.call('Invoke', {
    FunctionName: name,
    InvocationType: 'Event',
    Payload: Buffer.from('{"n":1}'),
  });
  expect(answer['StatusCode']).toBe(202);
}

it('tries again after one minute and after two more, then tells the destination', async () => {
  await aws.create('f', failing);
  await aws.call('PutFunctionEventInvokeConfig', {
    FunctionName: 'f',
    DestinationConfig: { OnFailure: { Destination: queue } },
  });
  await invokeAsync('f');
  await reaches(1, 0);
  await reaches(1, 59_999);
  await reaches(2, 1);
  await reaches(2, 119_999);
  await reaches(3, 1);
  await expect.poll(() => aws.sent.length).toBe(1);
  await clock.advance(3_600_000);
  expect(invocations()).toBe(3);
  expect(aws.sent).toHaveLength(1);
  expect(aws.sent[0]!.arn).toBe(queue);
  expect(JSON.parse(aws.sent[0]!.message)).toMatchObject({
    requestContext: {
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
      functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST',
    },
    requestPayload: { n: 1 },
    responseContext: { functionError: 'Unhandled' },
    responsePayload: { errorMessage: 'never' },
  });
});

it('sends the event itself to the dead-letter queue', async () => {
  await aws.create('f', failing, { DeadLetterConfig: { TargetArn: queue } });
  await aws.call('PutFunctionEventInvokeConfig', { FunctionName: 'f', MaximumRetryAttempts: 0 });
  await invokeAsync('f');
  await reaches(1, 0);
  await expect.poll(() => aws.sent.length).toBe(1);
  expect(aws.sent[0]).toMatchObject({
    arn: queue,
    message: '{"n":1}',
    attributes: { ErrorMessage: 'never' },
  });
});

it('waits out a throttle without counting it as an attempt', async () => {
  await aws.create('f', 'export const handler = async () => 1;');
  await aws.call('PutFunctionConcurrency', { FunctionName: 'f', ReservedConcurrentExecutions: 0 });
  await invokeAsync('f');
  await clock.advance(2_000);
  expect(invocations()).toBe(0);
  await aws.call('DeleteFunctionConcurrency', { FunctionName: 'f' });
  await reaches(1, 10_000);
  expect(aws.failures).toEqual([]);
});
