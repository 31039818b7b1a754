/** The operations on lifecycle hooks and on what they have outstanding. */
import type {
  CompleteLifecycleActionCommandInput,
  DeleteLifecycleHookCommandInput,
  DescribeLifecycleHooksCommandInput,
  DescribeLifecycleHooksCommandOutput,
  LifecycleHook,
  LifecycleHookSpecification,
  PutLifecycleHookCommandInput,
  RecordLifecycleActionHeartbeatCommandInput,
} from '@aws-sdk/client-auto-scaling';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { type Group, type Hook, invalid, type Result, type Transition } from './group.ts';
import { globalSeconds, type LifecycleActions } from './lifecycle-actions.ts';

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
const mostPerGroup = 50;

export class LifecycleHooks {
  readonly operations: Operations;

  constructor(options: { actions: LifecycleActions; group: (name: string | undefined) => Group }) {
    const { actions, group: named } = options;
    this.operations = {
      PutLifecycleHook: (input: PutLifecycleHookCommandInput): object => {
        const group = named(input.AutoScalingGroupName);
        const hook = this.read(input, group.hooks.get(input.LifecycleHookName ?? ''));
        if (!group.hooks.has(hook.name) && group.hooks.size >= mostPerGroup)
          throw new AwsError(
            'LimitExceededFault',
            `Only ${mostPerGroup} lifecycle hooks are allowed per group.`,
          );
        group.hooks.set(hook.name, hook);
        return {};
      },

      DescribeLifecycleHooks: (
        input: DescribeLifecycleHooksCommandInput,
      ): Output<DescribeLifecycleHooksCommandOutput> => {
        const group = named(input.AutoScalingGroupName);
        const names = input.LifecycleHookNames ?? [];
        const found = [...group.hooks.values()].filter(
          ({ name }) => names.length === 0 || names.includes(name),
        );
        return { LifecycleHooks: found.map((hook) => shown(group, hook)) };
      },

      DeleteLifecycleHook: (input: DeleteLifecycleHookCommandInput): object => {
        const group = named(input.AutoScalingGroupName);
        const hook = group.hooks.get(input.LifecycleHookName ?? '');
        if (hook === undefined)
          throw invalid(
            `No Lifecycle Hook found with name ${input.LifecycleHookName} in group ${group.name}`,
          );
        group.hooks.delete(hook.name);
        actions.completeAll(group, hook);
        return {};
      },

      CompleteLifecycleAction: (input: CompleteLifecycleActionCommandInput): object => {
        named(input.AutoScalingGroupName);
        actions.complete(input, resultOf(input.LifecycleActionResult));
        return {};
      },

      RecordLifecycleActionHeartbeat: (input: RecordLifecycleActionHeartbeatCommandInput): object => {
        named(input.AutoScalingGroupName);
        actions.heartbeat(input);
        return {};
      },
    };
  }

  /** What a request makes of a hook; what it does not say stays as it was. Defaults: API_PutLifecycleHook. */
  read(input: PutLifecycleHookCommandInput | LifecycleHookSpecification, before: Hook | undefined): Hook {
    if (input.NotificationTargetARN !== undefined && input.NotificationTargetARN !== '')
      throw invalid(
        'NotificationTargetARN: not modelled by the embedded AWS, which notifies by EventBridge alone',
      );
    const name = input.LifecycleHookName ?? '';
    if (!/^[A-Za-z0-9\-_/]{1,255}$/.test(name)) throw invalid(`Invalid lifecycle hook name: ${name}`);
    const transition = input.LifecycleTransition ?? before?.transition;
    if (!isTransition(transition))
      throw invalid(
        `Valid lifecycle transitions are autoscaling:EC2_INSTANCE_LAUNCHING and autoscaling:EC2_INSTANCE_TERMINATING, not ${transition}`,
      );
    const heartbeatSeconds = input.HeartbeatTimeout ?? before?.heartbeatSeconds ?? 3_600;
    if (heartbeatSeconds < 30 || heartbeatSeconds > 7_200)
      throw invalid(`Heartbeat timeout must be between 30 and 7200 seconds, not ${heartbeatSeconds}`);
    return {
      name,
      transition,
      heartbeatSeconds,
      metadata: input.NotificationMetadata ?? before?.metadata,
      defaultResult: resultOf(input.DefaultResult ?? before?.defaultResult ?? 'ABANDON'),
    };
  }
}

function isTransition(given: string | undefined): given is Transition {
  return given === 'autoscaling:EC2_INSTANCE_LAUNCHING' || given === 'autoscaling:EC2_INSTANCE_TERMINATING';
}

function resultOf(given: string | undefined): Result {
  if (given === 'CONTINUE' || given === 'ABANDON') return given;
  throw invalid(`Lifecycle action result must be one of [CONTINUE, ABANDON], not ${given}`);
}

function shown(group: Group, hook: Hook): LifecycleHook {
  return {
    AutoScalingGroupName: group.name,
    LifecycleHookName: hook.name,
    LifecycleTransition: hook.transition,
    NotificationMetadata: hook.metadata,
    HeartbeatTimeout: hook.heartbeatSeconds,
    GlobalTimeout: globalSeconds(hook),
    DefaultResult: hook.defaultResult,
  };
}
