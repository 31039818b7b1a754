/** AWS::ECS::* */
import type {
  CreateClusterCommandOutput,
  CreateServiceCommandOutput,
  DescribeServicesCommandOutput,
  RegisterTaskDefinitionCommandOutput,
  Service,
} from '@aws-sdk/client-ecs';
import type { JsonObject } from '../json.ts';
import {
  mutable,
  type Provisioned,
  type ResourceType,
  requiredText,
  type Scope,
  type Tagging,
} from '../resource-type.ts';

const ecs = 'ecs';

/** CloudFormation waits three hours for a service to become steady. */
const steadyWithinMs = 3 * 3_600_000;

function tagging(attribute: string): Tagging {
  return {
    service: ecs,
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ physicalId, attributes }) => ({ resourceArn: attributes[attribute] ?? physicalId }),
  };
}

export const cluster: ResourceType = {
  replacedBy: ['ClusterName'],
  nameProperty: 'ClusterName',
  tagging: tagging('Arn'),
  async create(scope, { ClusterSettings, ...properties }) {
    const { cluster: created } = await scope.send<CreateClusterCommandOutput>(ecs, 'CreateCluster', {
      ...properties,
      ClusterName: properties['ClusterName'] ?? scope.name({ limit: 255 }),
      Settings: ClusterSettings,
    });
    return { physicalId: created!.clusterName!, attributes: { Arn: created!.clusterArn! } };
  },
  async update(scope, { ClusterSettings, ...properties }, current) {
    await scope.send(ecs, 'UpdateCluster', {
      ...mutable(cluster, properties),
      cluster: current.physicalId,
      settings: ClusterSettings,
    });
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(ecs, 'DeleteCluster', { cluster: physicalId }),
};

async function putProviders(
  scope: Scope,
  properties: JsonObject,
  providers?: JsonObject,
): Promise<Provisioned> {
  await scope.send(ecs, 'PutClusterCapacityProviders', { ...properties, ...providers });
  return { physicalId: requiredText(properties, 'Cluster'), attributes: {} };
}

export const clusterCapacityProviderAssociations: ResourceType = {
  replacedBy: ['Cluster'],
  create: (scope, properties) => putProviders(scope, properties),
  update: (scope, properties) => putProviders(scope, properties),
  delete: (scope, { properties }) =>
    putProviders(scope, properties, { CapacityProviders: [], DefaultCapacityProviderStrategy: [] }),
};

/** Each change registers a new revision; the old one is deregistered, not deleted. */
export const taskDefinition: ResourceType = {
  tagging: tagging('TaskDefinitionArn'),
  async create(scope, properties) {
    const { taskDefinition: registered } = await scope.send<RegisterTaskDefinitionCommandOutput>(
      ecs,
      'RegisterTaskDefinition',
      { ...properties, Family: properties['Family'] ?? scope.name({ limit: 255 }) },
    );
    const taskDefinitionArn = registered!.taskDefinitionArn!;
    return { physicalId: taskDefinitionArn, attributes: { TaskDefinitionArn: taskDefinitionArn } };
  },
  delete: (scope, { physicalId }) =>
    scope.send(ecs, 'DeregisterTaskDefinition', { taskDefinition: physicalId }),
};

async function described(
  scope: Scope,
  cluster: string | undefined,
  service: string,
): Promise<Service | undefined> {
  const { services } = await scope.send<DescribeServicesCommandOutput>(ecs, 'DescribeServices', {
    cluster,
    services: [service],
  });
  return services?.[0];
}

async function steady(scope: Scope, cluster: string | undefined, service: string): Promise<void> {
  await scope.until(`service ${service}`, steadyWithinMs, async () => {
    const now = await described(scope, cluster, service);
    const primary = now?.deployments?.find(({ status }) => status === 'PRIMARY');
    if (primary?.rolloutState === 'FAILED') {
      throw new Error(`Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.`);
    }
    const settled = now?.deployments?.length === 1 && now.runningCount === now.desiredCount;
    return settled ? true : undefined;
  });
}

function clusterOf(properties: JsonObject): string | undefined {
  return properties['Cluster'] === undefined ? undefined : requiredText(properties, 'Cluster');
}

/** What CloudFormation names otherwise than ECS. */
function serviceInput({ PlacementStrategies, ...properties }: JsonObject): JsonObject {
  return PlacementStrategies === undefined
    ? properties
    : { ...properties, PlacementStrategy: PlacementStrategies };
}

export const service: ResourceType = {
  replacedBy: ['Cluster', 'ServiceName', 'LaunchType', 'SchedulingStrategy', 'Role', 'EnableECSManagedTags'],
  nameProperty: 'ServiceName',
  tagging: tagging('ServiceArn'),
  async create(scope, properties) {
    const { service: created } = await scope.send<CreateServiceCommandOutput>(ecs, 'CreateService', {
      ...serviceInput(properties),
      ServiceName: properties['ServiceName'] ?? scope.name({ limit: 255 }),
    });
    const { serviceArn, serviceName } = created!;
    scope.exists(serviceArn!);
    await steady(scope, clusterOf(properties), serviceName!);
    return { physicalId: serviceArn!, attributes: { ServiceArn: serviceArn!, Name: serviceName! } };
  },
  async update(scope, properties, current) {
    const rest = mutable(service, serviceInput(properties));
    await scope.send(ecs, 'UpdateService', {
      ...rest,
      cluster: clusterOf(properties),
      service: current.physicalId,
    });
    await steady(scope, clusterOf(properties), current.physicalId);
    return current;
  },
  async delete(scope, { physicalId, properties }) {
    const cluster = clusterOf(properties);
    await scope.send(ecs, 'DeleteService', { cluster, service: physicalId, force: true });
    await scope.until(`service ${physicalId}`, steadyWithinMs, async () => {
      const now = await described(scope, cluster, physicalId);
      return now === undefined || now.status === 'INACTIVE' ? true : undefined;
    });
  },
};
