/** What bears no tags of Cutover is out of reach of the deployer's roles, whatever it is called. */
import type { DescribeStackResourcesCommandOutput } from '@aws-sdk/client-cloudformation';
import type { DescribeSubnetsCommandOutput } from '@aws-sdk/client-ec2';
import type { DescribeServicesCommandOutput, RegisterTaskDefinitionCommandOutput } from '@aws-sdk/client-ecs';
import type { DescribeRulesCommandOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerationName, ServiceName } from '../../functions/core/names.ts';
import { ownerTags } from '../../functions/core/tags.ts';
import { Mall, type Shop } from './shop.ts';

let mall: Mall;
let shop: Shop;
let roles: ReadonlyMap<string, string>;
/** Root's task definition, whose roles the deployer may not hand on. */
let adminDefinition: string;
let subnets: readonly string[];

beforeAll(async () => {
  mall = await Mall.open();
  shop = mall.shop();
  await shop.deploy();
  const { StackResources = [] } = await mall.call<DescribeStackResourcesCommandOutput>(
    'cloudformation',
    'DescribeStackResources',
    { StackName: 'Home' },
  );
  roles = new Map(
    StackResources.filter(({ ResourceType }) => ResourceType === 'AWS::IAM::Role').map(
      ({ LogicalResourceId = '', PhysicalResourceId }) => [
        /^Deployer(\w+)Role[0-9A-F]{8}$/.exec(LogicalResourceId)?.[1] ?? LogicalResourceId,
        `arn:aws:iam::123456789012:role/${PhysicalResourceId}`,
      ],
    ),
  );
  const { Subnets = [] } = await mall.call<DescribeSubnetsCommandOutput>('ec2', 'DescribeSubnets', {});
  subnets = Subnets.slice(0, 1).map(({ SubnetId }) => SubnetId ?? '');
  await mall.call('ecs', 'CreateCluster', { clusterName: 'main' });
  adminDefinition = await register('admin');
  for (const name of ['legacy-g0001', 'tagged-g0001']) {
    const definition = await register(name);
    await mall.call('ecs', 'CreateService', {
      ...service(name, definition),
      ...(name.startsWith('tagged') && { tags: tagsOf(name) }),
    });
  }
});
afterAll(async () => mall?.close());

function as<T>(who: string, operation: string, input: object): Promise<T> {
  const roleArn = roles.get(who);
  if (roleArn === undefined) throw new Error(`the deployer has no role ${who}`);
  const api = ecsOperations.has(operation) ? 'ecs' : 'elasticloadbalancing';
  const principal = { kind: 'role', roleArn, session: 'test' } as const;
  return mall.aws.dispatcher.call(api, operation, input, principal) as Promise<T>;
}

const ecsOperations = new Set([
  'CreateService',
  'UpdateService',
  'DeleteService',
  'RegisterTaskDefinition',
  'TagResource',
]);

async function register(family: string): Promise<string> {
  const { taskDefinition } = await mall.call<RegisterTaskDefinitionCommandOutput>(
    'ecs',
    'RegisterTaskDefinition',
    definition(family),
  );
  return taskDefinition?.taskDefinitionArn ?? '';
}

function definition(family: string): object {
  const containerDefinitions = [{ name: 'app', image: 'app:1', essential: true }];
  return {
    family,
    containerDefinitions,
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    requiresCompatibilities: ['FARGATE'],
  };
}

const service = (serviceName: string, taskDefinition: string): object => ({
  cluster: 'main',
  serviceName,
  taskDefinition,
  desiredCount: 0,
  launchType: 'FARGATE',
  networkConfiguration: { awsvpcConfiguration: { subnets } },
});

const tagsOf = (name: string): readonly object[] =>
  Object.entries(ownerTags('tagged' as ServiceName, name as GenerationName)).map(([key, value]) => ({
    key,
    value,
  }));

/** The rules that reach slots by header: CloudFormation's, on the same listener. */
async function slotRule(): Promise<string> {
  const { Rules = [] } = await mall.call<DescribeRulesCommandOutput>(
    'elasticloadbalancing',
    'DescribeRules',
    {
      ListenerArn: shop.arn('First'),
    },
  );
  return (
    Rules.find(({ Conditions }) => Conditions?.some(({ Field }) => Field === 'http-header'))?.RuleArn ?? ''
  );
}

