/**
 * What Auto Scaling puts on the bus
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html).
 */
import { arn } from '../../account.ts';
import type { ActivityRecord } from './activities.ts';
import type { Group, Hook } from './group.ts';
import type { Platform } from './platform.ts';

type Step = 'Launch' | 'Terminate';

const between = {
  Launch: { Origin: 'EC2', Destination: 'AutoScalingGroup' },
  Terminate: { Origin: 'AutoScalingGroup', Destination: 'EC2' },
} as const;

/** An instance was launched or terminated, or could not be: then without an id when there is none. */
export function announceStep(
  { emit, chance }: Platform,
  group: Group,
  step: Step,
  activity: ActivityRecord,
  instanceId: string | undefined,
): void {
  const failed = activity.status !== 'Successful';
  emit({
    id: chance.uuid(),
    source: 'aws.autoscaling',
    detailType: `EC2 Instance ${step} ${failed ? 'Unsuccessful' : 'Successful'}`,
    resources: [group.arn, ...(instanceId === undefined ? [] : [arn('ec2', `instance/${instanceId}`)])],
    detail: {
      // In the reference's examples a success is still `InProgress`.
      StatusCode: failed ? 'Failed' : 'InProgress',
      Description: activity.description,
      AutoScalingGroupName: group.name,
      ActivityId: activity.id,
      Details: activity.place,
      RequestId: chance.uuid(),
      StatusMessage: activity.message ?? '',
      EndTime: activity.endedAt?.toISOString(),
      EC2InstanceId: instanceId ?? '',
      StartTime: activity.startedAt.toISOString(),
      Cause: activity.cause,
      ...between[step],
    },
  });
}

/** An instance waits for a hook. */
export function announceAction(
  { emit, chance }: Platform,
  group: Group,
  hook: Hook,
  action: { readonly token: string; readonly instanceId: string },
): void {
  const launching = hook.transition === 'autoscaling:EC2_INSTANCE_LAUNCHING';
  emit({
    id: chance.uuid(),
    source: 'aws.autoscaling',
    detailType: `EC2 Instance-${launching ? 'launch' : 'terminate'} Lifecycle Action`,
    resources: [group.arn],
    detail: {
      LifecycleActionToken: action.token,
      AutoScalingGroupName: group.name,
      LifecycleHookName: hook.name,
      EC2InstanceId: action.instanceId,
      LifecycleTransition: hook.transition,
      ...(hook.metadata === undefined ? {} : { NotificationMetadata: hook.metadata }),
      ...between[launching ? 'Launch' : 'Terminate'],
    },
  });
}
