/** What any client of AWS reads of deployments afterwards, and what people are told meanwhile. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListServicesCommand,
  ListTasksCommand,
} from '@aws-sdk/client-ecs';
import { DescribeRulesCommand, DescribeTargetHealthCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { GetExecutionHistoryCommand } from '@aws-sdk/client-sfn';
import { ListTopicsCommand } from '@aws-sdk/client-sns';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import { type Said, until, World } from './world.ts';

let world: World;
let heard: () => Promise<readonly Said[]>;
let settings: ServiceSettings;
/** After v1 and v2 went live. */
let item: ServiceItem;
let cluster: string;
/** Target group and name of the slot that is live. */
let live: { readonly slot: string; readonly targetGroup: string };

beforeAll(async () => {
  world = await World.create();
  heard = await world.subscribe('heard');
  await world.goLive('v1');
  const traffic = world.traffic();
  await world.goLive('v2');
  await until('the announcement of the end', async () =>
    (await storyOfV2()).some(({ kind }) => kind === 'live') ? true : undefined,
  );
  await traffic.stop();
  settings = await world.settings();
  item = await world.item();
  cluster = String(settings.fleet['cluster']);
  const slot = item.live?.slot ?? '';
  live = { slot, targetGroup: settings.traffic.slots.find(({ name }) => name === slot)?.targetGroup ?? '' };
});

afterAll(() => world?.close());

const storyOfV2 = () => world.record('web-g0002-d2');

/** The minutes of the deployment, for CloudWatch. */
function span(): { readonly StartTime: Date; readonly EndTime: Date } {
  return {
    StartTime: new Date(world.clock.now() - 3_600_000),
    EndTime: new Date(world.clock.now() + 60_000),
  };
}

function requestsQuery() {
  const [, TargetGroup = ''] = /:(targetgroup\/.*)$/.exec(live.targetGroup) ?? [];
  const { rule } = settings.traffic;
  const [, LoadBalancer = ''] = /listener-rule\/(app\/[^/]+\/[^/]+)/.exec(rule) ?? [];
  const Dimensions = [
    { Name: 'TargetGroup', Value: TargetGroup },
    { Name: 'LoadBalancer', Value: LoadBalancer },
  ];
  const Metric = { Namespace: 'AWS/ApplicationELB', MetricName: 'RequestCount', Dimensions };
  return [{ Id: 'requests', MetricStat: { Metric, Period: 60, Stat: 'Sum' } }];
}