const named = { cluster: 'main', service: 'legacy-g0001' };

describe('the deployer is denied', () => {
  it.each<[string, string, string, () => object | Promise<object>, string?]>([
    ['to end a service without its tags', 'Terminate', 'DeleteService', () => named],
    ['to resize one', 'Launch', 'UpdateService', () => ({ ...named, desiredCount: 9 })],
    [
      'to make one its own',
      'Launch',
      'TagResource',
      () => ({
        resourceArn: 'arn:aws:ecs:us-east-1:123456789012:service/main/legacy-g0001',
        tags: tagsOf('legacy-g0001'),
      }),
    ],
    [
      'to give a generation another task definition',
      'Launch',
      'UpdateService',
      () => ({ cluster: 'main', service: 'tagged-g0001', taskDefinition: adminDefinition }),
    ],
    [
      'to start a task definition that no deployment made',
      'Launch',
      'CreateService',
      () => ({ ...service('web-g0009', adminDefinition), tags: tagsOf('web-g0009') }),
    ],
    [
      'to start a service without tags',
      'Launch',
      'CreateService',
      () => service('web-g0009', 'arn:aws:ecs:us-east-1:123456789012:task-definition/tagged-g0001:1'),
    ],
    [
      'to register a task definition without tags',
      'Launch',
      'RegisterTaskDefinition',
      () => definition('web-g0009'),
    ],
    [
      'to register one under a name that is no generation',
      'Launch',
      'RegisterTaskDefinition',
      () => ({ ...definition('web'), tags: tagsOf('web-g0009') }),
    ],
    [
      'to hand on a role of no service',
      'Launch',
      'RegisterTaskDefinition',
      () => ({
        ...definition('web-g0009'),
        taskRoleArn: 'arn:aws:iam::123456789012:role/admin',
        tags: tagsOf('web-g0009'),
      }),
      'PassRole',
    ],
    [
      "to write a rule's weights that is no production rule",
      'Shift',
      'ModifyRule',
      async () => ({
        RuleArn: await slotRule(),
        Actions: [{ Type: 'forward', TargetGroupArn: shop.arn('green') }],
      }),
    ],
    ['to delete one', 'ListenerRule', 'DeleteRule', async () => ({ RuleArn: await slotRule() })],
    [
      "to do another function's work",
      'Judge',
      'DeleteService',
      () => ({ cluster: 'main', service: 'tagged-g0001' }),
    ],
  ])('%s', async (_, who, operation, input, action = operation) => {
    await expect(as(who, operation, await input())).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringMatching(new RegExp(`not authorized to perform: \\w+:${action} `)),
    });
  });
});

describe('the deployer may', () => {
  it('resize and end what bears its tags', async () => {
    const ours = { cluster: 'main', service: 'tagged-g0001' };
    await as('Launch', 'UpdateService', { ...ours, desiredCount: 0 });
    await as('Terminate', 'DeleteService', { ...ours, force: true });
    const { services } = await mall.call<DescribeServicesCommandOutput>('ecs', 'DescribeServices', {
      cluster: 'main',
      services: ['tagged-g0001', 'legacy-g0001'],
    });
    expect(services?.map(({ status }) => status === 'ACTIVE')).toEqual([false, true]);
  });

  it('write the weights of the production rule, and set the priority of rules of its balancer', async () => {
    const [rule] = await shop.rules();
    await as('Shift', 'ModifyRule', {
      RuleArn: rule?.RuleArn,
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: shop.arn('blue'), Weight: 90 },
              { TargetGroupArn: shop.arn('green'), Weight: 10 },
            ],
          },
        },
      ],
    });
    await as('ListenerRule', 'SetRulePriorities', {
      RulePriorities: [{ RuleArn: rule?.RuleArn, Priority: 70 }],
    });
    expect(await shop.rule()).toEqual({ priority: 70, paths: ['/*'], weights: { blue: 90, green: 10 } });
  });
});
