/** The operations on single instances of groups. */
import type {
  AutoScalingInstanceDetails,
  DescribeAutoScalingInstancesCommandInput,
  DescribeAutoScalingInstancesCommandOutput,
  TerminateInstanceInAutoScalingGroupCommandInput,
  TerminateInstanceInAutoScalingGroupCommandOutput,
} from '@aws-sdk/client-auto-scaling';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { shownActivity } from './activities.ts';
import { type Group, invalid, isLeaving, type Member, secondOf } from './group.ts';
import { shownInstance } from './group-description.ts';
import type { Lifecycle } from './lifecycle.ts';
import { pageOf } from './page.ts';
import type { Platform } from './platform.ts';

interface Managed {
  readonly group: Group;
  readonly member: Member;
}

export interface ManagedInstancesOptions {
  readonly platform: Platform;
  readonly all: () => Iterable<Group>;
  readonly lifecycle: Lifecycle;
}

export function managedInstanceOperations({ platform, all, lifecycle }: ManagedInstancesOptions) {
  // One that EC2 has not answered for is not there yet.
  const managed = (): Managed[] =>
    [...all()].flatMap((group) =>
      [...group.members.values()]
        .filter(({ running }) => running !== undefined)
        .map((member) => ({ group, member })),
    );

  return {
    /** "If you specify an ID that does not exist, it is ignored with no error" (API_DescribeAutoScalingInstances). */
    DescribeAutoScalingInstances(
      input: DescribeAutoScalingInstancesCommandInput,
    ): Output<DescribeAutoScalingInstancesCommandOutput> {
      const ids = input.InstanceIds ?? [];
      const found = managed().filter(({ member }) => ids.length === 0 || ids.includes(member.id));
      const key = ({ member }: Managed) => member.id;
      const { entries, token } = pageOf(found, key, 50, { fallback: 50, asked: input });
      return {
        AutoScalingInstances: entries.map(details),
        ...(token === undefined ? {} : { NextToken: token }),
      };
    },

    /** Words of the refusals as clients match them; those of the cause are those that the reference has for a detachment: assumed. */
    TerminateInstanceInAutoScalingGroup(
      input: TerminateInstanceInAutoScalingGroupCommandInput,
    ): Output<TerminateInstanceInAutoScalingGroupCommandOutput> {
      if (input.InstanceIds !== undefined || input.AutoScalingGroupName !== undefined)
        throw invalid('InstanceIds and AutoScalingGroupName are not modelled by the embedded AWS');
      const id = input.InstanceId ?? '';
      const found = managed().find(({ member }) => member.id === id);
      if (found === undefined)
        throw invalid(`Instance Id not found - No managed instance found for instance ID: ${id}`);
      const { group, member } = found;
      if (group.deleting || isLeaving(member))
        throw new AwsError('ScalingActivityInProgressFault', `Instance ${id} is being terminated`);
      const why = `At ${secondOf(platform.clock.now())} instance ${id} was taken out of service in response to a user request`;
      const { settings } = group;
      const cause = input.ShouldDecrementDesiredCapacity
        ? `${why}, shrinking the capacity from ${settings.desired} to ${decremented(group)}.`
        : `${why}.`;
      if (input.ShouldDecrementDesiredCapacity) settings.desired = decremented(group);
      lifecycle.terminate(group, member, cause);
      return member.departure === undefined ? {} : { Activity: shownActivity(member.departure) };
    },
  } satisfies Operations;
}

function decremented({ settings: { desired, minimum } }: Group): number {
  if (desired > minimum) return desired - 1;
  throw invalid(
    `Currently, desiredSize equals minSize (${minimum}). Terminating instance without replacement will violate group's min size constraint. ` +
      `Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
  );
}

/** Health in capitals, as only this operation has it. */
function details({ group, member }: Managed): AutoScalingInstanceDetails {
  const { InstanceId, AvailabilityZone, LifecycleState, ...shown } = shownInstance(member);
  return {
    ...shown,
    InstanceId,
    AvailabilityZone,
    LifecycleState,
    AutoScalingGroupName: group.name,
    HealthStatus: member.healthy ? 'HEALTHY' : 'UNHEALTHY',
    ProtectedFromScaleIn: false,
  };
}
