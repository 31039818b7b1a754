import { createHash } from 'node:crypto';
import type * as Sdk from '@aws-sdk/client-sqs';
import { beforeEach, expect, test } from 'vitest';
import { Sqs } from '../../local/services/sqs/sqs.ts';
import { asker } from '../events/ask.ts';
import { ManualClock } from '../manual-clock.ts';

let clock = new ManualClock();
let sqs = new Sqs({ clock });
let ask = asker(sqs.operations);
const QueueUrl = 'http://127.0.0.1:4566/123456789012/jobs';
const queueArn = 'arn:aws:sqs:us-east-1:123456789012:jobs';

beforeEach(async () => {
  clock = new ManualClock();
  sqs = new Sqs({ clock });
  ask = asker(sqs.operations);
  await ask('CreateQueue', { QueueName: 'jobs' });
});

const send = (MessageBody: string, more = {}) =>
  ask<unknown, Sdk.SendMessageResult>('SendMessage', { QueueUrl, MessageBody, ...more });
const receive = async (more = {}) => {
  const answer = await ask<unknown, Sdk.ReceiveMessageResult>('ReceiveMessage', { QueueUrl, ...more });
  return answer.Messages ?? [];
};
const bodies = (messages: readonly Sdk.Message[]) => messages.map(({ Body }) => Body);

test('a message is received once, then again after its visibility timeout, until it is deleted', async () => {
  const { MessageId, MD5OfMessageBody } = await send('one');
  expect(MD5OfMessageBody).toBe(createHash('md5').update('one').digest('hex'));
  const [message] = await receive({ MessageSystemAttributeNames: ['ApproximateReceiveCount'] });
  expect(message).toMatchObject({ MessageId, Body: 'one', Attributes: { ApproximateReceiveCount: '1' } });
  expect(await receive()).toEqual([]);
  await clock.advance(30_000);
  const [again] = await receive({ MessageSystemAttributeNames: ['All'] });
  expect(again?.Attributes).toMatchObject({ ApproximateReceiveCount: '2' });
  await ask('DeleteMessage', { QueueUrl, ReceiptHandle: message?.ReceiptHandle });
  await clock.advance(30_000);
  expect(await receive()).toEqual([]);
});

test('a long poll ends with the first message, or empty when its time is over', async () => {
  const polled = receive({ WaitTimeSeconds: 20 });
  await clock.advance(5000);
  await send('late');
  expect(bodies(await polled)).toEqual(['late']);
  const empty = receive({ WaitTimeSeconds: 20 });
  await clock.advance(20_000);
  expect(await empty).toEqual([]);
  const hidden = receive({ WaitTimeSeconds: 20 });
  await clock.advance(10_000);
  expect(bodies(await hidden)).toEqual(['late']);
});

test('delayed messages and released ones are seen when they should be', async () => {
  await send('soon', { DelaySeconds: 5 });
  expect(await receive()).toEqual([]);
  await clock.advance(5000);
  const [message] = await receive();
  await ask('ChangeMessageVisibility', {
    QueueUrl,
    ReceiptHandle: message?.ReceiptHandle,
    VisibilityTimeout: 0,
  });
  expect(bodies(await receive())).toEqual(['soon']);
  const { Attributes } = await ask<unknown, Sdk.GetQueueAttributesResult>('GetQueueAttributes', {
    QueueUrl,
    AttributeNames: ['All'],
  });
  expect(Attributes).toMatchObject({
    QueueArn: queueArn,
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesNotVisible: '1',
    VisibilityTimeout: '30',
  });
});

test('a message that was received too often moves to the dead-letter queue', async () => {
  await ask('CreateQueue', { QueueName: 'dead' });
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: 'arn:aws:sqs:us-east-1:123456789012:dead',
    maxReceiveCount: 2,
  });
  await ask('SetQueueAttributes', { QueueUrl, Attributes: { RedrivePolicy } });
  const { MessageId } = await send('poison');
  for (let round = 0; round < 2; round += 1) expect(await receive({ VisibilityTimeout: 0 })).toHaveLength(1);
  expect(await receive()).toEqual([]);
  const [dead] = await receive({
    QueueUrl: 'dead',
    MessageSystemAttributeNames: ['DeadLetterQueueSourceArn'],
  });
  expect(dead).toMatchObject({
    MessageId,
    Body: 'poison',
    Attributes: { DeadLetterQueueSourceArn: queueArn },
  });
});

