/** Deployments and revisions of services, as ECS's newer operations show them. */
import type {
  DescribeServiceDeploymentsCommandInput,
  DescribeServiceDeploymentsCommandOutput,
  DescribeServiceRevisionsCommandInput,
  DescribeServiceRevisionsCommandOutput,
  ListServiceDeploymentsCommandInput,
  ListServiceDeploymentsCommandOutput,
  ServiceDeployment,
  ServiceDeploymentBrief,
  ServiceDeploymentStatus,
  ServiceRevision,
} from '@aws-sdk/client-ecs';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { failureThreshold } from './circuit-breaker.ts';
import type { Clusters } from './clusters.ts';
import { page } from './page.ts';
import { countOf, type Deployment, type Service } from './service.ts';
import type { Services } from './services.ts';

interface Rollout {
  readonly service: Service;
  readonly deployment: Deployment;
}

export function serviceDeploymentOperations(options: { clusters: Clusters; services: Services }) {
  const { clusters, services } = options;
  const rollouts = (): Rollout[] =>
    services.all().flatMap((service) => service.history.map((deployment) => ({ service, deployment })));
  return {
    ListServiceDeployments: (
      input: ListServiceDeploymentsCommandInput,
    ): Output<ListServiceDeploymentsCommandOutput> => {
      const service = services.find(clusters.active(input.cluster), input.service);
      if (service === undefined) throw new AwsError('ServiceNotFoundException', 'Service not found.');
      const { after = new Date(0), before = new Date(8.64e15) } = input.createdAt ?? {};
      const found = service.history
        .map((deployment) => ({ service, deployment }))
        .filter(({ deployment }) => deployment.createdAt >= after && deployment.createdAt <= before)
        .filter((rollout) => !input.status?.length || input.status.includes(statusOf(rollout)));
      const { items, ...more } = page(found.map(brief), { ...input, maxResults: input.maxResults ?? 20 });
      return { serviceDeployments: items, ...more };
    },

    DescribeServiceDeployments: (
      input: DescribeServiceDeploymentsCommandInput,
    ): Output<DescribeServiceDeploymentsCommandOutput> => {
      const asked = input.serviceDeploymentArns ?? [];
      const found = rollouts().filter(({ deployment }) => asked.includes(deployment.serviceDeploymentArn));
      return {
        serviceDeployments: found.map(describe),
        failures: missing(
          asked,
          found.map(({ deployment }) => deployment.serviceDeploymentArn),
        ),
      };
    },

    DescribeServiceRevisions: (
      input: DescribeServiceRevisionsCommandInput,
    ): Output<DescribeServiceRevisionsCommandOutput> => {
      const asked = input.serviceRevisionArns ?? [];
      const found = rollouts().filter(({ deployment }) => asked.includes(deployment.serviceRevisionArn));
      return {
        serviceRevisions: found.map(revision),
        failures: missing(
          asked,
          found.map(({ deployment }) => deployment.serviceRevisionArn),
        ),
      };
    },
  } satisfies Operations;
}

function missing(asked: readonly string[], found: readonly string[]): { arn: string; reason: string }[] {
  return asked.filter((arn) => !found.includes(arn)).map((arn) => ({ arn, reason: 'MISSING' }));
}

function statusOf({ service, deployment }: Rollout): ServiceDeploymentStatus {
  switch (deployment.rolloutState) {
    case 'COMPLETED':
      return 'SUCCESSFUL';
    case 'FAILED':
      return 'STOPPED';
    case 'IN_PROGRESS':
      return deployment === service.deployments[0] ? 'IN_PROGRESS' : 'STOPPED';
  }
}

function brief(rollout: Rollout): ServiceDeploymentBrief {
  const { service, deployment } = rollout;
  return {
    serviceDeploymentArn: deployment.serviceDeploymentArn,
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    startedAt: deployment.createdAt,
    createdAt: deployment.createdAt,
    finishedAt: deployment.finishedAt,
    targetServiceRevisionArn: deployment.serviceRevisionArn,
    status: statusOf(rollout),
    statusReason: deployment.rolloutStateReason,
  };
}

function describe(rollout: Rollout): ServiceDeployment {
  const { service, deployment } = rollout;
  const { deploymentConfiguration: configuration, desiredCount } = service.settings;
  const threshold = failureThreshold(configuration.deploymentCircuitBreaker, desiredCount);
  const summary = (of: Deployment) => ({
    arn: of.serviceRevisionArn,
    requestedTaskCount: of === service.deployments[0] ? desiredCount : 0,
    runningTaskCount: countOf(service, 'running', of),
    pendingTaskCount: countOf(service, 'pending', of),
  });
  const { targetServiceRevisionArn: _revision, ...common } = brief(rollout);
  return {
    ...common,
    updatedAt: deployment.updatedAt,
    sourceServiceRevisions: service.history
      .filter((earlier) => deployment.sourceRevisionArns.includes(earlier.serviceRevisionArn))
      .map(summary),
    targetServiceRevision: summary(deployment),
    deploymentConfiguration: configuration,
    deploymentCircuitBreaker: {
      status: monitoring(deployment, threshold),
      failureCount: deployment.failedTasks,
      ...(threshold === undefined ? {} : { threshold }),
    },
  };
}

function monitoring(deployment: Deployment, threshold: number | undefined) {
  if (threshold === undefined) return 'DISABLED';
  if (deployment.rolloutState === 'FAILED') return 'TRIGGERED';
  return deployment.rolloutState === 'COMPLETED' ? 'MONITORING_COMPLETE' : 'MONITORING';
}

function revision({ service, deployment }: Rollout): ServiceRevision {
  return {
    serviceRevisionArn: deployment.serviceRevisionArn,
    serviceArn: service.arn,
    clusterArn: service.cluster.arn,
    taskDefinition: deployment.taskDefinition.taskDefinitionArn,
    ...(service.settings.capacityProviderStrategy?.length
      ? { capacityProviderStrategy: service.settings.capacityProviderStrategy }
      : { launchType: 'FARGATE' }),
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    loadBalancers: [...deployment.loadBalancers],
    networkConfiguration: deployment.networkConfiguration,
    containerImages: deployment.taskDefinition.containerDefinitions.map(({ name, image }) => ({
      containerName: name,
      image,
      imageDigest: image?.split('@')[1],
    })),
    guardDutyEnabled: false,
    createdAt: deployment.createdAt,
  };
}
