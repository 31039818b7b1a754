import { expect, test } from 'vitest';
import { call, container, definition, request, running, world } from './world.ts';

interface Detail {
  lastStatus: string;
  desiredStatus: string;
  version: number;
  [name: string]: unknown;
}

const timeline = (made: ReturnType<typeof running>) =>
  made.on('ECS Task State Change').map(({ at, detail }) => {
    const { lastStatus, desiredStatus, version } = detail as Detail;
    return `${at} ${lastStatus} ${desiredStatus} v${version}`;
  });

test('a task goes through AWS states in AWS time, each change announced with a version one higher', async () => {
  const made = running();
  await made.clock.advance(90_000);
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 0 });
  await made.clock.advance(60_000);

  expect(timeline(made)).toEqual([
    '1 PROVISIONING RUNNING v1',
    '11 PENDING RUNNING v2',
    '28 ACTIVATING RUNNING v3',
    '29.5 RUNNING RUNNING v4',
    '91 DEACTIVATING STOPPED v5',
    '92.5 DEPROVISIONING STOPPED v6',
    '115.5 STOPPED STOPPED v7',
  ]);
});

test('the event of a stopped task has the shape that AWS sends', async () => {
  const made = running();
  await made.clock.advance(60_000);
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 0 });
  await made.clock.advance(60_000);

  const event = made.on('ECS Task State Change').at(-1);
  const task = made.tasks('STOPPED')[0];
  const deployment = made.service().deployments?.[0]?.id;
  expect(event?.resources).toEqual([task?.taskArn]);
  expect(event?.id).toMatch(/^[0-9a-f-]{36}$/);
  expect(task?.taskArn).toMatch(/^arn:aws:ecs:us-east-1:123456789012:task\/demo\/[0-9a-f]{32}$/);
  expect(event?.detail).toEqual({
    attachments: [
      { id: expect.any(String), type: 'elb', status: 'DELETED', details: [] },
      {
        id: expect.any(String),
        type: 'eni',
        status: 'DELETED',
        details: [
          { name: 'subnetId', value: 'subnet-a' },
          { name: 'networkInterfaceId', value: 'eni-1' },
          { name: 'macAddress', value: '0a:00:00:00:00:01' },
          { name: 'privateDnsName', value: 'ip-10-0-0-1.ec2.internal' },
          { name: 'privateIPv4Address', value: '10.0.0.1' },
        ],
      },
    ],
    attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
    availabilityZone: 'us-east-1a',
    clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/demo',
    connectivity: 'CONNECTED',
    connectivityAt: '2026-01-01T00:00:11.000Z',
    containers: [
      {
        containerArn: expect.stringContaining(':container/demo/'),
        exitCode: 143,
        lastStatus: 'STOPPED',
        name: 'app',
        image: container.image,
        imageDigest: `sha256:${'a'.repeat(64)}`,
        runtimeId: expect.any(String),
        taskArn: task?.taskArn,
        networkInterfaces: [{ attachmentId: expect.any(String), privateIpv4Address: '10.0.0.1' }],
        cpu: '0',
      },
    ],
    cpu: '256',
    createdAt: '2026-01-01T00:00:01.000Z',
    desiredStatus: 'STOPPED',
    enableExecuteCommand: false,
    ephemeralStorage: { sizeInGiB: 20 },
    executionStoppedAt: '2026-01-01T00:01:01.000Z',
    group: 'service:web',
    launchType: 'FARGATE',
    lastStatus: 'STOPPED',
    memory: '512',
    overrides: { containerOverrides: [{ name: 'app' }] },
    platformVersion: '1.4.0',
    pullStartedAt: '2026-01-01T00:00:13.000Z',
    pullStoppedAt: '2026-01-01T00:00:20.000Z',
    startedAt: '2026-01-01T00:00:29.500Z',
    startedBy: deployment,
    stoppingAt: '2026-01-01T00:01:01.000Z',
    stoppedAt: '2026-01-01T00:01:25.500Z',
    stoppedReason: `Scaling activity initiated by (deployment ${deployment})`,
    stopCode: 'ServiceSchedulerInitiated',
    taskArn: task?.taskArn,
    taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web-g0001:1',
    updatedAt: '2026-01-01T00:01:25.500Z',
    version: 7,
  });
});

test('the API calls the same attachment ElasticNetworkInterface', async () => {
  const made = running();
  await made.clock.advance(40_000);
  expect(made.tasks()[0]?.attachments?.map(({ type, status }) => `${type} ${status}`)).toEqual([
    'elb ATTACHED',
    'ElasticNetworkInterface ATTACHED',
  ]);
});

test('a stop sends SIGTERM while the targets drain, with stopTimeout cut to the wall budget', async () => {
  const made = running({}, { stopWallMs: 2000 });
  made.targets.drain = new Promise(() => {});
  await made.clock.advance(60_000);
  const [task] = made.tasks();
  made.api.StopTask({ cluster: 'demo', task: task?.taskArn, reason: 'because' });
  expect(made.targets.log).toEqual(['register 10.0.0.1:8080', 'deregister 10.0.0.1:8080']);
  expect(made.runner.processes[0]?.stopped).toBe(2000);
  await made.clock.advance(60_000);
  expect(made.tasks('STOPPED')[0]).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'UserInitiated',
    stoppedReason: 'because',
  });
});

