import type { ContainerDefinition, RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { expect, test } from 'vitest';
import { call, container, definition, request, running, world } from './world.ts';

test('revisions count up in a family and are found by family, revision and ARN', () => {
  const { api } = world();
  const first = api.RegisterTaskDefinition({ ...definition, tags: [{ key: 'a', value: '1' }] }, call);
  api.RegisterTaskDefinition(definition, call);
  expect(first.taskDefinition).toMatchObject({
    taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web-g0001:1',
    revision: 1,
    status: 'ACTIVE',
    compatibilities: ['EC2', 'FARGATE'],
    registeredBy: 'arn:aws:iam::123456789012:root',
    containerDefinitions: [
      { essential: true, portMappings: [{ containerPort: 8080, hostPort: 8080, protocol: 'tcp' }] },
    ],
  });
  const revisionOf = (taskDefinition: string) =>
    api.DescribeTaskDefinition({ taskDefinition }).taskDefinition?.revision;
  expect(revisionOf('web-g0001')).toBe(2);
  expect(revisionOf('web-g0001:1')).toBe(1);
  expect(revisionOf(first.taskDefinition?.taskDefinitionArn ?? '')).toBe(1);
  expect(api.DescribeTaskDefinition({ taskDefinition: 'web-g0001:1', include: ['TAGS'] }).tags).toEqual([
    { key: 'a', value: '1' },
  ]);
  expect(() => revisionOf('web-g0001:3')).toThrow('Unable to describe task definition.');
});

test('a deregistered revision starts nothing new, and goes when deleted and unused', async () => {
  const made = running();
  const { api } = made;
  await made.clock.advance(60_000);
  api.DeregisterTaskDefinition({ taskDefinition: 'web-g0001:1' });
  expect(() =>
    api.CreateService({ ...request, serviceName: 'b', taskDefinition: 'web-g0001:1' }, call),
  ).toThrow('TaskDefinition is inactive');
  expect(
    api.ListTaskDefinitions({ familyPrefix: 'web-g0001', status: 'INACTIVE' }).taskDefinitionArns,
  ).toHaveLength(1);
  expect(api.ListTaskDefinitionFamilies({ status: 'ACTIVE' }).families).toEqual([]);
  api.DeleteTaskDefinitions({ taskDefinitions: ['web-g0001:1'] });
  await made.clock.advance(300_000);
  const status = () => api.DescribeTaskDefinition({ taskDefinition: 'web-g0001:1' }).taskDefinition?.status;
  expect(status()).toBe('DELETE_IN_PROGRESS');
  expect(made.service().runningCount).toBe(1);
  api.DeleteService({ cluster: 'demo', service: 'web', force: true });
  await made.clock.advance(300_000);
  expect(status).toThrow('Unable to describe task definition.');
  expect(api.RegisterTaskDefinition(definition, call).taskDefinition?.revision).toBe(2);
});

test('an ACTIVE revision is not deleted', () => {
  const { api } = world();
  api.RegisterTaskDefinition(definition, call);
  expect(api.DeleteTaskDefinitions({ taskDefinitions: ['web-g0001:1'] }).failures?.[0]?.reason).toMatch(
    'still in ACTIVE state',
  );
});

test('lists come in pages, in both orders, for one family', () => {
  const { api } = world();
  for (const family of ['a', 'b', 'b', 'b']) api.RegisterTaskDefinition({ ...definition, family }, call);
  const names = (arns: string[] | undefined) => arns?.map((arn) => arn.split('/')[1]);
  const first = api.ListTaskDefinitions({ maxResults: 3 });
  expect(names(first.taskDefinitionArns)).toEqual(['a:1', 'b:1', 'b:2']);
  const second = api.ListTaskDefinitions({ maxResults: 3, nextToken: first.nextToken });
  expect(names(second.taskDefinitionArns)).toEqual(['b:3']);
  expect(second.nextToken).toBeUndefined();
  expect(names(api.ListTaskDefinitions({ familyPrefix: 'b', sort: 'DESC' }).taskDefinitionArns)).toEqual([
    'b:3',
    'b:2',
    'b:1',
  ]);
});

const withContainer = (
  changes: Partial<ContainerDefinition>,
): Partial<RegisterTaskDefinitionCommandInput> => ({
  containerDefinitions: [{ ...container, ...changes }],
});

test.each<[Partial<RegisterTaskDefinitionCommandInput>, string]>([
  [{ family: 'no good' }, 'Family contains invalid characters.'],
  [{ containerDefinitions: [] }, 'Container list cannot be empty.'],
  [withContainer({ image: '' }), 'Container.image should not be null or empty.'],
  [{ networkMode: 'bridge' }, "Fargate only supports network mode 'awsvpc'."],
  [{ cpu: undefined }, "Fargate requires that 'cpu' be defined at the task level."],
  [{ memory: '4096' }, 'No Fargate configuration exists for given values.'],
  [
    withContainer({ portMappings: [{ containerPort: 8080, hostPort: 80 }] }),
    'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
  ],
  [
    { executionRoleArn: undefined, ...withContainer({ logConfiguration: { logDriver: 'awslogs' } }) },
    'Fargate requires task definition to have execution role ARN to support log driver awslogs.',
  ],
  [
    withContainer({ secrets: [{ name: 'A', valueFrom: 'arn' }] }),
    'Container.secrets is not part of the embedded ECS (container app).',
  ],
])('RegisterTaskDefinition refuses %j', (changes, message) => {
  const { api } = world();
  expect(() => api.RegisterTaskDefinition({ ...definition, ...changes }, call)).toThrow(
    expect.objectContaining({ name: 'ClientException', message }),
  );
});

test('a cluster counts what lives in it and is deleted only when empty', async () => {
  const made = running();
  await made.clock.advance(60_000);
  const describe = () => made.api.DescribeClusters({ clusters: ['demo', 'other'] });
  expect(describe()).toMatchObject({
    clusters: [{ status: 'ACTIVE', activeServicesCount: 1, runningTasksCount: 1, pendingTasksCount: 0 }],
    failures: [{ arn: 'arn:aws:ecs:us-east-1:123456789012:cluster/other', reason: 'MISSING' }],
  });
  expect(() => made.api.DeleteCluster({ cluster: 'demo' })).toThrow(
    'The Cluster cannot be deleted while Services are active.',
  );
  made.api.DeleteService({ cluster: 'demo', service: 'web', force: true });
  await made.clock.advance(60_000);
  made.api.DeleteCluster({ cluster: 'demo' });
  expect(describe().clusters?.[0]?.status).toBe('INACTIVE');
  expect(() => made.api.ListServices({ cluster: 'demo' })).toThrow('The referenced cluster was inactive.');
});

test('resources are tagged and untagged by ARN; unknown ones are refused', () => {
  const made = running();
  const resourceArn = made.service().serviceArn;
  made.api.TagResource({
    resourceArn,
    tags: [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ],
  });
  made.api.UntagResource({ resourceArn, tagKeys: ['a'] });
  expect(made.api.ListTagsForResource({ resourceArn }).tags).toEqual([{ key: 'b', value: '2' }]);
  expect(() => made.api.ListTagsForResource({ resourceArn: `${resourceArn}x` })).toThrow(
    'Service not found.',
  );
  expect(() => made.api.TagResource({ resourceArn, tags: [{ key: 'aws:x', value: '' }] })).toThrow('aws:');
});

test('account settings, capacity providers and container instances answer as a Fargate account', () => {
  const { api } = world();
  api.PutAccountSetting({ name: 'containerInsights', value: 'enabled' });
  expect(
    api.ListAccountSettings({ effectiveSettings: true, name: 'containerInsights' }).settings,
  ).toMatchObject([{ value: 'enabled' }]);
  expect(api.DescribeCapacityProviders({}).capacityProviders?.map(({ name }) => name)).toEqual([
    'FARGATE',
    'FARGATE_SPOT',
  ]);
  expect(api.ListContainerInstances({ cluster: 'demo' })).toEqual({ containerInstanceArns: [] });
});

test('nothing happens after close', async () => {
  const made = running();
  await made.clock.advance(15_000);
  made.ecs.close();
  const before = made.events.length;
  await made.clock.advance(600_000);
  expect(made.events).toHaveLength(before);
  expect(made.runner.processes).toEqual([]);
});