describe('an SDK client, unmodified', () => {
  it('reads the execution, its history and what went into each step', async () => {
    const execution = await world.executionOf('v2');
    expect(execution).toMatchObject({ status: 'SUCCEEDED' });
    expect(JSON.parse(execution.output ?? '')).toMatchObject({
      outcome: 'live',
      generation: 'web-g0002',
      image: 'web:v2',
    });
    const { events } = await world.sfn.send(
      new GetExecutionHistoryCommand({ executionArn: execution.executionArn, maxResults: 1_000 }),
    );
    const entered = (events ?? []).flatMap(
      ({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? [],
    );
    expect(entered.filter((name) => name === 'Shift')).toHaveLength(3);
    expect(entered.at(-1)).toBe('Live');
  });

  it('reads the generations, their tasks and their image by digest', async () => {
    const { serviceArns } = await world.ecs.send(new ListServicesCommand({ cluster }));
    expect(serviceArns?.map((arn) => arn.split('/').at(-1)).toSorted()).toEqual(['web-g0001', 'web-g0002']);
    const { services } = await world.ecs.send(
      new DescribeServicesCommand({ cluster, services: ['web-g0002'], include: ['TAGS'] }),
    );
    expect(services?.[0]).toMatchObject({ status: 'ACTIVE', desiredCount: 2, runningCount: 2 });
    expect(services?.[0]?.tags).toContainEqual({ key: 'cutover:generation', value: 'web-g0002' });
    const { taskArns } = await world.ecs.send(new ListTasksCommand({ cluster, serviceName: 'web-g0002' }));
    const { tasks } = await world.ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
    const digest = item.live?.digest;
    expect(tasks?.map(({ containers, lastStatus }) => [lastStatus, containers?.[0]?.imageDigest])).toEqual([
      ['RUNNING', digest],
      ['RUNNING', digest],
    ]);
    const ecr = world.closeLater(new ECRClient(world.client));
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName: 'web', imageIds: [{ imageTag: 'v2' }] }),
    );
    expect(imageDetails?.[0]?.imageDigest).toBe(digest);
    expect(imageDetails?.[0]?.imageTags?.toSorted()).toEqual(['retain-web-g0002', 'v2']);
  });

  it('reads the weights, the health of the targets, the requests and the alarm', async () => {
    const { Rules } = await world.elbv2.send(new DescribeRulesCommand({ RuleArns: [settings.traffic.rule] }));
    const groups = Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    expect(groups.filter(({ Weight }) => Weight !== 0)).toEqual([
      { TargetGroupArn: live.targetGroup, Weight: 100 },
    ]);
    const { TargetHealthDescriptions } = await world.elbv2.send(
      new DescribeTargetHealthCommand({ TargetGroupArn: live.targetGroup }),
    );
    expect(TargetHealthDescriptions?.map(({ TargetHealth }) => TargetHealth?.State)).toEqual([
      'healthy',
      'healthy',
    ]);
    const cloudwatch = world.closeLater(new CloudWatchClient(world.client));
    const { MetricDataResults } = await cloudwatch.send(
      new GetMetricDataCommand({ ...span(), MetricDataQueries: requestsQuery() }),
    );
    expect(MetricDataResults?.[0]?.Values?.length).toBeGreaterThan(0);
    const { MetricAlarms } = await cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNames: settings.alarms }),
    );
    expect(MetricAlarms).toEqual([
      expect.objectContaining({ StateValue: 'OK', Namespace: 'AWS/ApplicationELB' }),
    ]);
  });

  it('reads the rules of events, the topic, and the story of a deployment by one Query', async () => {
    const events = world.closeLater(new EventBridgeClient(world.client));
    const { Rules } = await events.send(new ListRulesCommand({}));
    expect(Rules?.map(({ Description }) => Description)).toContain('Pushes to web start a deployment');
    const { Topics } = await world.sns.send(new ListTopicsCommand({}));
    const topics = ['MessagesTopicArn', 'AlarmsTopicArn'].map((name) => ({ TopicArn: world.output(name) }));
    expect(Topics).toEqual(expect.arrayContaining(topics));
    const story = await storyOfV2();
    const milestones = story.filter(({ intent }) => intent === null).map(({ kind }) => kind);
    expect(milestones).toEqual(['started', 'launched', 'shifted', 'shifted', 'shifted', 'live']);
    expect(story.toSorted((one, other) => one.at - other.at)).toEqual(story);
  });

  it('reads who wrote each intent and its end, the calls that were made for it, and how long they took', async () => {
    const story = await storyOfV2();
    const { event } = JSON.parse((await world.executionOf('v2')).input ?? '') as { event: { id: string } };
    expect(new Set(story.map(({ push }) => push))).toEqual(new Set([event.id]));
    const intents = story.flatMap(({ kind, intent, written }) =>
      intent === null ? [] : [`${written?.by} ${kind} ${intent.kind}`],
    );
    const shift = ['shift intended shift', 'shift done shift'];
    expect(intents).toEqual(['launch intended launch', 'launch done launch', ...shift, ...shift, ...shift]);
    const calls = (kind: string, action: string) =>
      story
        .filter((chapter) => chapter.kind === kind)
        .map(({ written }) => written?.calls[action]?.count ?? 0);
    expect(calls('launched', 'ecs:CreateService')).toEqual([1]);
    expect(calls('launched', 'ecs:RegisterTaskDefinition')).toEqual([1]);
    expect(calls('intended', 'elasticloadbalancing:ModifyRule')).toEqual([0, 0, 0, 0]);
    expect(calls('shifted', 'elasticloadbalancing:ModifyRule')).toEqual([1, 1, 1]);
    for (const { written } of story) {
      expect(written?.request).toMatch(/^[0-9a-f-]{36}$/);
      expect(written?.ms).toBeGreaterThan(0);
      expect(Object.keys(written?.calls ?? {}).length).toBeLessThan(20);
    }
  });
});

