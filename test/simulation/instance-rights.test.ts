/** What the deployer may do to Auto Scaling groups and launch templates is used: by one whole story of a service that scales. */
import type {
  DescribeStackResourcesCommandOutput,
  GetTemplateCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { expect, it } from 'vitest';
import { type CfnTemplate, grantsOf } from '../infra/templates.ts';
import { ended, inWorld } from './cell.ts';
import { ground } from './ground.ts';
import type { World } from './world.ts';

/** Granted for what no call of a function shows, or this story does not have. */
const unseen: readonly RegExp[] = [
  // Tried by EC2 and EC2 Auto Scaling as part of the call that creates.
  /^\w+ ec2:(?:RunInstances|CreateTags)$/,
  // What somebody changed while a deployment ran is written anew; test/fleets has it.
  /^Deployer(?:Launch|Promote|Sweeper)Role autoscaling:(?:PutScalingPolicy|DeletePolicy|SuspendProcesses|ResumeProcesses|PutScheduledUpdateGroupAction|DeleteScheduledAction|DescribePolicies|DescribeScheduledActions|UpdateAutoScalingGroup)$/,
  // Only a group whose bounds are equal is asked what else scales it.
  /^DeployerShiftRole autoscaling:(?:DescribePolicies|DescribeScheduledActions)$/,
  // Instances that drain; test/simulation/draining.test.ts has them.
  /^\w+ autoscaling:(?:CompleteLifecycleAction|RecordLifecycleActionHeartbeat)$/,
  // AMIs; test/simulation/amis.test.ts deploys some.
  /^Deployer(?:Launch|Sweeper|PlanRollback)Role ec2:(?:DescribeImages|DeleteTags)$/,
];

const about = /^\w+ (?:autoscaling|ec2):/;

async function granted(
  world: World,
): Promise<{ grants: readonly string[]; roles: ReadonlyMap<string, string> }> {
  const { StackResources = [] } = (await world.ask('cloudformation', 'DescribeStackResources', {
    StackName: 'Cutover',
  })) as DescribeStackResourcesCommandOutput;
  const { TemplateBody = '' } = (await world.ask('cloudformation', 'GetTemplate', {
    StackName: 'Cutover',
  })) as GetTemplateCommandOutput;
  const roles = StackResources.flatMap(({ ResourceType, PhysicalResourceId = '', LogicalResourceId = '' }) =>
    ResourceType === 'AWS::IAM::Role' && LogicalResourceId.startsWith('Deployer')
      ? [[PhysicalResourceId, plain(LogicalResourceId)] as const]
      : [],
  );
  const names = new Set(roles.map(([, name]) => name));
  const grants = grantsOf(JSON.parse(TemplateBody) as CfnTemplate).flatMap(({ role, actions }) =>
    names.has(plain(role)) ? actions.map((action) => `${plain(role)} ${action}`) : [],
  );
  return { grants: [...new Set(grants)].filter((each) => about.test(each)), roles: new Map(roles) };
}

function plain(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}

it('a service that scales, goes live, fails, retires and is swept uses every right to instances', () =>
  inWorld(
    ground(),
    async (world) => {
      const { grants, roles } = await granted(world);
      expect(grants.length).toBeGreaterThan(30);
      // Of instances without a log the console is read.
      const { fleet } = await world.settings();
      await world.declare({ fleet: { ...fleet, logGroup: null } });
      await world.goLive('v1');
      await world.ask('autoscaling', 'SuspendProcesses', {
        AutoScalingGroupName: 'worker-g0001',
        ScalingProcesses: ['AlarmNotification'],
      });
      await world.goLive('v2');
      world.push('v3', { healthyAfterMs: 'never' });
      await world.pass(() => world.item?.deployment?.outcome === 'restored', 'the restore');
      // The retention of the first generation is over then.
      await world.passMs(2 * 3_600_000);
      await ended(world);
      const used = new Set(
        world.aws.calls.records().flatMap(({ principal, service, operation }) => {
          const role =
            principal.kind === 'role' ? roles.get(principal.roleArn.split('/').at(-1) ?? '') : undefined;
          return role === undefined ? [] : [`${role} ${service}:${operation}`];
        }),
      );
      expect(
        grants.filter((each) => !used.has(each) && !unseen.some((pattern) => pattern.test(each))),
      ).toEqual([]);
    },
    {
      service: 'worker',
      scaling: {
        minimum: 1,
        maximum: 6,
        policies: [{ name: 'requests', metric: 'requestsPerTarget', target: 900 }],
        schedule: [{ name: 'evening', expression: 'cron(0 22 * * ? *)', maximum: 7 }],
      },
    },
  ));
