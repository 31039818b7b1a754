/** What can end a wait early, read from the events of ECS, EC2 Auto Scaling and CloudWatch and from people. */
import * as z from 'zod';
import { drainHook } from '../fleet/drain-hook.ts';
import {
  type DeploymentId,
  type Digest,
  deploymentId,
  digest,
  type GenerationName,
  generationName,
  readGenerationName,
  type ServiceName,
  serviceName,
} from '../names.ts';
import { parse } from '../parse.ts';

export type Signal =
  /** `task`: or an instance, by its id. */
  | {
      readonly kind: 'taskRunning';
      readonly service: ServiceName;
      readonly generation: GenerationName;
      readonly task: string;
    }
  | {
      readonly kind: 'taskStopped';
      readonly service: ServiceName;
      readonly generation: GenerationName;
      readonly task: string;
      /** Whether it stopped by its own fault, not because it was scaled in, moved or replaced. */
      readonly crashed: boolean;
      readonly reason: string;
    }
  | {
      readonly kind: 'fleetFailed';
      readonly service: ServiceName;
      readonly generation: GenerationName;
      readonly reason: string;
    }
  /** The fleet found no room for a task: capacity or a quota. It goes on trying. */
  | {
      readonly kind: 'noRoom';
      readonly service: ServiceName;
      readonly generation: GenerationName;
      readonly event: string;
      readonly reason: string;
    }
  /** An instance could not be launched, for whatever reason. The fleet goes on trying. */
  | {
      readonly kind: 'notLaunched';
      readonly service: ServiceName;
      readonly generation: GenerationName;
      readonly event: string;
      readonly reason: string;
    }
  | { readonly kind: 'steady'; readonly service: ServiceName; readonly generation: GenerationName }
  /** An instance is about to end, and waits to be drained. */
  | {
      readonly kind: 'drain';
      readonly service: ServiceName;
      readonly generation: GenerationName;
      readonly instance: string;
    }
  | { readonly kind: 'alarm'; readonly alarm: string; readonly reason: string; readonly at: number }
  | {
      readonly kind: 'release';
      readonly service: ServiceName;
      readonly by: string;
      readonly digest?: Digest | undefined;
    }
  | { readonly kind: 'collect'; readonly service: ServiceName; readonly by: string }
  /** The next push is deployed in spite of red alarms and freezes. */
  | {
      readonly kind: 'waive';
      readonly service: ServiceName;
      readonly by: string;
      readonly reason: string;
    }
  | {
      readonly kind: 'abort';
      readonly service: ServiceName;
      readonly by: string;
      readonly reason: string;
      readonly deployment?: DeploymentId | undefined;
    }
  /** What a hook said, at once or long after it was called. */
  | {
      readonly kind: 'answer';
      readonly service: ServiceName;
      readonly key: string;
      readonly verdict: 'pass' | 'fail';
      readonly reason: string;
    }
  /** The step that stands may be left when its bake is over. */
  | {
      readonly kind: 'approve';
      readonly service: ServiceName;
      readonly by: string;
      readonly reason: string;
      readonly deployment?: DeploymentId | undefined;
    }
  /** What a person changed by hand counts: a deployment that is held goes on from it. */
  | {
      readonly kind: 'resume';
      readonly service: ServiceName;
      readonly by: string;
      readonly reason: string;
      readonly deployment?: DeploymentId | undefined;
    };

