import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSignal } from '../../functions/core/signals/signal.ts';
import { digestOf } from './examples.ts';

const owner = { service: 'web', generation: 'web-g0002' };
const task = 'c13b4cb40f1f4fe4a2971f76ae5a47ad';

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html */
function taskEvent(detail: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: '0',
    id: '3317b2af-7005-947d-b652-f55e762e571a',
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    account: '111122223333',
    time: '2020-01-23T17:57:58Z',
    region: 'us-west-2',
    resources: [`arn:aws:ecs:us-west-2:111122223333:task/FargateCluster/${task}`],
    detail: {
      attachments: [
        {
          id: '1789bcae',
          type: 'eni',
          status: 'ATTACHED',
          details: [{ name: 'privateIPv4Address', value: '10.0.0.139' }],
        },
      ],
      availabilityZone: 'us-west-2c',
      clusterArn: 'arn:aws:ecs:us-west-2:111122223333:cluster/FargateCluster',
      containers: [
        {
          containerArn: 'arn:aws:ecs:us-west-2:111122223333:container/cf159fd6',
          lastStatus: 'RUNNING',
          name: 'app',
          image: 'shop/web',
          taskArn: `arn:aws:ecs:us-west-2:111122223333:task/FargateCluster/${task}`,
          networkInterfaces: [],
          cpu: '0',
        },
      ],
      desiredStatus: 'RUNNING',
      group: 'service:web-g0002',
      lastStatus: 'RUNNING',
      launchType: 'FARGATE',
      startedBy: 'ecs-svc/1234567890123456789',
      taskArn: `arn:aws:ecs:us-west-2:111122223333:task/FargateCluster/${task}`,
      version: 3,
      ...detail,
    },
  };
}

