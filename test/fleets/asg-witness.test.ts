/** What a group and its instances left behind: what EC2 Auto Scaling says of them, and their last lines. */
import type { Activity } from '@aws-sdk/client-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { EC2Client } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AsgWitness } from '../../functions/aws/asg-witness.ts';
import { AwsError, type Operations } from '../../local/call.ts';
import { generationOf, settingsOf } from '../core/examples.ts';
import { embedded } from '../wire/embedded.ts';
import { asgKind } from './asg-kind.ts';

const generation = generationOf(1);
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const activity = (minute: number, changes: Partial<Activity>): Activity => ({
  ActivityId: `${minute}`,
  AutoScalingGroupName: generation.name,
  StartTime: at(minute),
  StatusCode: 'Successful',
  Cause: 'At 2026-01-01T00:00:00Z an instance was started.',
  Description: `Launching a new EC2 instance: i-0${minute}`,
  ...changes,
});
const failed = (minute: number, StatusMessage: string) =>
  activity(minute, { StatusCode: 'Failed', StatusMessage, Description: 'Launching a new EC2 instance.' });

describe('by what EC2 Auto Scaling answers', () => {
  let answers: Record<string, object | Error>;
  let aws: Awaited<ReturnType<typeof embedded>>;
  let witness: AsgWitness;
  const logGroup = '/web';
  const fleet = { kind: 'asg', logGroup };
  const asked = () => aws.calls.records().map(({ operation }) => operation);
  beforeEach(async () => {
    answers = {
      DescribeScalingActivities: { Activities: [activity(2, {}), activity(1, {})] },
      GetConsoleOutput: { Output: Buffer.from('booting\r\n\r\nno space left\n').toString('base64') },
      GetLogEvents: { events: [{ message: 'starting' }, { message: 'no database' }] },
    };
    const of = (operation: string): Operations => ({
      [operation]: async () => {
        const answer = answers[operation]!;
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
    aws = await embedded({
      autoscaling: of('DescribeScalingActivities'),
      ec2: of('GetConsoleOutput'),
      logs: of('GetLogEvents'),
    });
    witness = new AsgWitness(
      new AutoScalingClient(aws.client),
      new EC2Client(aws.client),
      new CloudWatchLogsClient(aws.client),
    );
  });
  afterEach(() => aws.close());
  const lastWords = (task: string | null = null, place: { kind: string; logGroup?: string } = fleet) =>
    witness.lastWords(settingsOf({ fleet: place }), generation, task);

  it('what failed, was given up or found unhealthy is told once, the newest last, and nothing everyday', async () => {
    const cause = 'an instance was taken out of service in response to an ELB system health check failure.';
    const ended = (minute: number) =>
      activity(minute, {
        Cause: `At 2026-01-01T00:0${minute}:00Z ${cause}`,
        Description: 'Terminating: i-01',
      });
    answers['DescribeScalingActivities'] = {
      Activities: [
        failed(9, 'We do not have sufficient capacity.'),
        ended(8),
        activity(7, { StatusCode: 'Cancelled', StatusMessage: 'Lifecycle action was abandoned.' }),
        failed(6, 'We do not have sufficient capacity.'),
        ended(5),
        activity(4, { StatusCode: 'Cancelled', StatusMessage: undefined }),
        failed(3, 'The AMI is gone.'),
        activity(2, {}),
      ],
    };
    expect((await lastWords()).events).toEqual([
      'The AMI is gone.',
      'Lifecycle action was abandoned.',
      cause,
      'We do not have sufficient capacity.',
    ]);
  });

  it('of much only the newest five are told', async () => {
    const Activities = [9, 8, 7, 6, 5, 4, 3].map((minute) => failed(minute, `fault ${minute}`));
    answers['DescribeScalingActivities'] = { Activities };
    expect((await lastWords()).events).toEqual([5, 6, 7, 8, 9].map((minute) => `fault ${minute}`));
  });

  it('the log is the stream of the instance that is asked for, or of the newest', async () => {
    expect((await lastWords('i-0123')).log).toEqual(['starting', 'no database']);
    expect(asked()).toEqual(['DescribeScalingActivities', 'GetLogEvents']);
  });

  it('without a log group it is the console, without empty lines', async () => {
    expect(await lastWords(null, { kind: 'asg' })).toEqual({
      events: [],
      log: ['booting', 'no space left'],
      unread: [],
    });
  });

  it('the log is looked for where the generation was launched, whatever the service runs on by now', async () => {
    const launched = { ...generation, fleet: { kind: 'asg', logGroup: '/web' } };
    const words = await witness.lastWords(settingsOf({ fleet: { kind: 'ecs' } }), launched, 'i-0123');
    expect(words.log).toEqual(['starting', 'no database']);
  });

  const notFound = "AutoScalingGroup name not found - AutoScalingGroup 'web-g0001' not found";
  it.each<[string, string, AwsError, { kind: string; logGroup?: string }]>([
    [
      'of a group that is gone',
      'DescribeScalingActivities',
      new AwsError('ValidationException', notFound),
      fleet,
    ],
    [
      'of an instance that never logged',
      'GetLogEvents',
      new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.'),
      fleet,
    ],
    [
      'of an instance that is gone',
      'GetConsoleOutput',
      new AwsError('InvalidInstanceID.NotFound', "The instance ID 'i-02' does not exist"),
      { kind: 'asg' },
    ],
  ])('%s there is nothing', async (_, operation, error, place) => {
    answers[operation] = error;
    expect(await lastWords(null, place)).toEqual({ events: [], log: [], unread: [] });
  });

  it.each<[string, string, { kind: string; logGroup?: string }]>([
    ['DescribeScalingActivities', 'reading the scaling activities of web-g0001', fleet],
    ['GetLogEvents', 'reading the log /web, i-02', fleet],
    ['GetConsoleOutput', 'reading the console of i-02', { kind: 'asg' }],
  ])('what may not be read is told as such: %s', async (operation, doing, place) => {
    for (const code of ['AccessDenied', 'Throttling']) {
      answers[operation] = new AwsError(code, 'not now');
      const { unread } = await lastWords(null, place);
      expect(unread).toEqual([expect.stringMatching(`while ${doing}.*${code}`)]);
    }
  });
});

it('a generation on the embedded AWS is heard by its stream', async () => {
  const { region, fleet, settings } = await asgKind();
  try {
    await fleet.launch(settings, generation, 1, null);
    await region.clock.advance(300_000);
    const [instance = ''] = (await fleet.observe(settings, generation))?.own ?? [];
    const stream = { logGroupName: '/web', logStreamName: instance };
    await region.logs.send(new CreateLogGroupCommand({ logGroupName: '/web' }));
    await region.logs.send(new CreateLogStreamCommand(stream));
    const logEvents = [{ timestamp: region.clock.now(), message: 'ready' }];
    await region.logs.send(new PutLogEventsCommand({ ...stream, logEvents }));
    const logging = settingsOf({ fleet: { ...settings.fleet, logGroup: '/web' }, traffic: settings.traffic });
    const witness = new AsgWitness(region.autoscaling, region.ec2, region.logs);
    expect(await witness.lastWords(logging, generation, null)).toEqual({
      events: [],
      log: ['ready'],
      unread: [],
    });
  } finally {
    await region.close();
  }
});
