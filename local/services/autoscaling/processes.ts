/**
 * Suspending and resuming what a group does by itself
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html). Those without effect here are
 * kept: there are no instance refreshes or rebalances that they would stop.
 */
import type { ResumeProcessesCommandInput, SuspendProcessesCommandInput } from '@aws-sdk/client-auto-scaling';
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type Group, invalid, secondOf } from './group.ts';

const processes = [
  'AddToLoadBalancer',
  'AlarmNotification',
  'AZRebalance',
  'HealthCheck',
  'InstanceRefresh',
  'Launch',
  'ReplaceUnhealthy',
  'ScheduledActions',
  'Terminate',
];

export function processOperations(options: {
  clock: Clock;
  group: (name: string | undefined) => Group;
  onResume: (group: Group) => void;
}) {
  const { clock, group: named, onResume } = options;
  return {
    SuspendProcesses(input: SuspendProcessesCommandInput): object {
      const group = named(input.AutoScalingGroupName);
      for (const process of chosen(input.ScalingProcesses))
        if (!group.suspended.has(process))
          group.suspended.set(process, `User suspended at ${secondOf(clock.now())}`);
      return {};
    },

    ResumeProcesses(input: ResumeProcessesCommandInput): object {
      const group = named(input.AutoScalingGroupName);
      for (const process of chosen(input.ScalingProcesses)) group.suspended.delete(process);
      onResume(group);
      return {};
    },
  } satisfies Operations;
}

/** All of them when none is named. */
function chosen(names: readonly string[] = []): readonly string[] {
  const strange = names.find((name) => !processes.includes(name));
  if (strange !== undefined) throw invalid(`Invalid process type: ${strange}`);
  return names.length === 0 ? processes : names;
}