function stopped(detail: Record<string, unknown>): Record<string, unknown> {
  return taskEvent({ lastStatus: 'STOPPED', desiredStatus: 'STOPPED', containers: [], ...detail });
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html */
function serviceEvent(
  type: string,
  detail: Record<string, unknown>,
  resource = 'service/default/web-g0002',
): Record<string, unknown> {
  return {
    version: '0',
    id: 'ddca6449-b258-46c0-8653-e0e3aEXAMPLE',
    'detail-type': type,
    source: 'aws.ecs',
    account: '111122223333',
    time: '2020-05-23T12:31:14Z',
    region: 'us-west-2',
    resources: [`arn:aws:ecs:us-west-2:111122223333:${resource}`],
    detail,
  };
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
function alarmEvent(state: Record<string, unknown>): Record<string, unknown> {
  return {
    version: '0',
    id: 'c4c1c1c9-6542-e61b-6ef0-8c4d36933a92',
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: '123456789012',
    time: '2019-10-02T17:04:40Z',
    region: 'us-east-1',
    resources: ['arn:aws:cloudwatch:us-east-1:123456789012:alarm:web-errors'],
    detail: {
      alarmName: 'web-errors',
      configuration: { description: 'errors', metrics: [] },
      previousState: { value: 'OK', reason: 'no errors', timestamp: '2019-10-02T17:03:40.985+0000' },
      state: { reasonData: '{}', timestamp: '2019-10-02T17:04:40.989+0000', ...state },
    },
  };
}

describe('a task of a generation', () => {
  it('that runs', () => {
    expect(readSignal(taskEvent())).toEqual({
      kind: 'signal',
      signal: { kind: 'taskRunning', ...owner, task },
    });
  });

  it.each([
    [
      'whose container exited',
      {
        stopCode: 'EssentialContainerExited',
        stoppedReason: 'Essential container in task exited',
        containers: [{ exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' }],
      },
      true,
      'Essential container in task exited, exit code 137, OutOfMemoryError: Container killed due to memory usage',
    ],
    [
      'that could not start',
      {
        stopCode: 'TaskFailedToStart',
        stoppedReason: 'CannotPullContainerError: pull image manifest has been retried 5 time(s)',
      },
      true,
      'CannotPullContainerError: pull image manifest has been retried 5 time(s)',
    ],
    [
      "that failed the balancer's health checks",
      {
        stopCode: 'ServiceSchedulerInitiated',
        stoppedReason: 'Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:x)',
      },
      true,
      'Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:x)',
    ],
    [
      "that failed its container's health checks",
      { stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Task failed container health checks' },
      true,
      'Task failed container health checks',
    ],
    [
      'that was scaled in',
      {
        stopCode: 'ServiceSchedulerInitiated',
        stoppedReason: 'Scaling activity initiated by (deployment ecs-svc/1)',
      },
      false,
      'Scaling activity initiated by (deployment ecs-svc/1)',
    ],
    [
      'that a person stopped',
      { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' },
      false,
      'Task stopped by user',
    ],
    [
      'that lost its spot capacity',
      { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.' },
      false,
      'Your Spot Task was interrupted.',
    ],
    ['that gives only a code', { stopCode: 'TerminationNotice' }, false, 'TerminationNotice'],
    ['that gives no reason', {}, false, 'ECS gave no reason'],
  ])('%s', (_, detail, crashed, reason) => {
    expect(readSignal(stopped(detail))).toEqual({
      kind: 'signal',
      signal: { kind: 'taskStopped', ...owner, task, crashed, reason },
    });
  });

  it.each([
    ['is on its way', taskEvent({ lastStatus: 'PROVISIONING' }), 'the task is PROVISIONING'],
    [
      "is no generation's",
      taskEvent({ group: 'service:web' }),
      'the task belongs to service:web, not to a generation',
    ],
    [
      'was run alone',
      taskEvent({ group: 'family:web-g0002' }),
      'the task belongs to family:web-g0002, not to a generation',
    ],
    ['has no group', taskEvent({ group: undefined }), 'the task belongs to no service, not to a generation'],
  ])('that %s is ignored', (_, event, reason) => {
    expect(readSignal(event)).toEqual({ kind: 'ignored', reason });
  });
});

describe('a service of a generation', () => {
  it('that ECS gave up, as the circuit breaker says it', () => {
    const reason = 'ECS deployment circuit breaker: task failed to start.';
    const detail = {
      eventType: 'ERROR',
      eventName: 'SERVICE_DEPLOYMENT_FAILED',
      deploymentId: 'ecs-svc/123',
      updatedAt: '2020-05-23T11:11:11Z',
      reason,
    };
    expect(readSignal(serviceEvent('ECS Deployment State Change', detail))).toEqual({
      kind: 'signal',
      signal: { kind: 'fleetFailed', ...owner, reason },
    });
  });

  it('that finds no room for a task', () => {
    const detail = {
      eventType: 'ERROR',
      eventName: 'SERVICE_TASK_PLACEMENT_FAILURE',
      clusterArn: 'arn:aws:ecs:us-west-2:111122223333:cluster/default',
      createdAt: '2019-11-19T19:55:38.725Z',
      reason: 'RESOURCE:FARGATE',
    };
    const event = { ...serviceEvent('ECS Service Action', detail), id: 'event-1' };
    expect(readSignal(event)).toEqual({
      kind: 'signal',
      signal: { kind: 'noRoom', ...owner, event: 'event-1', reason: 'RESOURCE:FARGATE' },
    });
  });

  /** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html */
  const instanceEvent = (what: string, detail: object, AutoScalingGroupName = 'web-g0002') => ({
    'detail-type': `EC2 Instance ${what}`,
    id: 'event-1',
    detail: { AutoScalingGroupName, EC2InstanceId: 'i-1', StatusMessage: '', Cause: 'cause', ...detail },
  });
  const shrinking =
    'At 2026-01-05T12:00:00Z an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from 2 to 1.';
  const unhealthy =
    'At 2026-01-05T12:00:00Z an instance was taken out of service in response to an ELB system health check failure.';
  it.each([
    ['runs', 'Launch Successful', {}, { kind: 'taskRunning', ...owner, task: 'i-1' }],
    [
      'could not be launched',
      'Launch Unsuccessful',
      { EC2InstanceId: '', StatusMessage: 'You have requested more vCPU capacity.' },
      { kind: 'notLaunched', ...owner, event: 'event-1', reason: 'You have requested more vCPU capacity.' },
    ],
    [
      'could not be launched, nobody says why',
      'Launch Unsuccessful',
      {},
      { kind: 'notLaunched', ...owner, event: 'event-1', reason: 'EC2 Auto Scaling gave no reason' },
    ],
    [
      'was scaled in',
      'Terminate Successful',
      { Cause: shrinking },
      {
        kind: 'taskStopped',
        ...owner,
        task: 'i-1',
        crashed: false,
        reason: shrinking.slice('At 2026-01-05T12:00:00Z '.length),
      },
    ],
    [
      'was found unhealthy',
      'Terminate Successful',
      { Cause: unhealthy },
      {
        kind: 'taskStopped',
        ...owner,
        task: 'i-1',
        crashed: true,
        reason: 'an instance was taken out of service in response to an ELB system health check failure.',
      },
    ],
  ])('of an instance that %s', (_, what, detail, signal) => {
    expect(readSignal(instanceEvent(what, detail))).toEqual({ kind: 'signal', signal });
  });

  it.each([
    [
      'a group that is no generation',
      instanceEvent('Launch Successful', {}, 'bastion'),
      'bastion is not a generation',
    ],
    [
      'an instance that is still on its way out',
      instanceEvent('Terminate Unsuccessful', { StatusMessage: 'not now' }),
      'i-1 of web-g0002 could not be terminated yet: not now',
    ],
  ])('of %s ends no wait', (_, event, reason) => {
    expect(readSignal(event)).toEqual({ kind: 'ignored', reason });
  });

  it('that is steady', () => {
    const detail = {
      eventType: 'INFO',
      eventName: 'SERVICE_STEADY_STATE',
      clusterArn: 'arn:aws:ecs:us-west-2:111122223333:cluster/default',
      createdAt: '2019-11-19T19:27:22.695Z',
    };
    expect(readSignal(serviceEvent('ECS Service Action', detail))).toEqual({
      kind: 'signal',
      signal: { kind: 'steady', ...owner },
    });
  });

  it.each([
    [
      'SERVICE_DEPLOYMENT_COMPLETED',
      'service/default/web-g0002',
      'SERVICE_DEPLOYMENT_COMPLETED ends no wait',
    ],
    [
      'SERVICE_STEADY_STATE',
      'service/default/servicetest',
      'arn:aws:ecs:us-west-2:111122223333:service/default/servicetest is not a generation',
    ],
  ])('that says %s as %s is ignored', (eventName, resource, reason) => {
    expect(
      readSignal(serviceEvent('ECS Service Action', { eventType: 'WARN', eventName }, resource)),
    ).toEqual({ kind: 'ignored', reason });
  });
});

describe('an alarm', () => {
  it('that turned red', () => {
    const reason =
      'Threshold Crossed: 1 out of the last 1 datapoints [5.0] was greater than the threshold (1.0)';
    expect(readSignal(alarmEvent({ value: 'ALARM', reason }))).toEqual({
      kind: 'signal',
      signal: { kind: 'alarm', alarm: 'web-errors', reason, at: Date.UTC(2019, 9, 2, 17, 4, 40) },
    });
    expect(readSignal(alarmEvent({ value: 'ALARM' }))).toMatchObject({ signal: { reason: '' } });
  });

  it.each(['OK', 'INSUFFICIENT_DATA'])('that turned %s is ignored', (value) => {
    expect(readSignal(alarmEvent({ value }))).toEqual({
      kind: 'ignored',
      reason: `the alarm web-errors is ${value}`,
    });
  });
});

describe('a person', () => {
  it('ends a deployment, with or without a reason', () => {
    const said = { service: 'web', signal: 'abort', by: 'ann' };
    const abort = { kind: 'abort', service: 'web', by: 'ann' };
    expect(readSignal(said)).toEqual({ kind: 'signal', signal: { ...abort, reason: 'no reason given' } });
    expect(readSignal({ ...said, reason: 'wrong' })).toEqual({
      kind: 'signal',
      signal: { ...abort, reason: 'wrong' },
    });
  });

  it('has a deployment go on that is held', () => {
    const said = {
      service: 'web',
      signal: 'resume',
      by: 'ann',
      reason: 'I did it',
      deployment: 'web-g0002-d2',
    };
    const { signal: _, ...rest } = said;
    expect(readSignal(said)).toEqual({ kind: 'signal', signal: { kind: 'resume', ...rest } });
  });

  it('releases one digest that is held, or all', () => {
    const said = { service: 'web', signal: 'release', by: 'ann' };
    const release = { kind: 'release', service: 'web', by: 'ann' };
    expect(readSignal(said)).toEqual({ kind: 'signal', signal: release });
    const digest = digestOf(2);
    expect(readSignal({ ...said, digest })).toEqual({ kind: 'signal', signal: { ...release, digest } });
  });

  it.each([
    ['a digest that is none', { service: 'web', signal: 'release', by: 'ann', digest: 'v2' }],
    ['no name for a release', { service: 'web', signal: 'release' }],
    ['no name', { service: 'web', signal: 'abort' }],
    ['an empty name', { service: 'web', signal: 'abort', by: '' }],
    ['another word', { service: 'web', signal: 'stop', by: 'ann' }],
    ['an impossible service', { service: 'Web!', signal: 'abort', by: 'ann' }],
    ['a misspelt member', { service: 'web', signal: 'abort', by: 'ann', reasons: 'x' }],
    ['endless words', { service: 'web', signal: 'abort', by: 'ann', reason: 'x'.repeat(501) }],
  ])('who gives %s is told what is wanted', (_, said) => {
    expect(readSignal(said)).toMatchObject({
      kind: 'malformed',
      reason: expect.stringMatching(
        /^the signal is not valid, and nothing was changed: .+\. A person's is \{"service":"web","signal":"abort"/,
      ) as string,
    });
  });
});

describe('garbage', () => {
  it('is never taken for a signal, and never throws', () => {
    expect(readSignal(undefined).kind).toBe('malformed');
    const mutilated = fc
      .constantFrom(
        taskEvent(),
        stopped({}),
        serviceEvent('ECS Service Action', { eventName: 'SERVICE_STEADY_STATE' }),
        alarmEvent({ value: 'ALARM' }),
      )
      .chain((event) =>
        fc
          .tuple(fc.constantFrom(...Object.keys(event)), fc.anything())
          .map(([key, value]) => ({ ...event, [key]: value })),
      );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue(), mutilated), (event) => {
        expect(['signal', 'ignored', 'malformed']).toContain(readSignal(event).kind);
      }),
      { numRuns: 500 },
    );
  });
});
