/** A service as DescribeServices shows it. */
import type { Deployment as DeploymentDescription, Service as ServiceDescription } from '@aws-sdk/client-ecs';
import { countOf, type Deployment, type Service } from './service.ts';

const platform = { platformVersion: '1.4.0', platformFamily: 'Linux' } as const;

export function describeService(service: Service): ServiceDescription {
  const { settings } = service;
  const primary = service.deployments[0];
  const capacity = capacityOf(service);
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: service.cluster.arn,
    loadBalancers: settings.loadBalancers,
    serviceRegistries: [],
    status: service.status,
    desiredCount: settings.desiredCount,
    runningCount: countOf(service, 'running'),
    pendingCount: countOf(service, 'pending'),
    ...capacity,
    platformVersion: settings.platformVersion,
    platformFamily: platform.platformFamily,
    taskDefinition: settings.taskDefinition.taskDefinitionArn,
    deploymentConfiguration: settings.deploymentConfiguration,
    deployments: service.deployments.map((deployment) => describeDeployment(service, deployment)),
    roleArn: undefined,
    events: [...service.events],
    createdAt: service.createdAt,
    currentServiceDeployment:
      primary?.rolloutState === 'IN_PROGRESS' ? primary.serviceDeploymentArn : undefined,
    currentServiceRevisions: service.deployments.map((deployment) => ({
      arn: deployment.serviceRevisionArn,
      requestedTaskCount: deployment === primary ? settings.desiredCount : 0,
      runningTaskCount: countOf(service, 'running', deployment),
      pendingTaskCount: countOf(service, 'pending', deployment),
    })),
    placementConstraints: [],
    placementStrategy: [],
    networkConfiguration: settings.networkConfiguration,
    healthCheckGracePeriodSeconds: settings.healthCheckGracePeriodSeconds,
    schedulingStrategy: 'REPLICA',
    deploymentController: { type: 'ECS' },
    createdBy: service.createdBy,
    enableECSManagedTags: settings.enableECSManagedTags,
    propagateTags: settings.propagateTags,
    enableExecuteCommand: settings.enableExecuteCommand,
    availabilityZoneRebalancing: settings.availabilityZoneRebalancing,
  };
}

function describeDeployment(service: Service, deployment: Deployment): DeploymentDescription {
  const primary = deployment === service.deployments[0];
  return {
    id: deployment.id,
    status: primary ? 'PRIMARY' : 'ACTIVE',
    taskDefinition: deployment.taskDefinition.taskDefinitionArn,
    desiredCount: primary ? service.settings.desiredCount : 0,
    pendingCount: countOf(service, 'pending', deployment),
    runningCount: countOf(service, 'running', deployment),
    failedTasks: deployment.failedTasks,
    createdAt: deployment.createdAt,
    updatedAt: deployment.updatedAt,
    ...capacityOf(service),
    ...platform,
    networkConfiguration: deployment.networkConfiguration,
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  };
}

function capacityOf(service: Service): Pick<ServiceDescription, 'launchType' | 'capacityProviderStrategy'> {
  const { capacityProviderStrategy } = service.settings;
  return capacityProviderStrategy?.length ? { capacityProviderStrategy } : { launchType: 'FARGATE' };
}
