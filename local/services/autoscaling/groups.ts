/** The operations on groups themselves. */
import type {
  CreateAutoScalingGroupCommandInput,
  DeleteAutoScalingGroupCommandInput,
  DescribeAutoScalingGroupsCommandInput,
  DescribeAutoScalingGroupsCommandOutput,
  LaunchTemplateSpecification,
  SetDesiredCapacityCommandInput,
  UpdateAutoScalingGroupCommandInput,
} from '@aws-sdk/client-auto-scaling';
import { arn } from '../../account.ts';
import { AwsError, type Call, type Operations, type Output, type Principal } from '../../call.ts';
import type { Activities } from './activities.ts';
import type { DesiredCapacity } from './desired-capacity.ts';
import { type Group, invalid, type Settings, staying } from './group.ts';
import { describeGroup, fits } from './group-description.ts';
import { settingsOf } from './group-settings.ts';
import type { LifecycleHooks } from './lifecycle-hooks.ts';
import { pageOf } from './page.ts';
import type { Platform } from './platform.ts';
import { coolsDown } from './policy-execution.ts';
import type { Scaler } from './scaler.ts';
import { withTags } from './tags.ts';
import type { TrafficSources } from './traffic-sources.ts';

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
const mostGroups = 500;

export interface GroupsOptions {
  readonly platform: Platform;
  readonly groups: Map<string, Group>;
  readonly activities: Activities;
  readonly capacity: DesiredCapacity;
  readonly scaler: Scaler;
  readonly sources: TrafficSources;
  readonly hooks: LifecycleHooks;
}

/** For operations on a group that must be there. Words: https://github.com/kubernetes-retired/kube-deploy/issues/99 */
export function groupNamed(groups: ReadonlyMap<string, Group>, name = ''): Group {
  const group = groups.get(name);
  if (group === undefined)
    throw invalid(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`);
  return group;
}

export function groupOperations({
  platform,
  groups,
  activities,
  capacity,
  scaler,
  sources,
  hooks,
}: GroupsOptions) {
  const { clock, chance, compute, permissions } = platform;

  const changeable = (name: string | undefined): Group => {
    const group = groupNamed(groups, name);
    if (group.deleting)
      throw new AwsError(
        'ScalingActivityInProgressFault',
        `AutoScalingGroup '${group.name}' is pending delete`,
      );
    return group;
  };

  const mayLaunch = (
    principal: Principal,
    named: LaunchTemplateSpecification | undefined,
    { template, subnets }: Pick<Settings, 'template' | 'subnets'>,
  ) => {
    if (named === undefined) return;
    permissions.check(principal, { named, template: compute.launchTemplate(template), subnets });
  };

  return {
    CreateAutoScalingGroup(input: CreateAutoScalingGroupCommandInput, { principal }: Call): object {
      const name = input.AutoScalingGroupName ?? '';
      if (groups.has(name))
        throw new AwsError(
          'AlreadyExistsFault',
          `AutoScalingGroup by this name already exists - A group with the name ${name} already exists`,
        );
      if (groups.size >= mostGroups)
        throw new AwsError(
          'LimitExceededFault',
          `You have reached the limit of ${mostGroups} Auto Scaling groups`,
        );
      const settings = settingsOf(input, undefined, compute);
      mayLaunch(principal, input.LaunchTemplate, settings);
      permissions.makeRole(principal);
      const targetGroups = (input.TargetGroupARNs ?? []).map((Identifier) => ({ Identifier }));
      const arns = sources.check([...targetGroups, ...(input.TrafficSources ?? [])]);
      const wanted = (input.LifecycleHookSpecificationList ?? []).map((hook) => hooks.read(hook, undefined));
      const group: Group = {
        name,
        arn: arn('autoscaling', `autoScalingGroup:${chance.uuid()}:autoScalingGroupName/${name}`),
        createdAt: new Date(clock.now()),
        tags: withTags(name, [], input.Tags),
        settings: { ...settings, desired: 0 },
        members: new Map(),
        hooks: new Map(wanted.map((hook) => [hook.name, hook])),
        actions: new Map(),
        policies: new Map(),
        cooldownUntil: 0,
        sources: new Map(),
        suspended: new Map(),
        request: undefined,
        toReplace: 0,
        avoided: new Set(),
        failures: 0,
        retryAt: 0,
        deleting: false,
        look: undefined,
      };
      sources.attach(group, arns);
      groups.set(name, group);
      capacity.change(group, settings.desired, 'a user request created an AutoScalingGroup');
      return {};
    },

    UpdateAutoScalingGroup(input: UpdateAutoScalingGroupCommandInput, { principal }: Call): object {
      const group = changeable(input.AutoScalingGroupName);
      const { desired, ...settings } = settingsOf(input, group.settings, compute);
      mayLaunch(principal, input.LaunchTemplate, settings);
      Object.assign(group.settings, settings);
      capacity.constrain(group, { ...settings, desired }, 'a user request');
      return {};
    },

    SetDesiredCapacity(input: SetDesiredCapacityCommandInput): object {
      const group = changeable(input.AutoScalingGroupName);
      if (input.HonorCooldown === true && clock.now() < group.cooldownUntil) throw coolsDown(group);
      const { minimum, maximum } = group.settings;
      const desired = input.DesiredCapacity ?? 0;
      if (desired > maximum)
        throw invalid(
          `New SetDesiredCapacity value ${desired} is above max value ${maximum} for the AutoScalingGroup.`,
        );
      if (desired < minimum)
        throw invalid(
          `New SetDesiredCapacity value ${desired} is below min value ${minimum} for the AutoScalingGroup.`,
        );
      capacity.change(group, desired, 'a user request explicitly set group desired capacity');
      return {};
    },

    /** Names that are not there are left out. */
    DescribeAutoScalingGroups(
      input: DescribeAutoScalingGroupsCommandInput,
    ): Output<DescribeAutoScalingGroupsCommandOutput> {
      const names = input.AutoScalingGroupNames ?? [];
      const found = [...groups.values()].filter(
        (group) => (names.length === 0 || names.includes(group.name)) && fits(group, input.Filters),
      );
      const { entries, token } = pageOf(found, ({ name }) => name, 100, { fallback: 50, asked: input });
      return {
        AutoScalingGroups: entries.map((group) => describeGroup(group, compute)),
        ...(token === undefined ? {} : { NextToken: token }),
      };
    },

    /** Words: https://github.com/ansible/ansible/pull/8503, https://github.com/cloud-custodian/cloud-custodian/issues/1689 */
    DeleteAutoScalingGroup(input: DeleteAutoScalingGroupCommandInput): object {
      const group = changeable(input.AutoScalingGroupName);
      if (input.ForceDelete !== true) {
        if (staying(group).length > 0)
          throw new AwsError(
            'ResourceInUseFault',
            'You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.',
          );
        if (group.members.size > 0 || activities.isActive(group))
          throw new AwsError(
            'ScalingActivityInProgressFault',
            'You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.',
          );
      }
      group.deleting = true;
      Object.assign(group.settings, { minimum: 0, maximum: 0, desired: 0 });
      scaler.dissolve(group);
      return {};
    },
  } satisfies Operations;
}
