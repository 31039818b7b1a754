/** Every call that a function makes is granted to its role, and what is granted is used: by one whole story of a service. */
import type {
  DescribeStackResourcesCommandOutput,
  GetTemplateCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricGate } from '../../functions/core/gates/metric-gate.ts';
import type { Result } from '../../local/demo/scenario.ts';
import { until, World } from '../end-to-end/world.ts';
import { type CfnTemplate, grantsOf, resourcesOf } from './templates.ts';

/** Where a call's signing name is not the prefix of its actions. */
const prefixes: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

/** Granted for what no call of a function shows. */
const unseen: readonly RegExp[] = [
  // Lambda itself writes logs and traces, reads the stream and sends what failed, with the function's role.
  /^\w+ (?:logs|xray):/,
  /^DeployerAnnounceRole dynamodb:(?:DescribeStream|GetRecords|GetShardIterator|ListStreams)$/,
  /^Deployer(?:Announce|Signal|Sweeper)Role sqs:/,
  // Checked by ECS and ELB as part of the call that creates.
  /^DeployerLaunchRole (?:iam:PassRole|ecs:TagResource)$/,
  /^DeployerListenerRuleRole elasticloadbalancing:AddTags$/,
  // What was lost, is gone or is left over; test/end-to-end/images.test.ts makes it so.
  /^DeployerSweeperRole (?:dynamodb:PutItem|ecr:BatchGetImage|ecs:DescribeServices|ecs:DescribeTaskDefinition)$/,
  /^DeployerPlanRollbackRole ecr:BatchGetImage$/,
  /^DeployerTerminateRole ecs:(?:ListServices|ListTaskDefinitionFamilies|DescribeTaskDefinition|DeregisterTaskDefinition)$/,
  // A look at a bake that is long enough for a counted minute; test/end-to-end/compare.test.ts has such.
  /^DeployerAwaitRole cloudwatch:GetMetricData$/,
  // A live generation that grows in the middle, and a service that wants retained ones small: test/end-to-end/quiet.test.ts.
  /^Deployer(?:Shift|Terminate)Role ecs:UpdateService$/,
  // Services that scale; test/infra/scaling-rights.test.ts tries them all.
  /^Deployer(?:Launch|Shift|Promote|Terminate|Sweeper)Role (?:application-autoscaling:\w+|cloudwatch:(?:DescribeAlarms|PutMetricAlarm|DeleteAlarms)|iam:CreateServiceLinkedRole)$/,
  // Services on EC2 Auto Scaling; test/simulation/instance-rights.test.ts uses them.
  /^Deployer\w+Role (?:autoscaling:\w+|ec2:(?!DescribeSubnets)\w+)$/,
  // What Application Auto Scaling asks of its caller.
  /^Deployer(?:Promote|Sweeper)Role ecs:(?:DescribeServices|UpdateService)$/,
  // AMIs, which are kept by tags; test/simulation/amis.test.ts deploys some, test/infra/ami-service.test.ts tries the tags.
  /^Deployer(?:PlanRollbackRole ec2:DescribeImages|LaunchRole ec2:CreateTags|SweeperRole ec2:(?:DescribeImages|DeleteTags))$/,
  // A test listener; test/infra/constructs.test.ts.
  /^Deployer(?:Shift|Terminate)Role elasticloadbalancing:ModifyRule$/,
  // Hooks; test/end-to-end/hooks.test.ts has one.
  /^DeployerAnnounceRole lambda:InvokeFunction$/,
  /^DeployerHookRole /,
  // An image gate; test/registry/ecr-image-checks.test.ts asks.
  /^DeployerLaunchRole ecr:(?:DescribeImages|DescribeImageScanFindings|DescribeImageSigningStatus|ListImageReferrers|GetDownloadUrlForLayer)$/,
  // Changes of the stack, and its deletion; test/infra/production-rule.test.ts makes them.
  /^DeployerListenerRuleRole elasticloadbalancing:(?:ModifyRule|SetRulePriorities|DeleteRule|DescribeTags|DescribeTargetHealth)$/,
];

let world: World;
let cloudwatch: CloudWatchClient;
let roles: ReadonlyMap<string, string>;
let template: CfnTemplate;
let outcomes: readonly Result[];

beforeAll(async () => {
  world = await World.create({ throttling: true, speed: 100 });
  cloudwatch = world.closeLater(new CloudWatchClient(world.client));
  const ask = <T>(operation: string): Promise<T> =>
    world.aws.dispatcher.call(
      'cloudformation',
      operation,
      { StackName: 'Cutover' },
      { kind: 'root' },
    ) as Promise<T>;
  const { StackResources } = await ask<DescribeStackResourcesCommandOutput>('DescribeStackResources');
  template = JSON.parse(
    (await ask<GetTemplateCommandOutput>('GetTemplate')).TemplateBody ?? '',
  ) as CfnTemplate;
  roles = new Map(
    (StackResources ?? [])
      .filter(
        ({ ResourceType, LogicalResourceId }) =>
          ResourceType === 'AWS::IAM::Role' && LogicalResourceId?.startsWith('Deployer'),
      )
      .map(({ PhysicalResourceId, LogicalResourceId }) => [
        PhysicalResourceId ?? '',
        LogicalResourceId ?? '',
      ]),
  );
  world.traffic();
  await world.changeSettings({ metrics: [metric] });
  outcomes = [
    await world.deploy('v1'),
    await world.deploy('v2'),
    await world.deploy('v3', 'neverHealthy'),
    await world.deploy('v4', 'failing'),
  ];
  await rollBackToOneThatIsSmaller();
  await stopInTheMiddle();
  await giveWay();
}, 240_000);