export type SignalReading =
  | { readonly kind: 'signal'; readonly signal: Signal }
  | { readonly kind: 'ignored'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html */
const taskEvent = z.object({
  'detail-type': z.literal('ECS Task State Change'),
  detail: z.object({
    taskArn: z.string(),
    group: z.string().optional(),
    lastStatus: z.string(),
    stopCode: z.string().optional(),
    stoppedReason: z.string().optional(),
    containers: z
      .array(z.object({ exitCode: z.int().optional(), reason: z.string().optional() }))
      .default([]),
  }),
});

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html */
const serviceEvent = z.object({
  'detail-type': z.enum(['ECS Service Action', 'ECS Deployment State Change']),
  id: z.string().min(1).default('no id'),
  resources: z.array(z.string()).min(1),
  detail: z.object({ eventName: z.string(), reason: z.string().optional() }),
});

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html */
const instanceEvent = z.object({
  'detail-type': z.enum([
    'EC2 Instance Launch Successful',
    'EC2 Instance Launch Unsuccessful',
    'EC2 Instance Terminate Successful',
    'EC2 Instance Terminate Unsuccessful',
  ]),
  id: z.string().min(1).default('no id'),
  detail: z.object({
    AutoScalingGroupName: z.string().min(1),
    EC2InstanceId: z.string().default(''),
    StatusMessage: z.string().default(''),
    Cause: z.string().default(''),
  }),
});

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html#terminate-lifecycle-action */
const endingEvent = z.object({
  'detail-type': z.literal('EC2 Instance-terminate Lifecycle Action'),
  detail: z.object({
    AutoScalingGroupName: z.string().min(1),
    EC2InstanceId: z.string().min(1),
    LifecycleHookName: z.string(),
  }),
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
const alarmEvent = z.object({
  'detail-type': z.literal('CloudWatch Alarm State Change'),
  time: z.iso.datetime(),
  detail: z.object({
    alarmName: z.string(),
    state: z.object({ value: z.string(), reason: z.string().default('') }),
  }),
});

/** `aws lambda invoke … --payload '{"service":"web","signal":"abort","by":"ann","reason":"…"}'` */
const who = z.string().min(1).max(200);
const ofDeployment = {
  service: serviceName,
  by: who,
  reason: z.string().min(1).max(500).default('no reason given'),
  deployment: deploymentId
    .optional()
    .describe('only this one: a repeat that comes late must not meet the next'),
};
const personal = z.discriminatedUnion('signal', [
  z.strictObject({ ...ofDeployment, signal: z.literal('abort') }),
  z.strictObject({ ...ofDeployment, signal: z.literal('resume') }),
  z.strictObject({ ...ofDeployment, signal: z.literal('approve') }),
  z.strictObject({
    service: serviceName,
    signal: z.literal('release'),
    by: who,
    digest: digest.optional().describe('default: every digest that is held'),
  }),
  z.strictObject({ service: serviceName, signal: z.literal('collect'), by: who }),
  z.strictObject({
    service: serviceName,
    signal: z.literal('answer'),
    key: z.string().min(1).max(300).describe('as the hook was given it'),
    verdict: z.enum(['pass', 'fail']),
    reason: z.string().min(1).default('no reason given'),
  }),
  z.strictObject({
    service: serviceName,
    signal: z.literal('waive'),
    by: who,
    reason: z.string().min(1).max(500).describe('it is told to everybody'),
  }),
]);

const anySignal = z.union([taskEvent, serviceEvent, instanceEvent, endingEvent, alarmEvent, personal]);

export function readSignal(event: unknown): SignalReading {
  const parsed = parse(anySignal, event);
  if (!parsed.ok) {
    return {
      kind: 'malformed',
      reason: malformed(event),
    };
  }
  const value = parsed.value;
  if ('signal' in value) {
    const { signal: kind, ...rest } = value;
    return { kind: 'signal', signal: { kind, ...rest } as Signal };
  }
  switch (value['detail-type']) {
    case 'ECS Task State Change':
      return readTask(value.detail);
    case 'ECS Service Action':
    case 'ECS Deployment State Change':
      return readServiceEvent(value.resources[0] ?? '', value.id, value.detail);
    case 'EC2 Instance Launch Successful':
    case 'EC2 Instance Launch Unsuccessful':
    case 'EC2 Instance Terminate Successful':
    case 'EC2 Instance Terminate Unsuccessful':
      return readInstance(value['detail-type'], value.id, value.detail);
    case 'EC2 Instance-terminate Lifecycle Action':
      return readEnding(value.detail);
    case 'CloudWatch Alarm State Change': {
      const { alarmName, state } = value.detail;
      if (state.value !== 'ALARM')
        return { kind: 'ignored', reason: `the alarm ${alarmName} is ${state.value}` };
      return {
        kind: 'signal',
        signal: { kind: 'alarm', alarm: alarmName, reason: state.reason, at: Date.parse(value.time) },
      };
    }
  }
}

const personsSignals =
  '{"service":"web","signal":"abort","by":"you","reason":"why"}, the same with resume or approve, {"service":"web","signal":"release","by":"you"}, the same with collect, {"service":"web","signal":"waive","by":"you","reason":"why"}, or, for a hook, {"service":"web","signal":"answer","key":"…","verdict":"pass"}';

function malformed(event: unknown): string {
  const looksPersonal = typeof event === 'object' && event !== null && 'signal' in event;
  const parsed = looksPersonal ? parse(personal, event) : undefined;
  return parsed === undefined || parsed.ok
    ? `neither an event of ECS, EC2 Auto Scaling or CloudWatch nor a person's ${personsSignals}`
    : `the signal is not valid, and nothing was changed: ${parsed.mistakes.join('; ')}. A person's is ${personsSignals}`;
}

type InstanceDetail = z.infer<typeof instanceEvent>['detail'];

function readTask(detail: z.infer<typeof taskEvent>['detail']): SignalReading {
  const owner = ownerOf(detail.group?.replace(/^service:/, '') ?? '');
  const task = detail.taskArn.split('/').at(-1) ?? detail.taskArn;
  if (owner === undefined)
    return {
      kind: 'ignored',
      reason: `the task belongs to ${detail.group ?? 'no service'}, not to a generation`,
    };
  if (detail.lastStatus === 'RUNNING')
    return { kind: 'signal', signal: { kind: 'taskRunning', ...owner, task } };
  if (detail.lastStatus !== 'STOPPED') return { kind: 'ignored', reason: `the task is ${detail.lastStatus}` };
  // Rebalancing, scale-in and Fargate maintenance stop tasks too; only these are the image's own fault.
  const failedHealth = /failed (?:ELB|container) health checks/i.test(detail.stoppedReason ?? '');
  const crashed =
    detail.stopCode === 'EssentialContainerExited' || detail.stopCode === 'TaskFailedToStart' || failedHealth;
  const exitCodes = detail.containers.flatMap(({ exitCode }) =>
    exitCode === undefined ? [] : [`exit code ${exitCode}`],
  );
  const reasons = detail.containers.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  const reason = [
    detail.stoppedReason ?? detail.stopCode ?? 'ECS gave no reason',
    ...exitCodes,
    ...reasons,
  ].join(', ');
  return { kind: 'signal', signal: { kind: 'taskStopped', ...owner, task, crashed, reason } };
}

function readServiceEvent(
  resource: string,
  event: string,
  detail: z.infer<typeof serviceEvent>['detail'],
): SignalReading {
  const owner = ownerOf(resource.split('/').at(-1) ?? '');
  if (owner === undefined) return { kind: 'ignored', reason: `${resource} is not a generation` };
  if (detail.eventName === 'SERVICE_DEPLOYMENT_FAILED') {
    return {
      kind: 'signal',
      signal: { kind: 'fleetFailed', ...owner, reason: detail.reason ?? 'ECS gave no reason' },
    };
  }
  if (detail.eventName === 'SERVICE_TASK_PLACEMENT_FAILURE') {
    const reason = detail.reason ?? 'ECS gave no reason';
    return { kind: 'signal', signal: { kind: 'noRoom', ...owner, event, reason } };
  }
  if (detail.eventName === 'SERVICE_STEADY_STATE')
    return { kind: 'signal', signal: { kind: 'steady', ...owner } };
  return { kind: 'ignored', reason: `${detail.eventName} ends no wait` };
}

function readInstance(
  what: z.infer<typeof instanceEvent>['detail-type'],
  event: string,
  { AutoScalingGroupName: group, EC2InstanceId: task, StatusMessage, Cause }: InstanceDetail,
): SignalReading {
  const owner = ownerOf(group);
  if (owner === undefined) return { kind: 'ignored', reason: `${group} is not a generation` };
  switch (what) {
    case 'EC2 Instance Launch Successful':
      return { kind: 'signal', signal: { kind: 'taskRunning', ...owner, task } };
    case 'EC2 Instance Launch Unsuccessful': {
      const reason = StatusMessage || 'EC2 Auto Scaling gave no reason';
      return { kind: 'signal', signal: { kind: 'notLaunched', ...owner, event, reason } };
    }
    case 'EC2 Instance Terminate Successful': {
      // `At 2026-01-05T12:00:00Z an instance was taken out of service in response to an ELB system health check failure.`
      const reason = Cause.replace(/^At \S+ /, '');
      const crashed = /health[ -]check/i.test(Cause);
      return { kind: 'signal', signal: { kind: 'taskStopped', ...owner, task, crashed, reason } };
    }
    case 'EC2 Instance Terminate Unsuccessful':
      return { kind: 'ignored', reason: `${task} of ${group} could not be terminated yet: ${StatusMessage}` };
  }
}

function readEnding({
  AutoScalingGroupName: group,
  EC2InstanceId: instance,
  LifecycleHookName: hook,
}: z.infer<typeof endingEvent>['detail']): SignalReading {
  const owner = ownerOf(group);
  if (owner === undefined) return { kind: 'ignored', reason: `${group} is not a generation` };
  return hook === drainHook
    ? { kind: 'signal', signal: { kind: 'drain', ...owner, instance } }
    : {
        kind: 'ignored',
        reason: `${instance} of ${group} waits for the hook ${hook}, which is not ${drainHook}`,
      };
}

function ownerOf(name: string): { service: ServiceName; generation: GenerationName } | undefined {
  const read = readGenerationName(name);
  return read === undefined ? undefined : { service: read.service, generation: generationName.parse(name) };
}