test('with drainBeforeStop SIGTERM waits for the targets', async () => {
  const made = running({}, { drainBeforeStop: true });
  const { promise, resolve } = Promise.withResolvers<void>();
  made.targets.drain = promise;
  await made.clock.advance(60_000);
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 0 });
  await made.clock.advance(300_000);
  expect(made.tasks('STOPPED')[0]?.lastStatus).toBe('DEACTIVATING');
  expect(made.runner.processes[0]?.stopped).toBeUndefined();
  resolve();
  await made.clock.advance(1);
  expect(made.runner.processes[0]?.stopped).toBe(30_000);
});

test('a task whose target group is gone still stops', async () => {
  const made = running();
  await made.clock.advance(60_000);
  made.targets.exists = () => false;
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 0 });
  await made.clock.advance(60_000);
  expect(made.tasks('STOPPED')[0]?.lastStatus).toBe('STOPPED');
});

test('a process that ignores SIGTERM keeps its task STOPPING until it ends', async () => {
  const made = running();
  made.runner.obedient = false;
  await made.clock.advance(60_000);
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 0 });
  await made.clock.advance(20_000);
  expect(made.tasks('STOPPED')[0]?.lastStatus).toBe('STOPPING');
  made.runner.processes[0]?.exit(137);
  await made.clock.advance(30_000);
  expect(made.tasks('STOPPED')[0]).toMatchObject({ lastStatus: 'STOPPED', containers: [{ exitCode: 137 }] });
});

test.each([
  ['pull', 'CannotPullContainerError: manifest unknown', 'CannotPullContainerError: manifest unknown'],
  ['start', 'CannotStartContainerError: no such file', 'CannotStartContainerError: no such file'],
  ['start', 'spawn EACCES', 'CannotStartContainerError: spawn EACCES'],
])('a task that fails to %s never runs and says why', async (step, message, reason) => {
  const made = running();
  if (step === 'pull') made.images.failure = new Error(message);
  else made.runner.failure = new Error(message);
  await made.clock.advance(60_000);
  const [task] = made.tasks('STOPPED');
  expect(task).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: reason,
    containers: [{ reason }],
  });
  expect(task?.startedAt).toBeUndefined();
  expect(task?.containers?.[0]?.exitCode).toBeUndefined();
  expect(timeline(made)).not.toContainEqual(expect.stringContaining('RUNNING RUNNING'));
});

test('a command that exits at once has been RUNNING all the same', async () => {
  const made = running();
  await made.clock.advance(28_500);
  made.runner.processes[0]?.exit(1);
  await made.clock.advance(30_000);
  expect(timeline(made).slice(2, 5)).toEqual([
    '28 ACTIVATING RUNNING v3',
    '29.5 RUNNING RUNNING v4',
    '29.5 DEPROVISIONING STOPPED v5',
  ]);
  expect(made.tasks('STOPPED')[0]).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    containers: [{ exitCode: 1 }],
  });
});

test('a task stopped before it runs starts nothing', async () => {
  const made = running();
  await made.clock.advance(5000);
  made.api.DeleteService({ cluster: 'demo', service: 'web', force: true });
  await made.clock.advance(60_000);
  expect(made.runner.processes).toEqual([]);
  expect(made.tasks('STOPPED')[0]?.lastStatus).toBe('STOPPED');
});

test('a stopped task is shown for an hour', async () => {
  const made = running();
  await made.clock.advance(60_000);
  made.api.DeleteService({ cluster: 'demo', service: 'web', force: true });
  await made.clock.advance(59 * 60_000);
  expect(made.tasks('STOPPED')).toHaveLength(1);
  await made.clock.advance(3 * 60_000);
  expect(made.tasks('STOPPED')).toHaveLength(0);
});

test('the container gets its environment, and its lines go to its log stream', async () => {
  const made = world();
  made.api.RegisterTaskDefinition(
    {
      ...definition,
      containerDefinitions: [
        {
          ...container,
          command: ['serve'],
          environment: [{ name: 'COLOUR', value: 'blue' }],
          logConfiguration: {
            logDriver: 'awslogs',
            options: {
              'awslogs-group': '/ecs/web',
              'awslogs-stream-prefix': 'web',
              'awslogs-region': 'us-east-1',
            },
          },
        },
      ],
    },
    call,
  );
  const { tasks } = made.api.RunTask({
    cluster: 'demo',
    taskDefinition: 'web-g0001:1',
    launchType: 'FARGATE',
    networkConfiguration: request.networkConfiguration,
    overrides: { containerOverrides: [{ name: 'app', environment: [{ name: 'JOB', value: '7' }] }] },
  });
  await made.clock.advance(40_000);
  const spec = made.runner.processes[0]?.spec;
  expect(spec).toMatchObject({
    command: ['serve'],
    containerPort: 8080,
    environment: { COLOUR: 'blue', JOB: '7', AWS_REGION: 'us-east-1' },
  });
  spec?.onLog('hello');
  expect(made.logs).toEqual([`/ecs/web web/app/${spec?.id} hello`]);
  expect(tasks?.[0]).toMatchObject({ group: 'family:web-g0001', lastStatus: 'PROVISIONING' });
});
