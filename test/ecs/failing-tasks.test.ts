import type { DeploymentCircuitBreaker } from '@aws-sdk/client-ecs';
import { describe, expect, test } from 'vitest';
import { failureThreshold } from '../../local/services/ecs/circuit-breaker.ts';
import { restartWait } from '../../local/services/ecs/restart-throttle.ts';
import { call, definition, running } from './world.ts';

const on: DeploymentCircuitBreaker = { enable: true, rollback: false };
const count = (value: number): DeploymentCircuitBreaker => ({
  ...on,
  thresholdConfiguration: { type: 'COUNT', value },
});

test.each<[DeploymentCircuitBreaker | undefined, number, number | undefined]>([
  [undefined, 4, undefined],
  [{ enable: false, rollback: false }, 4, undefined],
  [on, 1, 3],
  [on, 7, 4],
  [on, 1000, 200],
  [count(2), 1000, 2],
  [{ ...on, thresholdConfiguration: { type: 'BOUNDED_PERCENT', value: 100 } }, 10, 10],
  [{ ...on, thresholdConfiguration: { type: 'UNBOUNDED_PERCENT', value: 50 } }, 1000, 500],
  [{ ...on, thresholdConfiguration: { type: 'UNBOUNDED_PERCENT', value: 10 } }, 3, 1],
])('breaker %j with %i tasks fails at %s', (breaker, desired, threshold) => {
  expect(failureThreshold(breaker, desired)).toBe(threshold);
});

test('restarts wait longer and longer, up to 15 minutes', () => {
  expect([0, 1, 2, 3, 4, 8, 20].map((failures) => restartWait(failures) / 1000)).toEqual([
    0, 10, 20, 40, 80, 900, 900,
  ]);
});

describe('with a circuit breaker of three', () => {
  const configuration = { deploymentConfiguration: { deploymentCircuitBreaker: count(3) } };

  test('tasks that cannot be pulled fail the deployment, which launches no more', async () => {
    const made = running(configuration);
    made.images.failure = new Error('CannotPullContainerError: not found');
    await made.clock.advance(600_000);
    expect(made.service().deployments).toMatchObject([
      {
        rolloutState: 'FAILED',
        rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
        failedTasks: 3,
      },
    ]);
    expect(made.tasks('STOPPED')).toHaveLength(3);
    expect(made.on('ECS Deployment State Change').at(-1)?.detail).toMatchObject({
      eventType: 'ERROR',
      eventName: 'SERVICE_DEPLOYMENT_FAILED',
      reason: 'ECS deployment circuit breaker: tasks failed to start.',
    });
    expect(made.said()).toContain(
      '(service web) (deployment ecs-svc/N) deployment failed: tasks failed to start.',
    );
    expect(made.said().some((message) => message.includes('steady state'))).toBe(false);
  });

  test('tasks that crash before they are healthy fail it', async () => {
    const made = running(configuration);
    made.targets.verdict = { State: 'initial' };
    for (let second = 0; second < 300; second++) {
      await made.clock.advance(1000);
      made.runner.processes.at(-1)?.exit(1);
    }
    expect(made.service().deployments).toMatchObject([{ rolloutState: 'FAILED', failedTasks: 3 }]);
    expect(made.runner.processes).toHaveLength(3);
  });

  test('tasks that the balancer finds unhealthy fail it', async () => {
    const made = running(configuration);
    made.targets.verdict = { State: 'unhealthy' };
    await made.clock.advance(300_000);
    expect(made.service().deployments).toMatchObject([{ rolloutState: 'FAILED', failedTasks: 3 }]);
    expect(made.runner.processes).toHaveLength(3);
  });

  test.each([
    [undefined, 0],
    [false, 1],
  ])(
    'resetOnHealthyTask %s leaves %i failed tasks after a healthy one',
    async (resetOnHealthyTask, failed) => {
      const breaker = { ...count(3), ...(resetOnHealthyTask === undefined ? {} : { resetOnHealthyTask }) };
      const made = running({ deploymentConfiguration: { deploymentCircuitBreaker: breaker } });
      made.runner.failure = new Error('no');
      await made.clock.advance(29_000);
      made.runner.failure = undefined;
      await made.clock.advance(90_000);
      expect(made.service()).toMatchObject({ runningCount: 1, deployments: [{ failedTasks: failed }] });
    },
  );

  test('with rollback the last completed deployment comes back', async () => {
    const made = running({
      deploymentConfiguration: { deploymentCircuitBreaker: { ...count(2), rollback: true } },
    });
    await made.clock.advance(100_000);
    const first = made.service().deployments?.[0];
    made.api.RegisterTaskDefinition(definition, call);
    made.images.failure = new Error('CannotPullContainerError: not found');
    made.api.UpdateService({ cluster: 'demo', service: 'web', taskDefinition: 'web-g0001:2' });
    await made.clock.advance(60_000);
    made.images.failure = undefined;
    await made.clock.advance(200_000);
    expect(made.service()).toMatchObject({ taskDefinition: first?.taskDefinition, runningCount: 1 });
    expect(
      made.on('ECS Deployment State Change').map(({ detail }) => (detail as { reason: string }).reason),
    ).toContain(`ECS deployment circuit breaker: rolling back to deploymentId ${first?.id}.`);
  });
});

test('without a circuit breaker tasks that never run are tried for ever, ever more slowly, and this is said', async () => {
  const made = running();
  made.runner.failure = new Error('no');
  await made.clock.advance(2 * 3_600_000);
  const starts = made.said().filter((message) => message.includes('has started')).length;
  expect(starts).toBeGreaterThan(8);
  expect(starts).toBeLessThan(20);
  expect(made.said()).toContain('(service web) is unable to consistently start tasks successfully.');
  expect(made.on('ECS Service Action').map(({ detail }) => detail)).toMatchObject([
    { eventType: 'WARN', eventName: 'SERVICE_TASK_START_IMPAIRED' },
  ]);
  made.runner.failure = undefined;
  await made.clock.advance(3_600_000);
  expect(made.service()).toMatchObject({ runningCount: 1, deployments: [{ rolloutState: 'COMPLETED' }] });
});

test('tasks that reached RUNNING are replaced without waiting', async () => {
  const made = running();
  for (let second = 0; second < 400; second++) {
    await made.clock.advance(1000);
    made.runner.processes.at(-1)?.exit(1);
  }
  expect(made.runner.processes.length).toBeGreaterThanOrEqual(9);
});
