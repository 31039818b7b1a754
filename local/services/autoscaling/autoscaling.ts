/**
 * EC2 Auto Scaling, embedded: groups from launch templates, their instances behind a port, lifecycle hooks, traffic sources
 * that are target groups of instances, health checks of EC2 and ELB, scaling policies, scheduled actions, tags, suspended
 * processes, activities and events. Predictive policies are kept, and forecast nothing. Left out, and refused where asked for:
 * warm pools, instance refreshes, mixed instances, launch configurations, scale-in protection, standby, rebalancing between
 * zones, group metrics, notifications to SNS and SQS.
 */
import { randomUUID } from 'node:crypto';
import type { Emit } from '../../aws-event.ts';
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Chance } from '../ecs/chance.ts';
import { Activities } from './activities.ts';
import { awsDelays, type GroupDelays } from './delays.ts';
import { DesiredCapacity } from './desired-capacity.ts';
import type { Group } from './group.ts';
import { groupNamed, groupOperations } from './groups.ts';
import type { Instances } from './instances.ts';
import { allPermitted, type LaunchPermissions } from './launch-permissions.ts';
import { Lifecycle } from './lifecycle.ts';
import { LifecycleActions } from './lifecycle-actions.ts';
import { LifecycleHooks } from './lifecycle-hooks.ts';
import { managedInstanceOperations } from './managed-instances.ts';
import type { Compute, Platform, TargetGroups } from './platform.ts';
import { processOperations } from './processes.ts';
import { Scaler } from './scaler.ts';
import { ScalingPolicies } from './scaling-policies.ts';
import { ScheduledActions } from './scheduled-actions.ts';
import { tagOperations } from './tags.ts';
import { TrafficSources } from './traffic-sources.ts';

export interface AutoScalingOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly compute: Compute;
  readonly targets: TargetGroups;
  readonly instances: Instances;
  /** CloudWatch's operations: alarms are made in it, metrics are read from it. */
  readonly cloudwatch: Operations;
  /** Whether callers may launch what their groups will; default: whoever asks may. */
  readonly permissions?: LaunchPermissions;
  readonly delays?: GroupDelays;
  /** From 0 up to 1: identifiers and the spread of delays. */
  readonly random?: () => number;
  readonly uuid?: () => string;
}

export class AutoScaling {
  readonly operations: Operations;
  readonly #groups = new Map<string, Group>();
  readonly #scheduled: ScheduledActions;
  readonly #policies: ScalingPolicies;
  #closed = false;

  constructor(options: AutoScalingOptions) {
    const {
      random = Math.random,
      uuid = randomUUID,
      delays = awsDelays,
      permissions = allPermitted,
    } = options;
    const platform: Platform = { ...options, delays, permissions, chance: new Chance(random, uuid) };
    const groups = this.#groups;
    const group = (name: string | undefined) => groupNamed(groups, name);
    const activities = new Activities({ ...platform, groups });
    const actions = new LifecycleActions(platform);
    const sources = new TrafficSources(platform, group);
    const hooks = new LifecycleHooks({ actions, group });
    const scaler: Scaler = new Scaler({
      platform,
      sources,
      lifecycle: () => lifecycle,
      onEmpty: (group) => {
        scheduled.forget(group);
        policies.forget(group);
        groups.delete(group.name);
      },
    });
    const lifecycle = new Lifecycle({
      platform,
      activities,
      actions,
      sources,
      onChange: (changed) => {
        if (!this.#closed) scaler.wake(changed);
      },
    });
    const all = () => groups.values();
    const capacity = new DesiredCapacity({ ...platform, onChange: (changed) => scaler.wake(changed) });
    const scheduled = new ScheduledActions({ ...platform, all, group, capacity });
    const policies = new ScalingPolicies({ ...options, ...platform, all, group, capacity });
    this.#scheduled = scheduled;
    this.#policies = policies;
    this.operations = {
      ...groupOperations({ platform, groups, activities, capacity, scaler, sources, hooks }),
      ...tagOperations({ all, group }),
      ...managedInstanceOperations({ platform, all, lifecycle }),
      ...scheduled.operations,
      ...policies.operations,
      ...sources.operations,
      ...hooks.operations,
      ...processOperations({ ...platform, group, onResume: (resumed) => scaler.wake(resumed) }),
      DescribeScalingActivities: activities.describe.bind(activities),
    };
  }

  /** For policies that go by tags; what names a group leaves its id open. */
  tagsOf(arn: string): Readonly<Record<string, string>> | undefined {
    const group = this.#groups.get(arn.split(':autoScalingGroupName/')[1] ?? '');
    if (group === undefined) return undefined;
    return Object.fromEntries(group.tags.map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  /** For policies that name a group by its whole ARN, which no request does. */
  resourcesOf(input: unknown): string[] | undefined {
    const { AutoScalingGroupName: name } = (input ?? {}) as { AutoScalingGroupName?: string };
    const group = this.#groups.get(name ?? '');
    return group && [group.arn];
  }

  /** The image that an instance was launched from; `undefined` when there is no such instance. */
  imageOf(instanceId: string): string | undefined {
    for (const { members } of this.#groups.values()) {
      const member = members.get(instanceId);
      if (member?.running !== undefined) return member.template.content.ImageId;
    }
    return undefined;
  }

  /** No group looks after itself any more. */
  close(): void {
    this.#closed = true;
    this.#policies.close();
    for (const group of this.#groups.values()) {
      group.look?.cancel();
      this.#scheduled.forget(group);
    }
  }
}
