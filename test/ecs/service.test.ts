import { expect, test } from 'vitest';
import { blue, call, definition, request, running, unattached } from './world.ts';

test('a new service starts its tasks, registers them, and is steady some time after they are healthy', async () => {
  const made = running({ desiredCount: 2 });
  expect(made.service()).toMatchObject({
    serviceArn: 'arn:aws:ecs:us-east-1:123456789012:service/demo/web',
    status: 'ACTIVE',
    desiredCount: 2,
    runningCount: 0,
    pendingCount: 0,
    launchType: 'FARGATE',
    platformVersion: 'LATEST',
    schedulingStrategy: 'REPLICA',
    availabilityZoneRebalancing: 'ENABLED',
    healthCheckGracePeriodSeconds: 0,
    deployments: [
      { status: 'PRIMARY', rolloutState: 'IN_PROGRESS', failedTasks: 0, platformVersion: '1.4.0' },
    ],
    events: [],
  });
  await made.clock.advance(20_000);
  expect(made.service()).toMatchObject({ runningCount: 0, pendingCount: 2 });
  await made.clock.advance(10_000);
  expect(made.service()).toMatchObject({ runningCount: 2, pendingCount: 0 });
  await made.clock.advance(90_000);
  const id = made.service().deployments?.[0]?.id;
  expect(made.service().deployments).toMatchObject([
    { rolloutState: 'COMPLETED', rolloutStateReason: `ECS deployment ${id} completed.` },
  ]);
  expect(made.said()).toEqual([
    '(service web) has started 2 tasks: (task ID) (task ID).',
    `(service web) registered 2 targets in (target-group ${blue})`,
    '(service web) (deployment ecs-svc/N) deployment completed.',
    '(service web) has reached a steady state.',
  ]);
  expect(new Set(made.tasks().map((task) => task.availabilityZone))).toEqual(
    new Set(['us-east-1a', 'us-east-1b']),
  );
});

test('the bus hears of the deployment and of the steady state, late', async () => {
  const made = running();
  await made.clock.advance(120_000);
  const id = made.service().deployments?.[0]?.id;
  expect(
    made.on('ECS Deployment State Change').map(({ at, resources, detail }) => ({ at, resources, detail })),
  ).toEqual([
    {
      at: 0,
      resources: ['arn:aws:ecs:us-east-1:123456789012:service/demo/web'],
      detail: {
        eventType: 'INFO',
        eventName: 'SERVICE_DEPLOYMENT_IN_PROGRESS',
        deploymentId: id,
        updatedAt: '2026-01-01T00:00:00.000Z',
        reason: `ECS deployment ${id} in progress.`,
      },
    },
    {
      at: 63.5,
      resources: ['arn:aws:ecs:us-east-1:123456789012:service/demo/web'],
      detail: {
        eventType: 'INFO',
        eventName: 'SERVICE_DEPLOYMENT_COMPLETED',
        deploymentId: id,
        updatedAt: '2026-01-01T00:01:03.500Z',
        reason: `ECS deployment ${id} completed.`,
      },
    },
  ]);
  expect(made.on('ECS Service Action').map(({ at, detail }) => ({ at, detail }))).toEqual([
    {
      at: 63.5,
      detail: {
        eventType: 'INFO',
        eventName: 'SERVICE_STEADY_STATE',
        clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/demo',
        createdAt: '2026-01-01T00:01:03.500Z',
      },
    },
  ]);
});

test('without a load balancer a task counts as healthy 40 s after RUNNING', async () => {
  const made = running({ loadBalancers: [] }, { delays: { steadyState: { from: 0, to: 0 } } });
  await made.clock.advance(69_000);
  expect(made.service().deployments?.[0]?.rolloutState).toBe('IN_PROGRESS');
  await made.clock.advance(2_500);
  expect(made.service().deployments?.[0]?.rolloutState).toBe('COMPLETED');
});

test('the steady state is told again every six hours', async () => {
  const made = running();
  await made.clock.advance(13 * 3_600_000);
  expect(made.said().filter((message) => message.endsWith('steady state.'))).toHaveLength(3);
});

test('a crashed task is replaced', async () => {
  const made = running();
  await made.clock.advance(60_000);
  made.runner.processes[0]?.exit(1);
  await made.clock.advance(60_000);
  expect(made.service()).toMatchObject({ runningCount: 1 });
  expect(made.runner.processes).toHaveLength(2);
  expect(made.service().deployments?.[0]?.failedTasks).toBe(0);
  expect(made.said()).toContain(`(service web) deregistered 1 targets in (target-group ${blue})`);
  expect(made.said()).toContain(
    '(service web, taskSet ecs-svc/N) has begun draining connections on 1 tasks.',
  );
});

