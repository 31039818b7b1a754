/** Every call that a function makes is granted to its role, and what is granted is used: by one whole story of a service. */
import type {
  DescribeStackResourcesCommandOutput,
  GetTemplateCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../local/demo/scenario.ts';
import { World } from '../end-to-end/world.ts';
import { type CfnTemplate, grantsOf, resourcesOf } from './templates.ts';

/** Where a call's signing name is not the prefix of its actions. */
const prefixes: Readonly<Record<string, string>> = { monitoring: 'cloudwatch' };

/** Granted for what no call of a function shows. */
const unseen: readonly RegExp[] = [
  // Lambda itself writes logs and traces, reads the stream and sends what failed, with the function's role.
  /^\w+ (?:logs|xray):/,
  /^DeployerAnnounceRole dynamodb:(?:DescribeStream|GetRecords|GetShardIterator|ListStreams)$/,
  /^Deployer(?:Announce|Signal)Role sqs:/,
  // Checked by ECS and ELB as part of the call that creates.
  /^DeployerLaunchRole (?:iam:PassRole|ecs:TagResource)$/,
  /^DeployerListenerRuleRole elasticloadbalancing:AddTags$/,
  // Going back and recovering; test/end-to-end/back.test.ts does both, and is denied nothing.
  /^Deployer(?:PlanRollback|PlanRecovery|Sweeper)Role /,
  // Making a generation that a rollback goes to as large as the live one.
  /^DeployerLaunchRole ecs:UpdateService$/,
  // Changes of the stack, and its deletion; test/infra/production-rule.test.ts makes them.
  /^DeployerListenerRuleRole elasticloadbalancing:(?:ModifyRule|SetRulePriorities|DeleteRule|DescribeTags|DescribeTargetHealth)$/,
];

let world: World;
let roles: ReadonlyMap<string, string>;
let template: CfnTemplate;
let outcomes: readonly Result[];

beforeAll(async () => {
  world = await World.create();
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
  outcomes = [
    await world.deploy('v1'),
    await world.deploy('v2'),
    await world.deploy('v3', 'neverHealthy'),
    await world.deploy('v4', 'failing'),
  ];
}, 180_000);

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

describe('two deployments that went live and two that went back', () => {
  it('made no call that a role did not allow', () => {
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['live', 'live', 'restored', 'restored']);
    expect(made().length).toBeGreaterThan(100);
    expect(
      made().filter(({ error }) => /AccessDenied|NotAuthorized|Unauthorized/i.test(error ?? '')),
    ).toEqual([]);
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