const cli = '/usr/bin/aws';
const installed = existsSync(cli);

describe.skipIf(!installed)(`the AWS CLI${installed ? '' : ` (skipped: ${cli} is not installed)`}`, () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'clients-'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  const environment = () => ({
    PATH: '/usr/bin:/bin',
    HOME: home,
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_PAGER: '',
    AWS_MAX_ATTEMPTS: '1',
  });
  const aws = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)(
      cli,
      ['--endpoint-url', world.aws.endpoint, '--output', 'json', ...args],
      {
        env: environment(),
        maxBuffer: 16 * 2 ** 20,
      },
    );
    return JSON.parse(stdout);
  };

  it('reads what happened', async () => {
    const executionArn = (await world.executionOf('v2')).executionArn ?? '';
    const taskArns =
      (await world.ecs.send(new ListTasksCommand({ cluster, serviceName: 'web-g0002' }))).taskArns ?? [];
    const { StartTime, EndTime } = span();
    const query = { ':service': { S: 'web' }, ':prefix': { S: 'deployment#web-g0002-d2#' } };
    const machine = ['--state-machine-arn', world.output('DeployMachineArn')];
    const questions: readonly (readonly [command: string, args: readonly string[], answer: object])[] = [
      [
        'stepfunctions list-executions',
        machine,
        { executions: expect.arrayContaining([expect.objectContaining({ executionArn })]) },
      ],
      ['stepfunctions describe-execution', ['--execution-arn', executionArn], { status: 'SUCCEEDED' }],
      [
        'stepfunctions get-execution-history',
        ['--execution-arn', executionArn],
        { events: expect.arrayContaining([expect.objectContaining({ type: 'ExecutionSucceeded' })]) },
      ],
      [
        'ecs list-services',
        ['--cluster', cluster],
        { serviceArns: expect.arrayContaining([expect.stringMatching(/web-g0002$/)]) },
      ],
      [
        'ecs describe-services',
        ['--cluster', cluster, '--services', 'web-g0002'],
        { services: [expect.objectContaining({ runningCount: 2 })] },
      ],
      [
        'ecs describe-tasks',
        ['--cluster', cluster, '--tasks', ...taskArns],
        { tasks: [{ lastStatus: 'RUNNING' }, { lastStatus: 'RUNNING' }] },
      ],
      ['elbv2 describe-rules', ['--rule-arns', settings.traffic.rule], { Rules: [{ Priority: '100' }] }],
      [
        'elbv2 describe-target-health',
        ['--target-group-arn', live.targetGroup],
        {
          TargetHealthDescriptions: [
            { TargetHealth: { State: 'healthy' } },
            { TargetHealth: { State: 'healthy' } },
          ],
        },
      ],
      [
        'ecr describe-images',
        ['--repository-name', 'web'],
        {
          imageDetails: expect.arrayContaining([
            expect.objectContaining({
              imageTags: expect.arrayContaining(['v2', 'retain-web-g0002']),
              imageDigest: item.live?.digest,
            }),
          ]),
        },
      ],
      [
        'events list-rules',
        [],
        {
          Rules: expect.arrayContaining([
            expect.objectContaining({ Description: 'Pushes to web start a deployment' }),
          ]),
        },
      ],
      [
        'dynamodb query',
        [
          '--table-name',
          world.output('LedgerTable'),
          '--key-condition-expression',
          'service = :service AND begins_with(#item, :prefix)',
          '--expression-attribute-names',
          '{"#item":"item"}',
          '--expression-attribute-values',
          JSON.stringify(query),
        ],
        { Count: 14 },
      ],
      [
        'sns list-topics',
        [],
        { Topics: expect.arrayContaining([{ TopicArn: world.output('MessagesTopicArn') }]) },
      ],
      [
        'cloudwatch describe-alarms',
        ['--alarm-names', ...settings.alarms],
        { MetricAlarms: [{ StateValue: 'OK' }] },
      ],
      [
        'cloudwatch get-metric-data',
        [
          '--start-time',
          StartTime.toISOString(),
          '--end-time',
          EndTime.toISOString(),
          '--metric-data-queries',
          JSON.stringify(requestsQuery()),
        ],
        { MetricDataResults: [{ Id: 'requests', StatusCode: 'Complete' }] },
      ],
    ];
    const answers = await Promise.all(
      questions.map(async ([command, args]) => [command, await aws(...command.split(' '), ...args)]),
    );
    expect(answers).toMatchObject(questions.map(([command, , answer]) => [command, answer]));
  });

  it('restores the traffic by the command that a message of a running deployment prints', async () => {
    const before = await world.weights();
    const outcome = world.deploy('v3');
    await world.baking('v3');
    expect(await world.weights()).not.toEqual(before);
    const { Message } = await until('the message that v3 takes traffic', async () =>
      (await heard()).find(({ Message: each }) => each.image === 'web:v3' && each.kind === 'shifted'),
    );
    const [, command = ''] = /^To restore the traffic without Cutover: (aws .*)$/m.exec(Message.text) ?? [];
    expect(command).toBe(Message.restore);
    // As typed into a shell; the endpoint stands for the person's own account.
    await promisify(execFile)(
      'sh',
      ['-c', command.replace(/^aws /, `aws --endpoint-url ${world.aws.endpoint} `)],
      { env: environment() },
    );
    expect(await world.weights()).toEqual(before);
    // It is a change by hand like any other: the deployment stays where it is until a person says what is wanted.
    await world.itemWhere('v3 to be held', ({ deployment }) => deployment?.hold?.kind === 'held');
    expect(await world.weights()).toEqual(before);
    await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'v3 is slow' });
    expect(await outcome).toMatchObject({
      outcome: 'restored',
      reason: expect.stringContaining('ann ended the deployment: v3 is slow'),
    });
    expect(await world.weights()).toEqual(before);
  });
});

describe('a queue subscribed to the topic', () => {
  it('gets the start, each shift and the end, as text for people and as JSON', async () => {
    const said = (await heard()).filter(({ Message }) => Message.deployment === 'web-g0002-d2');
    expect(said.map(({ Message }) => Message.kind)).toEqual([
      'started',
      'shifted',
      'shifted',
      'shifted',
      'live',
    ]);
    expect(said.map(({ MessageAttributes }) => MessageAttributes['kind']?.Value)).toEqual(
      said.map(({ Message }) => Message.kind),
    );
    expect(said.slice(1, 4).map(({ Message }) => Message.weights?.[live.slot])).toEqual([10, 50, 100]);
    expect(said[0]?.Subject).toBe('web: web:v2 is being deployed as web-g0002');
    expect(said[1]?.Message.text).toContain(`${live.slot} 10`);
    expect(said[1]?.Message.restore).toMatch(/^aws elbv2 modify-rule --rule-arn arn:/);
    expect(said.at(-1)?.Message).toMatchObject({ image: 'web:v2', generation: 'web-g0002', restore: null });
    expect(said.at(-1)?.Subject).toMatch(/^web: web:v2 is live as web-g0002 after \d+ s$/);
  });
});