test('an unhealthy task goes once its replacement is healthy', async () => {
  const made = running();
  await made.clock.advance(60_000);
  made.targets.find({ State: 'unhealthy', Description: 'Health checks failed with these codes: [500]' });
  made.targets.verdict = { State: 'healthy' };
  await made.clock.advance(20_000);
  expect(made.tasks()).toHaveLength(2);
  await made.clock.advance(40_000);
  expect(made.tasks()).toHaveLength(1);
  expect(made.tasks('STOPPED')[0]).toMatchObject({
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: `Task failed ELB health checks in (target-group ${blue})`,
  });
  expect(made.said()).toContain(
    `(service web) (task ID) (port 8080) is unhealthy in (target-group ${blue}) due to (reason Health checks failed with these codes: [500]).`,
  );
});

test('a new task that is unhealthy is left alone during the grace period', async () => {
  const made = running({ healthCheckGracePeriodSeconds: 60 });
  made.targets.verdict = { State: 'unhealthy' };
  await made.clock.advance(85_000);
  expect(made.runner.processes).toHaveLength(1);
  await made.clock.advance(40_000);
  expect(made.runner.processes.length).toBeGreaterThan(1);
});

test('a target that somebody deregistered is registered again', async () => {
  const made = running();
  await made.clock.advance(60_000);
  made.targets.groups.get(blue)?.clear();
  await made.clock.advance(10_000);
  expect(made.targets.groups.get(blue)?.size).toBe(1);
});

test('scale-in stops the surplus, scale-out starts what is missing; neither is a deployment', async () => {
  const made = running({ desiredCount: 3 });
  await made.clock.advance(100_000);
  const before = made.service().deployments;
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 1 });
  await made.clock.advance(40_000);
  expect(made.service()).toMatchObject({ runningCount: 1, desiredCount: 1 });
  made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 2 });
  await made.clock.advance(40_000);
  expect(made.service()).toMatchObject({ runningCount: 2 });
  expect(made.service().deployments?.map(({ id }) => id)).toEqual(before?.map(({ id }) => id));
});

test('a new task definition replaces the tasks, new ones first', async () => {
  const made = running({ desiredCount: 2 });
  await made.clock.advance(100_000);
  made.api.RegisterTaskDefinition(definition, call);
  made.api.UpdateService({ cluster: 'demo', service: 'web', taskDefinition: 'web-g0001' });
  expect(made.service().deployments?.map(({ status, desiredCount }) => [status, desiredCount])).toEqual([
    ['PRIMARY', 2],
    ['ACTIVE', 0],
  ]);
  let fewest = 4;
  for (let second = 0; second < 150; second++) {
    await made.clock.advance(1000);
    fewest = Math.min(fewest, made.service().runningCount ?? 0);
  }
  expect(fewest).toBe(2);
  expect(made.service().deployments).toMatchObject([{ rolloutState: 'COMPLETED', runningCount: 2 }]);
  expect(new Set(made.tasks().map((task) => task.taskDefinitionArn))).toEqual(
    new Set(['arn:aws:ecs:us-east-1:123456789012:task-definition/web-g0001:2']),
  );
  const { serviceDeployments } = made.api.ListServiceDeployments({ cluster: 'demo', service: 'web' });
  expect(serviceDeployments?.map(({ status }) => status)).toEqual(['SUCCESSFUL', 'SUCCESSFUL']);
  const described = made.api.DescribeServiceDeployments({
    serviceDeploymentArns: [serviceDeployments?.[0]?.serviceDeploymentArn ?? ''],
  });
  expect(described.serviceDeployments?.[0]).toMatchObject({
    sourceServiceRevisions: [{ runningTaskCount: 0 }],
    targetServiceRevision: { requestedTaskCount: 2, runningTaskCount: 2 },
    deploymentCircuitBreaker: { status: 'DISABLED' },
  });
  const revision = described.serviceDeployments?.[0]?.targetServiceRevision?.arn ?? '';
  expect(
    made.api.DescribeServiceRevisions({ serviceRevisionArns: [revision] }).serviceRevisions,
  ).toMatchObject([{ containerImages: [{ containerName: 'app', imageDigest: `sha256:${'a'.repeat(64)}` }] }]);
});

test('a service is deleted by way of DRAINING, is INACTIVE for a time, then MISSING; its name is free again', async () => {
  const made = running();
  await made.clock.advance(60_000);
  expect(() => made.api.DeleteService({ cluster: 'demo', service: 'web' })).toThrow(
    'The service cannot be stopped while it is scaled above 0.',
  );
  expect(made.api.DeleteService({ cluster: 'demo', service: 'web', force: true }).service?.status).toBe(
    'DRAINING',
  );
  expect(made.api.ListServices({ cluster: 'demo' }).serviceArns).toEqual([]);
  expect(() => made.api.CreateService({ ...request }, call)).toThrow(
    'Unable to Start a service that is still Draining.',
  );
  expect(() => made.api.UpdateService({ cluster: 'demo', service: 'web', desiredCount: 1 })).toThrow(
    'Service was not ACTIVE.',
  );
  await made.clock.advance(20_000);
  expect(made.service().status).toBe('INACTIVE');
  await made.clock.advance(3_700_000);
  expect(made.api.DescribeServices({ cluster: 'demo', services: ['web'] })).toEqual({
    services: [],
    failures: [{ arn: 'arn:aws:ecs:us-east-1:123456789012:service/demo/web', reason: 'MISSING' }],
  });
  made.api.CreateService({ ...request }, call);
  expect(made.service().status).toBe('ACTIVE');
});

