import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { EventBridge } from '../../local/services/events/event-bridge.ts';
import { Sns } from '../../local/services/sns/sns.ts';
import { Sqs } from '../../local/services/sqs/sqs.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

const clock = new ManualClock();
const unused = () => {
  throw new Error('not part of this test');
};
const sqs = new Sqs({ clock });
const invoker = { invoke: unused };
const onFailure = (failure: Error) => {
  throw failure;
};
const sns = new Sns({ clock, queues: sqs, invoker, onFailure });
const authorizer = { authorize: unused };
const bus = new EventBridge({
  clock,
  queues: sqs,
  topics: sns,
  invoker,
  executions: { start: unused },
  authorizer,
  onFailure,
});
const publish = (topicArn: string, subject: string, message: string) =>
  sns.publish(topicArn, message, { subject });
const cloudwatch = new CloudWatch({ clock, emit: bus.emit, publish });

let aws: Awaited<ReturnType<typeof embedded>>;
beforeAll(async () => {
  aws = await embedded({
    cloudwatch: cloudwatch.operations,
    events: bus.operations,
    sns: sns.operations,
    sqs: sqs.operations,
  });
});
afterAll(() => aws.close());

test('an alarm reaches a queue both as an event of a rule and as a message of a topic, all by the SDK', async () => {
  const queues = new SQSClient(aws.client);
  const events = new EventBridgeClient(aws.client);
  const topics = new SNSClient(aws.client);
  const metrics = new CloudWatchClient(aws.client);
  const queueUrl = (await queues.send(new CreateQueueCommand({ QueueName: 'signals' }))).QueueUrl!;
  expect(queueUrl).toBe(`${aws.endpoint}/123456789012/signals`);
  const queueArn = 'arn:aws:sqs:us-east-1:123456789012:signals';
  const { TopicArn } = await topics.send(new CreateTopicCommand({ Name: 'alarms' }));
  await topics.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queueArn }));
  const pattern = { source: ['aws.cloudwatch'], detail: { state: { value: ['ALARM'] } } };
  await events.send(new PutRuleCommand({ Name: 'alarms', EventPattern: JSON.stringify(pattern) }));
  const target = { Id: 'q', Arn: queueArn, InputPath: '$.detail.alarmName' };
  await events.send(new PutTargetsCommand({ Rule: 'alarms', Targets: [target] }));
  await metrics.send(
    new PutMetricAlarmCommand({
      AlarmName: 'slow',
      Namespace: 'Shop',
      MetricName: 'Latency',
      ExtendedStatistic: 'p99',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 0.5,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      AlarmActions: [TopicArn!],
    }),
  );
  const at = new Date(clock.now());
  await metrics.send(
    new PutMetricDataCommand({
      Namespace: 'Shop',
      MetricData: [
        { MetricName: 'Latency', Timestamp: at, Values: [0.1, 0.75], Counts: [50, 50], Unit: 'Seconds' },
      ],
    }),
  );
  await clock.advance(75_000);
  const { MetricAlarms } = await metrics.send(new DescribeAlarmsCommand({ AlarmNames: ['slow'] }));
  expect(MetricAlarms).toMatchObject([
    {
      StateValue: 'ALARM',
      StateReason:
        'Threshold Crossed: 1 datapoint [0.75 (01/01/26 00:00:00)] was greater than or equal to the threshold (0.5).',
      StateUpdatedTimestamp: new Date('2026-01-01T00:01:10Z'),
    },
  ]);
  const { Messages } = await queues.send(
    new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
  );
  expect(Messages?.map(({ Body }) => (JSON.parse(Body!) as { Subject?: string }).Subject ?? Body)).toEqual([
    'ALARM: "slow" in US East (N. Virginia)',
    '"slow"',
  ]);
  const Metric = { Namespace: 'Shop', MetricName: 'Latency' };
  const { MetricDataResults } = await metrics.send(
    new GetMetricDataCommand({
      StartTime: at,
      EndTime: new Date(clock.now()),
      MetricDataQueries: [
        { Id: 'all', MetricStat: { Metric, Period: 60, Stat: 'SampleCount' }, ReturnData: false },
        { Id: 'fast', MetricStat: { Metric, Period: 60, Stat: 'TC(:0.5)' }, ReturnData: false },
        { Id: 'share', Expression: 'fast / all' },
      ],
    }),
  );
  expect(MetricDataResults).toMatchObject([{ Id: 'share', Timestamps: [at], Values: [0.5] }]);
});

test('what is refused has the name that SDKs know', async () => {
  const queues = new SQSClient(aws.client);
  const gone = new SendMessageCommand({ QueueUrl: `${aws.endpoint}/123456789012/gone`, MessageBody: 'x' });
  await expect(queues.send(gone)).rejects.toBeInstanceOf(QueueDoesNotExist);
  const TopicArn = 'arn:aws:sns:us-east-1:123456789012:gone';
  const published = new SNSClient(aws.client).send(new PublishCommand({ TopicArn, Message: 'x' }));
  await expect(published).rejects.toMatchObject({
    name: 'NotFoundException',
    message: 'Topic does not exist',
  });
  const ruled = new EventBridgeClient(aws.client).send(
    new PutRuleCommand({ Name: 'r', EventPattern: '{"a":1}' }),
  );
  await expect(ruled).rejects.toMatchObject({ name: 'InvalidEventPatternException' });
  const Entries = [{ Source: 'aws.ecr', DetailType: 'x', Detail: '{}' }];
  const put = await new EventBridgeClient(aws.client).send(new PutEventsCommand({ Entries }));
  expect(put).toMatchObject({
    FailedEntryCount: 1,
    Entries: [{ ErrorCode: 'NotAuthorizedForSourceException' }],
  });
});