test('batches take what is good and say what is not', async () => {
  const Entries = [
    { Id: 'a', MessageBody: 'x' },
    { Id: 'b', MessageBody: '' },
  ];
  expect(await ask('SendMessageBatch', { QueueUrl, Entries })).toMatchObject({
    Successful: [{ Id: 'a' }],
    Failed: [{ Id: 'b', Code: 'MissingParameter', SenderFault: true }],
  });
  const [message] = await receive({ MaxNumberOfMessages: 10 });
  const Deletions = [
    { Id: 'x', ReceiptHandle: message?.ReceiptHandle },
    { Id: 'y', ReceiptHandle: 'nonsense' },
  ];
  expect(await ask('DeleteMessageBatch', { QueueUrl, Entries: Deletions })).toMatchObject({
    Successful: [{ Id: 'x' }],
    Failed: [{ Id: 'y', Code: 'ReceiptHandleIsInvalid' }],
  });
});

test('attributes come when they are asked for, with the digest of the AWS guide', async () => {
  const MessageAttributes = {
    'order.id': { DataType: 'Number', StringValue: '5' },
    blob: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2]) },
  };
  const { MD5OfMessageAttributes } = await send('x', { MessageAttributes });
  expect(MD5OfMessageAttributes).toMatch(/^[\da-f]{32}$/);
  const [message] = await receive({ MessageAttributeNames: ['order.*'] });
  expect(message?.MessageAttributes).toEqual({ 'order.id': MessageAttributes['order.id'] });
});

test('what is older than the retention period is gone, and purging empties the queue once a minute', async () => {
  await ask('SetQueueAttributes', { QueueUrl, Attributes: { MessageRetentionPeriod: '60' } });
  await send('old');
  await clock.advance(61_000);
  expect(await receive()).toEqual([]);
  await send('new');
  await ask('PurgeQueue', { QueueUrl });
  expect(await receive()).toEqual([]);
  await expect(ask('PurgeQueue', { QueueUrl })).rejects.toMatchObject({ code: 'PurgeQueueInProgress' });
});

test('queues are listed in pages, and a name rests for a minute after it was deleted', async () => {
  await ask('CreateQueue', { QueueName: 'mail' });
  const first = await ask<unknown, Sdk.ListQueuesResult>('ListQueues', { MaxResults: 1 });
  expect(first.QueueUrls).toEqual([QueueUrl]);
  const rest = await ask<unknown, Sdk.ListQueuesResult>('ListQueues', {
    MaxResults: 1,
    NextToken: first.NextToken,
  });
  expect(rest).toEqual({ QueueUrls: [QueueUrl.replace('jobs', 'mail')] });
  await ask('DeleteQueue', { QueueUrl });
  await expect(send('x')).rejects.toMatchObject({ code: 'QueueDoesNotExist' });
  await expect(ask('CreateQueue', { QueueName: 'jobs' })).rejects.toMatchObject({
    code: 'QueueDeletedRecently',
  });
  await clock.advance(60_000);
  expect(await ask('CreateQueue', { QueueName: 'jobs' })).toEqual({ QueueUrl });
});

test.each<[string, string, unknown]>([
  ['QueueNameExists', 'CreateQueue', { QueueName: 'jobs', Attributes: { VisibilityTimeout: '5' } }],
  ['UnsupportedOperation', 'CreateQueue', { QueueName: 'jobs.fifo' }],
  ['InvalidAttributeValue', 'SetQueueAttributes', { QueueUrl, Attributes: { VisibilityTimeout: '-1' } }],
  ['InvalidAttributeName', 'SetQueueAttributes', { QueueUrl, Attributes: { Colour: 'red' } }],
  ['InvalidParameterValue', 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 11 }],
  ['EmptyBatchRequest', 'SendMessageBatch', { QueueUrl, Entries: [] }],
])('%s: %s', async (code, operation, input) => {
  await expect(ask(operation, input)).rejects.toMatchObject({ code });
});
