import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type * as Sdk from '@aws-sdk/client-sns';
import type { Message } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { FastForwardClock } from '../../local/clock.ts';
import { followLink } from '../../local/services/sns/links.ts';
import { Sns } from '../../local/services/sns/sns.ts';
import { Sqs } from '../../local/services/sqs/sqs.ts';
import { asker } from '../events/ask.ts';
import { ManualClock } from '../manual-clock.ts';

const TopicArn = 'arn:aws:sns:us-east-1:123456789012:deployments';
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:123456789012:${name}`;

function world(clock: ManualClock | FastForwardClock = new ManualClock(Date.UTC(2026, 10, 20))) {
  const sqs = new Sqs({ clock });
  const invoked: unknown[] = [];
  const failures: string[] = [];
  const sns = new Sns({
    clock,
    queues: sqs,
    invoker: {
      invoke: (_arn, payload) => {
        invoked.push(JSON.parse(payload));
        return Promise.resolve({ payload: 'null' });
      },
    },
    onFailure: (failure) => failures.push(failure.message),
  });
  const ask = asker(sns.operations);
  const askSqs = asker(sqs.operations);
  const received = async (QueueUrl: string) => {
    const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
    return (await askSqs<unknown, { Messages?: Message[] }>('ReceiveMessage', input)).Messages ?? [];
  };
  const subscribe = async (queue: string, Attributes: Record<string, string> = {}) => {
    await askSqs('CreateQueue', { QueueName: queue });
    const input = { TopicArn, Protocol: 'sqs', Endpoint: queueArn(queue), Attributes };
    return (await ask<unknown, Sdk.SubscribeResponse>('Subscribe', input)).SubscriptionArn!;
  };
  const publish = (Message: string, more: Partial<Sdk.PublishInput> = {}) =>
    ask<unknown, Sdk.PublishResponse>('Publish', { TopicArn, Message, ...more });
  return { sqs, sns, ask, askSqs, received, subscribe, publish, invoked, failures };
}

describe('a published message', () => {
  const clock = new ManualClock(Date.UTC(2026, 10, 20));
  let aws = world(clock);
  beforeEach(async () => {
    aws = world(clock);
    await aws.ask('CreateTopic', { Name: 'deployments' });
  });

  test('reaches all subscribed queues, wrapped or raw', async () => {
    await aws.subscribe('wrapped');
    await aws.subscribe('raw', { RawMessageDelivery: 'true' });
    const MessageAttributes = { service: { DataType: 'String', StringValue: 'web' } };
    const published = clock.now();
    const { MessageId } = await aws.publish('live', { Subject: 'web is live', MessageAttributes });
    await clock.advance(50);
    const [wrapped] = await aws.received('wrapped');
    expect(JSON.parse(wrapped?.Body ?? '')).toMatchObject({
      Type: 'Notification',
      MessageId,
      TopicArn,
      Subject: 'web is live',
      Message: 'live',
      Timestamp: new Date(published).toISOString(),
      MessageAttributes: { service: { Type: 'String', Value: 'web' } },
    });
    const [raw] = await aws.received('raw');
    expect(raw).toMatchObject({ Body: 'live', MessageAttributes });
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['an attribute', { FilterPolicy: '{"service":["web"]}' }, ['web-ok']],
    ['a number', { FilterPolicy: '{"weight":[{"numeric":[">=",50]}]}' }, ['api-bad']],
    ['an array', { FilterPolicy: '{"teams":["blue"]}' }, ['web-ok']],
    ['a missing attribute', { FilterPolicy: '{"teams":[{"exists":false}]}' }, ['api-bad']],
    [
      'its body',
      { FilterPolicy: '{"outcome":{"state":["failed"]}}', FilterPolicyScope: 'MessageBody' },
      ['api-bad'],
    ],
    ['nothing', {}, ['web-ok', 'api-bad']],
  ])('is filtered by %s', async (_, attributes, expected) => {
    await aws.subscribe('q', { ...attributes, RawMessageDelivery: 'true' });
    const string = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });
    await aws.publish('{"outcome":{"state":"live"},"id":"web-ok"}', {
      MessageAttributes: {
        service: string('web'),
        weight: string('10', 'Number'),
        teams: string('["red","blue"]', 'String.Array'),
      },
    });
    await aws.publish('{"outcome":{"state":"failed"},"id":"api-bad"}', {
      MessageAttributes: { service: string('api'), weight: string('50', 'Number') },
    });
    await clock.advance(50);
    const ids = (await aws.received('q')).map(({ Body }) => (JSON.parse(Body!) as { id: string }).id);
    expect(ids).toEqual(expected);
  });

  test('can say something else to each protocol, and reaches functions as an SNS event', async () => {
    await aws.subscribe('q', { RawMessageDelivery: 'true' });
    const Endpoint = 'arn:aws:lambda:us-east-1:123456789012:function:announce';
    const { SubscriptionArn } = await aws.ask<unknown, Sdk.SubscribeResponse>('Subscribe', {
      TopicArn,
      Protocol: 'lambda',
      Endpoint,
    });
    await aws.publish('{"default":"all","sqs":"queues"}', { MessageStructure: 'json' });
    await clock.advance(50);
    expect((await aws.received('q')).map(({ Body }) => Body)).toEqual(['queues']);
    expect(aws.invoked).toMatchObject([
      {
        Records: [
          {
            EventSource: 'aws:sns',
            EventSubscriptionArn: SubscriptionArn,
            Sns: { Message: 'all', Subject: null },
          },
        ],
      },
    ]);
  });

  test('for a queue that is gone goes to the dead-letter queue of the subscription, else is reported', async () => {
    await aws.askSqs('CreateQueue', { QueueName: 'dead' });
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queueArn('dead') });
    await aws.subscribe('one', { RedrivePolicy });
    const two = await aws.subscribe('two');
    await aws.askSqs('DeleteQueue', { QueueUrl: 'one' });
    await aws.askSqs('DeleteQueue', { QueueUrl: 'two' });
    const { MessageId } = await aws.publish('lost?');
    await clock.advance(50);
    expect(await aws.received('dead')).toHaveLength(1);
    expect(aws.failures).toEqual([
      `Message ${MessageId} to subscription ${two} was not delivered: The specified queue does not exist.`,
    ]);
  });

  test('no longer reaches who unsubscribed', async () => {
    const SubscriptionArn = await aws.subscribe('q');
    expect(await aws.subscribe('q')).toBe(SubscriptionArn);
    const list = await aws.ask<unknown, Sdk.ListSubscriptionsByTopicResponse>('ListSubscriptionsByTopic', {
      TopicArn,
    });
    expect(list.Subscriptions).toMatchObject([{ SubscriptionArn, Protocol: 'sqs', Endpoint: queueArn('q') }]);
    await aws.ask('Unsubscribe', { SubscriptionArn });
    await aws.publish('gone');
    await clock.advance(50);
    expect(await aws.received('q')).toEqual([]);
    const { Attributes } = await aws.ask<unknown, Sdk.GetTopicAttributesResponse>('GetTopicAttributes', {
      TopicArn,
    });
    expect(Attributes).toMatchObject({ SubscriptionsConfirmed: '0', SubscriptionsDeleted: '1' });
  });

  test('to an address by mail waits for a confirmation that never comes', async () => {
    const input = { TopicArn, Protocol: 'email', Endpoint: 'ops@example.com' };
    expect(await aws.ask('Subscribe', input)).toEqual({ SubscriptionArn: 'pending confirmation' });
    const list = await aws.ask<unknown, Sdk.ListSubscriptionsResponse>('ListSubscriptions', {});
    expect(list.Subscriptions).toMatchObject([{ SubscriptionArn: 'PendingConfirmation' }]);
  });

  test('in a batch succeeds or fails alone', async () => {
    const PublishBatchRequestEntries = [
      { Id: 'a', Message: 'x' },
      { Id: 'b', Message: '' },
    ];
    expect(await aws.ask('PublishBatch', { TopicArn, PublishBatchRequestEntries })).toMatchObject({
      Successful: [{ Id: 'a' }],
      Failed: [{ Id: 'b', Code: 'InvalidParameterException', Message: 'Invalid parameter: Empty message' }],
    });
  });

  test.each<[string, string, unknown]>([
    ['Invalid parameter: Message too long', 'Publish', { TopicArn, Message: 'x'.repeat(262_145) }],
    ['Invalid parameter: Subject', 'Publish', { TopicArn, Message: 'x', Subject: 'two\nlines' }],
    [
      'Invalid parameter: Message Structure - No default entry in JSON message body',
      'Publish',
      { TopicArn, Message: '{}', MessageStructure: 'json' },
    ],
    ['Topic does not exist', 'Publish', { TopicArn: `${TopicArn}-gone`, Message: 'x' }],
    [
      'Invalid parameter: Endpoint must match the specified protocol',
      'Subscribe',
      { TopicArn, Protocol: 'http', Endpoint: 'https://x' },
    ],
    [
      'Invalid parameter: FilterPolicy: Unrecognized match type begins',
      'Subscribe',
      {
        TopicArn,
        Protocol: 'sqs',
        Endpoint: queueArn('q'),
        Attributes: { FilterPolicy: '{"a":[{"begins":"x"}]}' },
      },
    ],
    [
      'Invalid parameter: FIFO topics are not modelled by the embedded AWS',
      'CreateTopic',
      { Name: 'x.fifo' },
    ],
  ])('is refused: %s', async (message, operation, input) => {
    await expect(aws.ask(operation, input)).rejects.toMatchObject({ message });
  });
});

describe('an HTTP endpoint', () => {
  let server: Server;
  let clock: FastForwardClock;
  let aws: ReturnType<typeof world>;
  const posts: { headers: IncomingHttpHeaders; body: string }[] = [];
  let answers: number[] = [];
  const arrived = async (count: number) => {
    while (posts.length < count) await once(server, 'posted');
  };

  beforeEach(async () => {
    posts.length = 0;
    clock = new FastForwardClock({ speed: 1000, onFailure: (failure) => expect.fail(String(failure)) });
    aws = world(clock);
    server = createServer((request, response) => {
      // The endpoint and the embedded AWS share this server: links that SNS gives out come without a signature.
      if (request.url?.startsWith('/?') && followLink(aws.sns, request, response)) return;
      void text(request).then((body) => {
        posts.push({ headers: request.headers, body });
        response.writeHead(answers.shift() ?? 200).end();
        server.emit('posted');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    clock.stop();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  test('confirms its subscription, gets messages with the headers of AWS, and again when it failed', async () => {
    const { ask, publish } = aws;
    await ask('CreateTopic', { Name: 'deployments' });
    const Endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    await ask('Subscribe', { TopicArn, Protocol: 'http', Endpoint });
    await arrived(1);
    const confirmation = JSON.parse(posts[0]!.body) as Record<string, string>;
    expect(posts[0]!.headers).toMatchObject({
      'x-amz-sns-message-type': 'SubscriptionConfirmation',
      'x-amz-sns-topic-arn': TopicArn,
      'content-type': 'text/plain; charset=UTF-8',
      'user-agent': 'Amazon Simple Notification Service Agent',
    });
    const query = new URL(confirmation['SubscribeURL']!).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      Action: 'ConfirmSubscription',
      TopicArn,
      Token: confirmation['Token'],
    });
    const service = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?`;
    const visited = await fetch(`${service}${query.toString()}`);
    const SubscriptionArn = /<SubscriptionArn>(.+)<.SubscriptionArn>/.exec(await visited.text())?.[1];
    expect(SubscriptionArn).toMatch(new RegExp(`^${TopicArn}:`));
    answers = [503, 200];
    await publish('live');
    await arrived(3);
    expect(posts[1]!.headers).toMatchObject({
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-subscription-arn': SubscriptionArn,
    });
    expect(JSON.parse(posts[2]!.body)).toMatchObject({ Type: 'Notification', Message: 'live' });
    expect(posts[2]!.body).toBe(posts[1]!.body);
  });
});

test.each([
  ["AWS's own key", 'alias/aws/sns', 'refused'],
  ['a key of its own', 'alias/mine', 'taken'],
  ['no key', '', 'taken'],
])('what a service publishes in its own name to a topic under %s (%s) is %s', async (_, key, outcome) => {
  const { sns, ask } = world();
  await ask('CreateTopic', { Name: 'keyed', Attributes: { KmsMasterKeyId: key } });
  const keyed = 'arn:aws:sns:us-east-1:123456789012:keyed';
  const publish = (byRole: boolean) => {
    try {
      sns.publish(keyed, 'an alarm is red', { byRole });
      return 'taken';
    } catch (failure) {
      return codeOf(failure) === 'KMSAccessDenied' ? 'refused' : failure;
    }
  };
  expect(publish(false)).toBe(outcome);
  // A role has a right of its own to use the key.
  expect(publish(true)).toBe('taken');
});

function codeOf(failure: unknown): string | undefined {
  return failure instanceof AwsError ? failure.code : undefined;
}
