/** What a generation left behind, as real SDK clients read it: bounded, without the everyday, and never in the way. */
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { ECSClient } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EcsWitness } from '../../functions/aws/ecs-witness.ts';
import { AwsError } from '../../local/call.ts';
import { generationOf, settingsOf } from '../core/examples.ts';
import { embedded } from '../wire/embedded.ts';

const settings = settingsOf({
  fleet: {
    kind: 'ecs',
    cluster: 'demo',
    taskDefinition: 'web:7',
    container: 'app',
    port: 8080,
    subnets: ['subnet-a'],
    securityGroups: [],
    assignPublicIp: false,
  },
});
const generation = generationOf(2);
const logging = {
  logDriver: 'awslogs',
  options: { 'awslogs-group': '/web', 'awslogs-stream-prefix': 'web' },
};

let answers: Record<string, object | string>;
let aws: Awaited<ReturnType<typeof embedded>>;
let witness: EcsWitness;
beforeEach(async () => {
  answers = {
    DescribeServices: {
      services: [
        {
          events: [
            '(service web-g0002) was unable to place a task. Reason: no vCPUs left.',
            '(service web-g0002) has started 2 tasks: (task 1).',
            '(service web-g0002) was unable to place a task. Reason: no vCPUs left.',
            '(service web-g0002) has reached a steady state.',
          ].map((message) => ({ message })),
        },
      ],
    },
    DescribeTaskDefinition: {
      taskDefinition: { containerDefinitions: [{ name: 'app', logConfiguration: logging }] },
    },
    ListTasks: { taskArns: ['arn:aws:ecs:eu-west-1:123456789012:task/demo/t9'] },
    GetLogEvents: { events: [{ message: 'starting' }, { message: 'no database' }] },
  };
  const of = (...operations: string[]) =>
    Object.fromEntries(
      operations.map((operation) => [
        operation,
        async () => {
          const answer = answers[operation]!;
          if (typeof answer === 'string') throw new AwsError(answer, 'not now');
          return answer;
        },
      ]),
    );
  aws = await embedded({
    ecs: of('DescribeServices', 'DescribeTaskDefinition', 'ListTasks'),
    logs: of('GetLogEvents'),
  });
  witness = new EcsWitness(new ECSClient(aws.client), new CloudWatchLogsClient(aws.client));
});
afterEach(() => aws.close());

const inputs = (operation: string) =>
  aws.calls.records().filter((call) => call.operation === operation).length;

describe('a generation that failed', () => {
  it('is told of by its last lines, and by what ECS said that is not everyday, once', async () => {
    expect(await witness.lastWords(settings, generation, 't1')).toEqual({
      events: ['was unable to place a task. Reason: no vCPUs left.'],
      log: ['starting', 'no database'],
      unread: [],
    });
    expect(inputs('ListTasks')).toBe(0);
  });

  it('is asked for the log of any task when none is known to have crashed', async () => {
    await witness.lastWords(settings, generation, null);
    expect(inputs('ListTasks')).toBe(1);
    expect(inputs('GetLogEvents')).toBe(1);
  });

  it.each<[string, () => void]>([
    ['that never logged', () => (answers['GetLogEvents'] = 'ResourceNotFoundException')],
    ['that never had a task', () => (answers['ListTasks'] = { taskArns: [] })],
    [
      'that logs elsewhere',
      () =>
        (answers['DescribeTaskDefinition'] = { taskDefinition: { containerDefinitions: [{ name: 'app' }] } }),
    ],
  ])('%s has no log', async (_, given) => {
    given();
    expect(await witness.lastWords(settings, generation, null)).toMatchObject({ log: [], unread: [] });
  });

  it('whose log may not be read is told of all the same, with why', async () => {
    answers['GetLogEvents'] = 'AccessDeniedException';
    const words = await witness.lastWords(settings, generation, 't1');
    expect(words).toMatchObject({ log: [], events: [expect.any(String)] });
    expect(words.unread).toEqual([
      expect.stringMatching(/while reading the log \/web, web\/app\/t1: AccessDenied/),
    ]);
  });
});
