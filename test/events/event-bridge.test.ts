import type * as Sdk from '@aws-sdk/client-eventbridge';
import type { Message } from '@aws-sdk/client-sqs';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AwsEvent } from '../../local/aws-event.ts';
import { AwsError } from '../../local/call.ts';
import type { Delivery, Interception } from '../../local/services/events/delivery.ts';
import { EventBridge } from '../../local/services/events/event-bridge.ts';
import { Sqs } from '../../local/services/sqs/sqs.ts';
import { ManualClock } from '../manual-clock.ts';
import { asker } from './ask.ts';

const machineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:deploy';
const functionArn = 'arn:aws:lambda:us-east-1:123456789012:function:signal';
const roleArn = 'arn:aws:iam::123456789012:role/events';
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:123456789012:${name}`;

const push: AwsEvent = {
  source: 'aws.ecr',
  detailType: 'ECR Image Action',
  resources: [],
  detail: { result: 'SUCCESS', 'repository-name': 'web', 'image-tag': 'v1' },
};

function world(options: { intercept?: (delivery: Delivery) => Interception } = {}) {
  const clock = new ManualClock(Date.UTC(2026, 10, 20, 5, 4, 0, 250));
  const sqs = new Sqs({ clock });
  const started: { machine: string; name: string | undefined; input: unknown }[] = [];
  const invoked: { at: number; payload: unknown }[] = [];
  const published: string[] = [];
  const authorized: unknown[] = [];
  const failures: string[] = [];
  const behaviour: { start?: () => void; authorize?: () => void; invoke?: () => string | undefined } = {};
  const bus = new EventBridge({
    clock,
    queues: sqs,
    executions: {
      start: (machine, { name, input }) => {
        behaviour.start?.();
        started.push({ machine, name, input: JSON.parse(input) });
        return { executionArn: 'arn', startDate: new Date(clock.now()) };
      },
    },
    invoker: {
      invoke: (_arn, payload) => {
        invoked.push({ at: clock.now(), payload: JSON.parse(payload) });
        const functionError = behaviour.invoke?.();
        return Promise.resolve({ payload: '{}', ...(functionError && { functionError }) });
      },
    },
    topics: { publish: (_arn, message) => void published.push(message) },
    authorizer: {
      authorize: (request) => {
        authorized.push(request);
        behaviour.authorize?.();
      },
    },
    onFailure: (failure) => failures.push(failure.message),
    ...(options.intercept && { deliveries: options.intercept }),
  });
  const ask = asker(bus.operations);
  const askSqs = asker(sqs.operations);
  const rule = async (target: Partial<Sdk.Target>, pattern: unknown = { source: ['aws.ecr'] }) => {
    await ask('PutRule', { Name: 'push', EventPattern: JSON.stringify(pattern) });
    const complete = { Id: 'T', Arn: machineArn, RoleArn: roleArn, ...target };
    await ask('PutTargets', { Rule: 'push', Targets: [complete] });
  };
  const queue = async (name: string) => {
    await askSqs('CreateQueue', { QueueName: name });
    const messages = async () => {
      const input = { QueueUrl: name, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
      const answer = await askSqs<unknown, { Messages?: Message[] }>('ReceiveMessage', input);
      return answer.Messages ?? [];
    };
    return { arn: queueArn(name), messages };
  };
  return { clock, bus, ask, rule, queue, started, invoked, published, authorized, failures, behaviour };
}

let aws = world();
beforeEach(() => {
  aws = world();
});

describe('a matching event', () => {
  test('starts an execution as the role of the target, a short while later, in the shape AWS gives events', async () => {
    await aws.rule({});
    aws.bus.emit(push);
    await aws.clock.advance(99);
    expect(aws.started).toEqual([]);
    await aws.clock.advance(1);
    const [execution] = aws.started;
    expect(execution?.machine).toBe(machineArn);
    expect(execution?.input).toEqual({
      version: '0',
      id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
      'detail-type': 'ECR Image Action',
      source: 'aws.ecr',
      account: '123456789012',
      time: '2026-11-20T05:04:00Z',
      region: 'us-east-1',
      resources: [],
      detail: push.detail,
    });
    expect(execution?.name).toMatch(new RegExp(`^${(execution!.input as { id: string }).id}_`));
    expect(aws.authorized).toEqual([
      {
        principal: { kind: 'role', roleArn, session: 'AWSEvents_T' },
        action: 'states:StartExecution',
        resources: [machineArn],
      },
    ]);
  });

  test('does not reach a rule that is disabled or that does not match', async () => {
    await aws.rule({}, { source: ['aws.ecs'] });
    aws.bus.emit(push);
    await aws.rule({});
    await aws.ask('DisableRule', { Name: 'push' });
    aws.bus.emit(push);
    await aws.clock.advance(1000);
    expect(aws.started).toEqual([]);
    await aws.ask('EnableRule', { Name: 'push' });
    aws.bus.emit(push);
    await aws.clock.advance(1000);
    expect(aws.started).toHaveLength(1);
  });

  test('is put into a queue and published to a topic', async () => {
    const queue = await aws.queue('inbox');
    await aws.rule({ Arn: queue.arn, InputPath: '$.detail' });
    const topic = { Id: 'S', Arn: 'arn:aws:sns:us-east-1:123456789012:t', Input: '"pushed"' };
    await aws.ask('PutTargets', { Rule: 'push', Targets: [topic] });
    aws.bus.emit(push);
    await aws.clock.advance(100);
    expect((await queue.messages()).map(({ Body }) => Body)).toEqual([JSON.stringify(push.detail)]);
    expect(aws.published).toEqual(['"pushed"']);
  });

  test('of which its sender changes the detail later is delivered as it was', async () => {
    const detail = { result: 'SUCCESS' };
    await aws.rule({});
    aws.bus.emit({ ...push, detail });
    detail.result = 'FAILURE';
    await aws.clock.advance(100);
    expect(aws.started[0]?.input).toMatchObject({ detail: { result: 'SUCCESS' } });
  });
});

test('a function that fails is run again by Lambda after one and two minutes, then reported', async () => {
  aws.behaviour.invoke = () => 'Unhandled';
  await aws.rule({ Arn: functionArn });
  const start = aws.clock.now();
  aws.bus.emit(push);
  await aws.clock.advance(10 * 60_000);
  expect(aws.invoked.map(({ at }) => at - start)).toEqual([100, 60_100, 180_100]);
  expect(aws.failures).toEqual([`${functionArn} failed 3 times: {}`]);
});

describe('an event that cannot be delivered', () => {
  const attributesOf = (message: Message | undefined) =>
    Object.fromEntries(
      Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]),
    );

  test('is retried with growing pauses and ends in the dead-letter queue, with the reason', async () => {
    const attempts: number[] = [];
    const dlq = await aws.queue('dlq');
    aws.behaviour.start = () => {
      attempts.push(aws.clock.now());
      throw new AwsError('ThrottlingException', 'Rate exceeded', { status: 400 });
    };
    await aws.rule({ RetryPolicy: { MaximumRetryAttempts: 3 }, DeadLetterConfig: { Arn: dlq.arn } });
    const start = aws.clock.now();
    aws.bus.emit(push);
    await aws.clock.advance(60_000);
    expect(attempts.map((at) => at - start)).toEqual([100, 1100, 3100, 7100]);
    const [message] = await dlq.messages();
    expect(JSON.parse(message?.Body ?? '')).toMatchObject({ source: 'aws.ecr', detail: push.detail });
    expect(attributesOf(message)).toEqual({
      RULE_ARN: 'arn:aws:events:us-east-1:123456789012:rule/push',
      TARGET_ARN: machineArn,
      ERROR_CODE: 'THROTTLING',
      ERROR_MESSAGE: 'Rate exceeded',
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
      RETRY_ATTEMPTS: '3',
    });
    expect(aws.failures).toEqual([]);
  });

  test('is given up when it is too old', async () => {
    const dlq = await aws.queue('dlq');
    aws.behaviour.start = () => {
      throw new AwsError('InternalFailure', 'Down', { status: 500 });
    };
    await aws.rule({ RetryPolicy: { MaximumEventAgeInSeconds: 60 }, DeadLetterConfig: { Arn: dlq.arn } });
    aws.bus.emit(push);
    await aws.clock.advance(120_000);
    expect(attributesOf((await dlq.messages())[0])).toMatchObject({
      ERROR_CODE: 'ERROR_FROM_TARGET',
      EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds',
      RETRY_ATTEMPTS: '5',
    });
  });

  test('by default is retried 185 times within 24 hours', async () => {
    const attempts: number[] = [];
    aws.behaviour.start = () => {
      attempts.push(aws.clock.now());
      throw new AwsError('InternalFailure', 'Down', { status: 500 });
    };
    await aws.rule({});
    aws.bus.emit(push);
    await aws.clock.advance(25 * 3_600_000);
    expect(attempts).toHaveLength(186);
    expect(aws.failures).toEqual([expect.stringContaining(`did not reach ${machineArn}: Down`)]);
  });

  test.each([
    ['AccessDeniedException', 'NO_PERMISSIONS'],
    ['StateMachineDoesNotExist', 'NO_RESOURCE'],
    ['InvalidExecutionInput', 'ERROR_FROM_TARGET'],
  ])('for %s goes to the dead-letter queue at once as %s', async (code, expected) => {
    const dlq = await aws.queue('dlq');
    aws.behaviour.authorize = () => {
      throw new AwsError(code, 'No.');
    };
    await aws.rule({ DeadLetterConfig: { Arn: dlq.arn } });
    aws.bus.emit(push);
    await aws.clock.advance(100);
    const attributes = attributesOf((await dlq.messages())[0]);
    expect(attributes).toMatchObject({ ERROR_CODE: expected, RETRY_ATTEMPTS: '0' });
    expect(attributes).not.toHaveProperty('EXHAUSTED_RETRY_CONDITION');
  });

  test('because its template gives no JSON goes there as INVALID_JSON', async () => {
    const dlq = await aws.queue('dlq');
    const InputTransformer = { InputTemplate: '"a"\n"b"' };
    await aws.rule({ InputTransformer, DeadLetterConfig: { Arn: dlq.arn } });
    aws.bus.emit(push);
    await aws.clock.advance(100);
    expect(attributesOf((await dlq.messages())[0])).toMatchObject({ ERROR_CODE: 'INVALID_JSON' });
  });

  test('nor put into a dead-letter queue is reported', async () => {
    aws.behaviour.authorize = () => {
      throw new AwsError('AccessDeniedException', 'No.');
    };
    await aws.rule({ DeadLetterConfig: { Arn: queueArn('gone') } });
    aws.bus.emit(push);
    await aws.clock.advance(100);
    expect(aws.failures[0]).toMatch(/nor its dead-letter queue: The specified queue does not exist\.$/);
  });
});

test('deliveries can be lost, doubled and late', async () => {
  const fates: Interception[] = ['drop', 'twice', { delayMs: 5000 }, 'deliver'];
  aws = world({ intercept: () => fates.shift() ?? 'deliver' });
  await aws.rule({});
  const counts: number[] = [];
  for (let event = 0; event < 3; event += 1) {
    aws.bus.emit(push);
    await aws.clock.advance(4000);
    counts.push(aws.started.length);
  }
  await aws.clock.advance(1000);
  expect([...counts, aws.started.length]).toEqual([0, 2, 2, 3]);
});

test('a scheduled rule runs its targets until it is disabled', async () => {
  await aws.ask('PutRule', { Name: 'sweep', ScheduleExpression: 'rate(5 minutes)' });
  await aws.ask('PutTargets', { Rule: 'sweep', Targets: [{ Id: 'F', Arn: functionArn }] });
  await aws.clock.advance(11 * 60_000);
  expect(aws.invoked.map(({ payload }) => payload)).toMatchObject([
    { source: 'aws.events', 'detail-type': 'Scheduled Event', time: '2026-11-20T05:09:00Z', detail: {} },
    { time: '2026-11-20T05:14:00Z', resources: ['arn:aws:events:us-east-1:123456789012:rule/sweep'] },
  ]);
  await aws.ask('DisableRule', { Name: 'sweep' });
  await aws.clock.advance(11 * 60_000);
  expect(aws.invoked).toHaveLength(2);
});

test('PutEvents takes what it can and says what is wrong with the rest', async () => {
  await aws.rule({}, { source: ['shop'] });
  const entry = { Source: 'shop', DetailType: 'Sale', Detail: '{"a":1}' };
  const Entries = [
    { ...entry, Time: new Date('2026-01-02T03:04:05Z') },
    { ...entry, Source: 'aws.ecr' },
    { ...entry, Detail: 'no' },
    { ...entry, DetailType: undefined },
  ];
  expect(await aws.ask('PutEvents', { Entries })).toEqual({
    FailedEntryCount: 3,
    Entries: [
      { EventId: expect.any(String) as string },
      { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' },
      { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' },
      {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: 'Parameter DetailType is not valid. Reason: DetailType is a required argument.',
      },
    ],
  });
  await aws.clock.advance(100);
  expect(aws.started.map(({ input }) => input)).toMatchObject([
    { time: '2026-01-02T03:04:05Z', detail: { a: 1 } },
  ]);
});

describe('rules', () => {
  test('are listed page by page and found by their targets', async () => {
    for (const Name of ['c', 'a', 'b']) {
      await aws.ask('PutRule', { Name, EventPattern: '{"source":["x"]}' });
      await aws.ask('PutTargets', { Rule: Name, Targets: [{ Id: 'F', Arn: functionArn }] });
    }
    const first = await aws.ask<unknown, Sdk.ListRulesResponse>('ListRules', { Limit: 2 });
    expect(first.Rules?.map(({ Name }) => Name)).toEqual(['a', 'b']);
    const second = await aws.ask<unknown, Sdk.ListRulesResponse>('ListRules', {
      Limit: 2,
      NextToken: first.NextToken,
    });
    expect(second.Rules?.map(({ Name }) => Name)).toEqual(['c']);
    expect(second.NextToken).toBeUndefined();
    expect(await aws.ask('ListRuleNamesByTarget', { TargetArn: functionArn })).toEqual({
      RuleNames: ['a', 'b', 'c'],
    });
  });

  test('keep targets and tags when they are put again, and are deleted only without targets', async () => {
    const Tags = [{ Key: 'team', Value: 'web' }];
    await aws.ask('PutRule', { Name: 'r', EventPattern: '{"source":["x"]}', Tags });
    await aws.ask('PutTargets', { Rule: 'r', Targets: [{ Id: 'F', Arn: functionArn }] });
    await aws.ask('PutRule', { Name: 'r', EventPattern: '{"source":["y"]}' });
    expect(
      await aws.ask('ListTagsForResource', { ResourceARN: 'arn:aws:events:us-east-1:123456789012:rule/r' }),
    ).toEqual({
      Tags,
    });
    await expect(aws.ask('DeleteRule', { Name: 'r' })).rejects.toThrow(
      "Rule can't be deleted since it has targets.",
    );
    expect(await aws.ask('RemoveTargets', { Rule: 'r', Ids: ['F', 'G'] })).toMatchObject({
      FailedEntryCount: 1,
    });
    await aws.ask('DeleteRule', { Name: 'r' });
    await expect(aws.ask('DescribeRule', { Name: 'r' })).rejects.toThrow(
      'Rule r does not exist on EventBus default.',
    );
  });

  test.each<[string, string, unknown, string]>([
    [
      'PutRule',
      'InvalidEventPatternException',
      { Name: 'r', EventPattern: '{"source":[{"begins":"x"}]}' },
      'Event pattern is not valid. Reason: Unrecognized match type begins',
    ],
    [
      'PutRule',
      'ValidationException',
      { Name: 'r' },
      'Parameter(s) EventPattern or ScheduleExpression must be specified.',
    ],
    [
      'PutRule',
      'ResourceNotFoundException',
      { Name: 'r', EventBusName: 'mine', EventPattern: '{"a":[1]}' },
      'Event bus mine does not exist.',
    ],
    [
      'PutTargets',
      'ValidationException',
      { Rule: 'push', Targets: [{ Id: 'T', Arn: machineArn }] },
      `RoleArn is required for target ${machineArn}.`,
    ],
    [
      'PutTargets',
      'ValidationException',
      { Rule: 'push', Targets: [{ Id: 'T', Arn: functionArn, Input: '{}', InputPath: '$' }] },
      'Only one of Input, InputPath, or InputTransformer must be provided for target T.',
    ],
    [
      'PutTargets',
      'LimitExceededException',
      { Rule: 'push', Targets: ['a', 'b', 'c', 'd', 'e', 'f'].map((Id) => ({ Id, Arn: functionArn })) },
      'The requested resource exceeds the maximum number allowed.',
    ],
    [
      'PutTargets',
      'ResourceNotFoundException',
      { Rule: 'gone', Targets: [] },
      'Rule gone does not exist on EventBus default.',
    ],
  ])('%s refuses with %s', async (operation, code, input, message) => {
    await aws.rule({});
    await expect(aws.ask(operation, input)).rejects.toMatchObject({ code, message });
  });
});
