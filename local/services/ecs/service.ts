/** A service and its deployments, as state; `ServiceScheduler` moves it, `describeService` shows it. */
import type {
  CreateServiceCommandInput,
  DeploymentConfiguration,
  DeploymentRolloutState,
  LoadBalancer,
  NetworkConfiguration,
  ServiceEvent,
} from '@aws-sdk/client-ecs';
import type { ClusterRecord } from './clusters.ts';
import type { Task } from './task.ts';
import type { TaskDefinitionRecord } from './task-definitions.ts';

/** One rollout of a service: what its tasks are started from, and how it goes. */
export interface Deployment {
  /** `ecs-svc/1234567890123456789` */
  readonly id: string;
  readonly serviceDeploymentArn: string;
  readonly serviceRevisionArn: string;
  /** The revisions that ran when this deployment began. */
  readonly sourceRevisionArns: readonly string[];
  readonly taskDefinition: TaskDefinitionRecord;
  readonly networkConfiguration: NetworkConfiguration | undefined;
  readonly loadBalancers: readonly LoadBalancer[];
  readonly createdAt: Date;
  updatedAt: Date;
  finishedAt: Date | undefined;
  rolloutState: DeploymentRolloutState;
  rolloutStateReason: string;
  failedTasks: number;
  /** Starts in a row that did not reach RUNNING, and when the next may be tried (milliseconds of the clock). */
  failedStarts: number;
  nextStartAt: number;
}

/** What the scheduler remembers of a service's task. */
export interface ServiceTask {
  readonly task: Task;
  readonly deployment: Deployment;
  /** Seen healthy at least once: by its targets, or 40 s after RUNNING when it has none. */
  everHealthy: boolean;
  healthy: boolean;
  /** The target group that found it unhealthy after the grace period, with the balancer's words. */
  unhealthy: { readonly targetGroupArn: string; readonly port: number; readonly reason: string } | undefined;
  /** Its end has been counted. */
  counted: boolean;
  /** Its targets' deregistration has been told in the service's events. */
  deregistrationTold: boolean;
}

/** What CreateService and UpdateService set. */
export interface ServiceSettings {
  desiredCount: number;
  taskDefinition: TaskDefinitionRecord;
  deploymentConfiguration: DeploymentConfiguration;
  networkConfiguration: NetworkConfiguration | undefined;
  loadBalancers: LoadBalancer[];
  healthCheckGracePeriodSeconds: number | undefined;
  availabilityZoneRebalancing: 'ENABLED' | 'DISABLED';
  enableECSManagedTags: boolean;
  propagateTags: 'NONE' | 'SERVICE' | 'TASK_DEFINITION';
  enableExecuteCommand: boolean;
  platformVersion: string;
  readonly capacityProviderStrategy: CreateServiceCommandInput['capacityProviderStrategy'];
}

export interface Service {
  readonly name: string;
  readonly arn: string;
  readonly cluster: ClusterRecord;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** The request that made it: the same again is answered with the same service. */
  readonly request: CreateServiceCommandInput;
  readonly settings: ServiceSettings;
  status: 'ACTIVE' | 'DRAINING' | 'INACTIVE';
  inactiveAt: number | undefined;
  /** PRIMARY first, then those whose tasks are still there. */
  deployments: Deployment[];
  /** All deployments, newest first. */
  history: Deployment[];
  /** All tasks; one that is STOPPED is dropped in the scheduler's next cycle. */
  tasks: ServiceTask[];
  /** Newest first, at most 100. */
  events: ServiceEvent[];
}

/** The tasks of a deployment, or of all, that are meant to run. */
export function living(service: Service, deployment?: Deployment): ServiceTask[] {
  return service.tasks.filter(
    (one) =>
      one.task.desiredStatus === 'RUNNING' && (deployment === undefined || one.deployment === deployment),
  );
}

export function countOf(service: Service, which: 'running' | 'pending', deployment?: Deployment): number {
  const statuses = which === 'running' ? ['RUNNING'] : ['PROVISIONING', 'PENDING', 'ACTIVATING'];
  return service.tasks.filter(
    (one) =>
      statuses.includes(one.task.lastStatus) && (deployment === undefined || one.deployment === deployment),
  ).length;
}
