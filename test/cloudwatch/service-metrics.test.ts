/** What SQS, Lambda and Step Functions tell CloudWatch of themselves. */
import { afterEach, expect, test } from 'vitest';
import type { MetricSink, Observation } from '../../local/services/cloudwatch/metric-sink.ts';
import { Sqs } from '../../local/services/sqs/sqs.ts';
import { EmbeddedDynamoDb } from '../dynamodb/embedded-dynamodb.ts';
import { asker } from '../events/ask.ts';
import { EmbeddedLambda } from '../lambda/embedded-lambda.ts';
import { ManualClock } from '../manual-clock.ts';
import { EmbeddedStates, machineArn } from '../states/embedded-states.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** `AWS/SQS ApproximateNumberOfMessagesVisible jobs 1` */
function listening(): { readonly metrics: MetricSink; readonly heard: () => readonly string[] } {
  const observations: Observation[] = [];
  return {
    metrics: { record: (observation) => void observations.push(observation) },
    heard: () =>
      observations
        .splice(0)
        .map(({ namespace, metric, dimensions, values }) =>
          [namespace, metric, ...Object.values(dimensions), ...values].join(' '),
        ),
  };
}

test('a queue tells how many messages are in it each minute, until nobody has used it for six hours', async () => {
  const clock = new ManualClock();
  const { metrics, heard } = listening();
  const sqs = new Sqs({ clock, metrics });
  closing.push(() => sqs.close());
  const ask = asker(sqs.operations);
  await ask('CreateQueue', { QueueName: 'jobs' });
  const told = (visible: number, inFlight: number, delayed: number) => [
    `AWS/SQS ApproximateNumberOfMessagesVisible jobs ${visible}`,
    `AWS/SQS ApproximateNumberOfMessagesNotVisible jobs ${inFlight}`,
    `AWS/SQS ApproximateNumberOfMessagesDelayed jobs ${delayed}`,
  ];
  for (const more of [{}, {}, { DelaySeconds: 900 }])
    await ask('SendMessage', { QueueUrl: 'jobs', MessageBody: 'x', ...more });
  await ask('ReceiveMessage', { QueueUrl: 'jobs', VisibilityTimeout: 600 });
  await clock.advance(60_000);
  expect(heard()).toEqual(told(1, 1, 1));
  await ask('PurgeQueue', { QueueUrl: 'jobs' });
  await clock.advance(60_000);
  expect(heard()).toEqual(told(0, 0, 0));
  await clock.advance(6 * 3_600_000);
  heard();
  await clock.advance(3_600_000);
  expect(heard()).toEqual([]);
});

test('a function tells each invocation and whether it failed', async () => {
  const { metrics, heard } = listening();
  const aws = new EmbeddedLambda({ metrics });
  closing.push(() => aws.lambda.close());
  await aws.create('f', 'export const handler = async ({ fail }) => { if (fail) throw new Error("no"); };');
  await aws.invoke('f');
  expect(heard()).toEqual(['AWS/Lambda Invocations f 1', 'AWS/Lambda Errors f 0']);
  await aws.invoke('f', { fail: true });
  expect(heard()).toEqual(['AWS/Lambda Invocations f 1', 'AWS/Lambda Errors f 1']);
});

test('a function that a stream calls tells how old the last record of each batch is', async () => {
  const { metrics, heard } = listening();
  const dynamodb = new EmbeddedDynamoDb({ shardsPerStream: 1 });
  closing.push(() => dynamodb.service.close());
  const streamArn = await dynamodb.createTable();
  const { clock } = dynamodb;
  const aws = new EmbeddedLambda({ clock, streams: dynamodb.service.streams, metrics });
  closing.push(() => aws.lambda.close());
  await aws.create('f', 'export const handler = async () => ({ batchItemFailures: [] });');
  await dynamodb.put('a');
  await clock.advance(5_000);
  await aws.call('CreateEventSourceMapping', {
    FunctionName: 'f',
    EventSourceArn: streamArn,
    StartingPosition: 'TRIM_HORIZON',
  });
  await clock.advance(100);
  const ages = () => heard().filter((each) => each.includes('IteratorAge'));
  await expect.poll(ages).toEqual(['AWS/Lambda IteratorAge f 5100']);
});

test.each([
  ['ExecutionsSucceeded', { Type: 'Succeed' }],
  ['ExecutionsFailed', { Type: 'Fail', Error: 'Mine' }],
])('an execution tells how it ended: %s', async (metric, state) => {
  const { metrics, heard } = listening();
  const embedded = new EmbeddedStates({ metrics });
  embedded.start({ StartAt: 'S', States: { S: state } });
  await embedded.clock.advance(1_000);
  expect(heard()).toEqual([`AWS/States ${metric} ${machineArn()} 1`]);
});