/** Asked by the judge, and never has a value. */
const metric = metricGate.parse({
  name: 'depth',
  metrics: [{ id: 'depth', namespace: 'Shop', metricName: 'Depth', stat: 'Average' }],
  limit: { kind: 'atMost', value: 1 },
  missing: 'pass',
});

/** Live was scaled out since, so the generation that is kept must grow first. */
async function rollBackToOneThatIsSmaller(): Promise<void> {
  const { live } = await world.item();
  const { fleet } = await world.settings();
  await world.ecs.send(
    new UpdateServiceCommand({ cluster: String(fleet['cluster']), service: live?.name, desiredCount: 3 }),
  );
  const { executionArn } = await world.sfn.send(
    new StartExecutionCommand({
      stateMachineArn: world.output('RollbackMachineArn'),
      input: JSON.stringify({ service: 'web' }),
    }),
  );
  const { status, cause } = await world.ended(executionArn ?? '');
  if (status !== 'SUCCEEDED') throw new Error(`the rollback ended ${status}: ${cause}`);
}

/** Another push waits meanwhile, for the sweep to offer. */
async function stopInTheMiddle(): Promise<void> {
  await until('green alarms', async () => {
    const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ StateValue: 'ALARM' }));
    return MetricAlarms?.length === 0 ? true : undefined;
  });
  await world.push('v5');
  await world.baking('v5');
  const outcome = world.watch.outcomeOf('web:v6');
  await world.push('v6');
  await world.itemWhere('v6 to wait', ({ pending }) => pending?.tag === 'v6');
  const { executionArn } = await world.executionOf('v5');
  await world.sfn.send(new StopExecutionCommand({ executionArn }));
  const { outcome: became, reason } = await outcome;
  if (became !== 'live') throw new Error(`v6, which waited for the recovery, is ${became}: ${reason}`);
}

/** A newer push takes the place of the one that bakes. */
async function giveWay(): Promise<void> {
  await world.changeSettings({ whenBusy: 'supersede' });
  await world.push('v7');
  await world.baking('v7');
  const outcome = world.watch.outcomeOf('web:v8');
  await world.push('v8');
  const { status, output } = await world.ended((await world.executionOf('v7')).executionArn ?? '');
  if (status !== 'SUCCEEDED') throw new Error(`v7, which gave way, ended ${status}: ${output}`);
  const { outcome: became, reason } = await outcome;
  if (became !== 'live') throw new Error(`v8, which took its place, is ${became}: ${reason}`);
}

afterAll(async () => world?.close());

/** Calls that the deployer's roles made. */
function made(): readonly { who: string; action: string; error: string | undefined }[] {
  return world.aws.calls.records().flatMap(({ principal, service, operation, error }) => {
    if (principal.kind !== 'role') return [];
    const role = roles.get(principal.roleArn.split('/').at(-1) ?? '');
    return role === undefined
      ? []
      : [{ who: plain(role), action: `${prefixes[service] ?? service}:${operation}`, error }];
  });
}

function plain(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

describe('deployments that went live, went back, were rolled back, died, waited and gave way', () => {
  it('made no call that a role did not allow', () => {
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['live', 'live', 'restored', 'restored']);
    expect(made().length).toBeGreaterThan(100);
    expect(
      made().filter(({ error }) => /AccessDenied|NotAuthorized|Unauthorized/i.test(error ?? '')),
    ).toEqual([]);
  });

  it('made calls no faster than AWS takes them', () => {
    expect(made().filter(({ error }) => /Throttl/.test(error ?? ''))).toEqual([]);
  });

  it('named the deployment on each line that a function logged for one', async () => {
    const logs = world.closeLater(new CloudWatchLogsClient(world.client));
    const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({ limit: 50 }));
    const done = new Map<string, boolean[]>();
    for (const { logGroupName = '' } of logGroups) {
      const { events = [] } = await logs.send(
        new FilterLogEventsCommand({ logGroupName, filterPattern: '"\\"message\\":\\"done\\""' }),
      );
      for (const { message = '' } of events) {
        const line = JSON.parse(message) as { service: string; deployment?: unknown };
        done.set(line.service, [...(done.get(line.service) ?? []), line.deployment !== undefined]);
      }
    }
    for (const step of ['launch', 'await', 'shift', 'judge', 'promote', 'announce']) {
      expect([step, done.get(step)?.every(Boolean)]).toEqual([step, true]);
    }
    // These are also called when no deployment runs.
    for (const step of ['plan-deployment', 'signal', 'terminate']) {
      expect([step, done.get(step)?.some(Boolean)]).toEqual([step, true]);
    }
  });

  it('used every action that the functions are granted', () => {
    const used = new Set(made().map(({ who, action }) => `${who} ${action}`));
    const functions = new Set(
      resourcesOf(template, 'AWS::Lambda::Function').map(([, { Properties }]) => {
        const {
          'Fn::GetAtt': [role],
        } = Properties['Role'] as { 'Fn::GetAtt': [string, string] };
        return role;
      }),
    );
    const granted = grantsOf(template)
      .filter(({ role }) => functions.has(role))
      .flatMap(({ role, actions }) => actions.map((action) => `${plain(role)} ${action}`));
    expect(granted.length).toBeGreaterThan(50);
    const unused = [...new Set(granted)].filter(
      (each) => !used.has(each) && !unseen.some((pattern) => pattern.test(each)),
    );
    expect(unused).toEqual([]);
  });
});