test('the same request is answered with the same service; another under its name is refused', async () => {
  const made = running({ clientToken: 'one' });
  await made.clock.advance(60_000);
  const again = made.api.CreateService({ ...request, clientToken: 'one' }, call);
  expect(again.service?.deployments?.[0]?.id).toBe(made.service().deployments?.[0]?.id);
  expect(again.service?.runningCount).toBe(1);
  expect(made.runner.processes).toHaveLength(1);
  for (const other of [{ clientToken: 'two' }, { clientToken: 'one', desiredCount: 2 }])
    expect(() => made.api.CreateService({ ...request, ...other }, call)).toThrow(
      'Creation of service was not idempotent.',
    );
});

test('without capacity no task is placed, which is said once', async () => {
  let reason: string | undefined = 'RESOURCE:FARGATE';
  const made = running({}, { placementFailure: () => reason });
  await made.clock.advance(60_000);
  expect(made.tasks()).toEqual([]);
  expect(made.said()).toEqual([
    expect.stringContaining('(service web) was unable to place a task. Reason: Capacity'),
  ]);
  expect(made.on('ECS Service Action').map(({ detail }) => detail)).toMatchObject([
    { eventType: 'ERROR', eventName: 'SERVICE_TASK_PLACEMENT_FAILURE', reason: 'RESOURCE:FARGATE' },
  ]);
  reason = undefined;
  await made.clock.advance(60_000);
  expect(made.service().runningCount).toBe(1);
});

test('tags reach service and tasks as asked', async () => {
  const made = running({
    tags: [{ key: 'cutover:service', value: 'web' }],
    propagateTags: 'SERVICE',
    enableECSManagedTags: true,
  });
  await made.clock.advance(5000);
  const [arn = ''] = made.api.ListTasks({ cluster: 'demo', serviceName: 'web' }).taskArns ?? [];
  const [task] = made.api.DescribeTasks({ cluster: 'demo', tasks: [arn], include: ['TAGS'] }).tasks ?? [];
  expect(task?.tags).toEqual([
    { key: 'cutover:service', value: 'web' },
    { key: 'aws:ecs:clusterName', value: 'demo' },
    { key: 'aws:ecs:serviceName', value: 'web' },
  ]);
  expect(made.service().tags).toBeUndefined();
  const described = made.api.DescribeServices({ cluster: 'demo', services: ['web'], include: ['TAGS'] });
  expect(described.services?.[0]?.tags).toEqual([{ key: 'cutover:service', value: 'web' }]);
});

test.each([
  [{ cluster: 'other' }, 'ClusterNotFoundException', 'Cluster not found.'],
  [{ taskDefinition: 'nothing' }, 'ClientException', 'TaskDefinition not found.'],
  [
    { networkConfiguration: undefined },
    'InvalidParameterException',
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
  ],
  [
    { networkConfiguration: { awsvpcConfiguration: { subnets: ['nowhere'] } } },
    'InvalidParameterException',
    "Error retrieving subnet information for [nowhere]: The subnet ID 'nowhere' does not exist (ErrorCode: InvalidSubnetID.NotFound)",
  ],
  [
    { networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-a'], securityGroups: ['sg-9'] } } },
    'InvalidParameterException',
    "Error retrieving security group information for [sg-9]: The security group 'sg-9' does not exist (ErrorCode: InvalidGroup.NotFound)",
  ],
  [
    { loadBalancers: [{ targetGroupArn: unattached, containerName: 'app', containerPort: 8080 }] },
    'InvalidParameterException',
    `The target group with targetGroupArn ${unattached} does not have an associated load balancer.`,
  ],
  [
    { loadBalancers: [{ targetGroupArn: `${blue}0`, containerName: 'app', containerPort: 8080 }] },
    'InvalidParameterException',
    `The target group with targetGroupArn ${blue}0 does not exist.`,
  ],
  [
    { loadBalancers: [{ targetGroupArn: blue, containerName: 'nginx', containerPort: 8080 }] },
    'InvalidParameterException',
    'The container nginx does not exist in the task definition.',
  ],
  [
    { loadBalancers: [{ targetGroupArn: blue, containerName: 'app', containerPort: 80 }] },
    'InvalidParameterException',
    'The container app did not have a container port 80 defined.',
  ],
  [
    { deploymentController: { type: 'CODE_DEPLOY' as const } },
    'InvalidParameterException',
    'The deployment controller CODE_DEPLOY is not part of the embedded ECS.',
  ],
  [
    { loadBalancers: [], healthCheckGracePeriodSeconds: 10 },
    'InvalidParameterException',
    'Health check grace period is only valid for services configured to use load balancers',
  ],
])('CreateService refuses %j', (changes, name, message) => {
  const made = running({ serviceName: 'first' });
  expect(() => made.api.CreateService({ ...request, ...changes }, call)).toThrow(
    expect.objectContaining({ name, message }),
  );
});
