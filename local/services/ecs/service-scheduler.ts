/**
 * The service scheduler, for one service: in cycles it registers targets, judges tasks, starts and stops them until what
 * runs is what is wanted, and says so. A deployment is COMPLETED when the steady state is announced.
 */
import type { Timer } from '../../clock.ts';
import { serviceDeploymentArn, serviceRevisionArn } from './arns.ts';
import { failureThreshold } from './circuit-breaker.ts';
import type { Delay } from './delays.ts';
import type { Platform } from './platform.ts';
import { impairedAt, restartWait } from './restart-throttle.ts';
import { scaling } from './scaling.ts';
import { type Deployment, living, type Service, type ServiceTask } from './service.ts';
import { ServiceAnnouncements } from './service-announcements.ts';
import { ServiceTasks } from './service-tasks.ts';
import type { Tags } from './tags.ts';
import type { Task } from './task.ts';
import type { Tasks } from './tasks.ts';
import { vcpuLimitReached, vcpusOf } from './vcpus.ts';

/** "has reached a steady state" is repeated this often, in milliseconds. */
const steadyStateRepeat = 6 * 60 * 60_000;

export class ServiceScheduler {
  readonly #platform: Platform;
  readonly #service: Service;
  readonly #tasks: ServiceTasks;
  readonly #announcements: ServiceAnnouncements;
  #next: { readonly at: number; readonly timer: Timer } | undefined;
  #steadyNotice: Timer | undefined;
  #steadyTold: number | undefined;

  constructor(options: { platform: Platform; service: Service; tasks: Tasks; tags: Tags }) {
    this.#platform = options.platform;
    this.#service = options.service;
    this.#announcements = new ServiceAnnouncements(options.platform, options.service);
    this.#tasks = new ServiceTasks({
      ...options,
      announcements: this.#announcements,
      onChange: (task) => this.#taskChanged(task),
    });
  }

  /** A new deployment from the service's settings as they are now becomes the primary one. */
  deploy(reason?: (id: string) => string): void {
    const { chance } = this.#platform;
    const { name, cluster, settings, deployments } = this.#service;
    const id = `ecs-svc/${chance.digits(19)}`;
    const now = this.#now();
    const deployment: Deployment = {
      id,
      serviceDeploymentArn: serviceDeploymentArn(cluster.name, name, chance.hex().slice(0, 22)),
      serviceRevisionArn: serviceRevisionArn(cluster.name, name, chance.digits(19)),
      sourceRevisionArns: deployments.map((earlier) => earlier.serviceRevisionArn),
      taskDefinition: settings.taskDefinition,
      networkConfiguration: settings.networkConfiguration,
      loadBalancers: settings.loadBalancers,
      createdAt: now,
      updatedAt: now,
      finishedAt: undefined,
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: reason?.(id) ?? `ECS deployment ${id} in progress.`,
      failedTasks: 0,
      failedStarts: 0,
      nextStartAt: 0,
    };
    this.#service.deployments = [deployment, ...deployments];
    this.#service.history.unshift(deployment);
    this.#announcements.deployment('SERVICE_DEPLOYMENT_IN_PROGRESS', deployment);
    this.wake();
  }

  /** Something changed: the next cycle comes soon. */
  wake(): void {
    this.#arm(this.#platform.delays.reaction);
  }

  close(): void {
    this.#next?.timer.cancel();
    this.#steadyNotice?.cancel();
  }

  #arm(delay: Delay): void {
    const { clock, chance } = this.#platform;
    const wait = chance.within(delay);
    const at = clock.now() + wait;
    if (this.#next !== undefined && this.#next.at <= at) return;
    this.#next?.timer.cancel();
    const timer = clock.after(wait, () => {
      this.#next = undefined;
      this.#cycle();
      const idle = this.#service.tasks.length === 0 && this.#service.settings.desiredCount === 0;
      const done = this.#service.status === 'INACTIVE' || (idle && this.#steadyTold !== undefined);
      if (!done) this.#arm(this.#platform.delays.cycle);
    });
    this.#next = { at, timer };
  }

  #cycle(): void {
    const service = this.#service;
    this.#tasks.registerTargets();
    const { recovered, fallen } = this.#tasks.judge();
    for (const one of recovered) this.#turnedHealthy(one.deployment);
    for (const one of fallen) this.#failed(one);
    const { start, surplus, unhealthy } = scaling(service);
    this.#start(start);
    this.#tasks.stopUnhealthy(unhealthy);
    this.#tasks.stopSurplus(surplus);
    service.tasks = service.tasks.filter((one) => one.task.lastStatus !== 'STOPPED');
    service.deployments = service.deployments.filter(
      (deployment, at) => at === 0 || service.tasks.some((one) => one.deployment === deployment),
    );
    if (service.status === 'DRAINING') this.#finishDraining();
    else this.#considerSteadyState();
  }

  #start(count: number): void {
    const primary = this.#service.deployments[0];
    if (count === 0 || primary === undefined || this.#platform.clock.now() < primary.nextStartAt) return;
    const reason = this.#platform.placementFailure();
    if (reason === undefined) {
      this.#startWithinQuota(primary, count);
      return;
    }
    const said = this.#announcements.sayOnce(
      'was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a ' +
        'different availability zone. For more information, see the Troubleshooting section of the Amazon ECS ' +
        'Developer Guide.',
    );
    if (said) this.#announcements.action('SERVICE_TASK_PLACEMENT_FAILURE', reason);
  }

  /** What the quota leaves no room for is tried again in each cycle. */
  #startWithinQuota(primary: Deployment, count: number): void {
    const most = Math.floor(this.#platform.vcpusFree() / vcpusOf(primary.taskDefinition));
    const fitting = Math.max(0, Math.min(count, most));
    if (fitting > 0) this.#tasks.start(primary, fitting);
    if (fitting === count) return;
    if (this.#announcements.sayOnce(`was unable to place a task. Reason: ${vcpuLimitReached}`))
      this.#announcements.action('SERVICE_TASK_PLACEMENT_FAILURE', 'RESOURCE:FARGATE');
  }

  /** Counts how tasks end, as they end. */
  #taskChanged(task: Task): void {
    const one = this.#service.tasks.find((candidate) => candidate.task === task);
    if (one === undefined) return;
    const { deployment } = one;
    if (task.lastStatus === 'RUNNING') {
      deployment.failedStarts = 0;
      deployment.nextStartAt = 0;
    }
    if (task.desiredStatus !== 'STOPPED' || one.counted) return;
    one.counted = true;
    if (task.stopCode === 'TaskFailedToStart') {
      this.#throttle(deployment);
      this.#failed(one);
    }
    // Crashes of tasks that were healthy once are not counted (containers-roadmap#1206).
    if (task.stopCode === 'EssentialContainerExited' && !one.everHealthy && one.unhealthy === undefined)
      this.#failed(one);
  }

  #throttle(deployment: Deployment): void {
    deployment.failedStarts += 1;
    deployment.nextStartAt = this.#platform.clock.now() + restartWait(deployment.failedStarts);
    if (deployment.failedStarts !== impairedAt) return;
    this.#announcements.say('is unable to consistently start tasks successfully.');
    this.#announcements.action('SERVICE_TASK_START_IMPAIRED');
  }

  #turnedHealthy(deployment: Deployment): void {
    const breaker = this.#service.settings.deploymentConfiguration.deploymentCircuitBreaker;
    if (breaker?.resetOnHealthyTask !== false) deployment.failedTasks = 0;
  }

  /** A task failed to start, ended before it was ever healthy, or failed its health checks. */
  #failed({ deployment }: ServiceTask): void {
    deployment.failedTasks += 1;
    const { settings } = this.#service;
    const breaker = settings.deploymentConfiguration.deploymentCircuitBreaker;
    const threshold = failureThreshold(breaker, settings.desiredCount);
    const tripped = threshold !== undefined && deployment.failedTasks >= threshold;
    if (!tripped || deployment.rolloutState !== 'IN_PROGRESS' || deployment !== this.#service.deployments[0])
      return;
    this.#finish(deployment, 'FAILED', 'ECS deployment circuit breaker: tasks failed to start.');
    this.#announcements.say(`(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
    this.#announcements.deployment('SERVICE_DEPLOYMENT_FAILED', deployment);
    if (breaker?.rollback === true) this.#rollBack();
  }

  /** To the last deployment that completed; without one the failed deployment stays as it is. */
  #rollBack(): void {
    const target = this.#service.history.find((deployment) => deployment.rolloutState === 'COMPLETED');
    if (target === undefined) return;
    const { settings } = this.#service;
    settings.taskDefinition = target.taskDefinition;
    settings.networkConfiguration = target.networkConfiguration;
    settings.loadBalancers = [...target.loadBalancers];
    this.#announcements.say(`rolling back to (deployment ${target.id}).`);
    this.deploy(() => `ECS deployment circuit breaker: rolling back to deploymentId ${target.id}.`);
  }

  #finish(deployment: Deployment, state: 'COMPLETED' | 'FAILED', reason: string): void {
    deployment.rolloutState = state;
    deployment.rolloutStateReason = reason;
    deployment.updatedAt = this.#now();
    deployment.finishedAt = deployment.updatedAt;
  }

  #isSteady(): boolean {
    const { deployments, settings } = this.#service;
    const [primary, ...earlier] = deployments;
    const tasks = living(this.#service);
    return (
      primary !== undefined &&
      earlier.length === 0 &&
      primary.rolloutState !== 'FAILED' &&
      tasks.length === settings.desiredCount &&
      tasks.every((one) => one.healthy)
    );
  }

  /** ECS tells of a steady state late, and again every six hours. */
  #considerSteadyState(): void {
    const { clock, chance, delays } = this.#platform;
    if (!this.#isSteady()) {
      this.#steadyNotice?.cancel();
      this.#steadyNotice = undefined;
      this.#steadyTold = undefined;
      return;
    }
    if (this.#steadyNotice !== undefined) return;
    const toldAgo = clock.now() - (this.#steadyTold ?? clock.now());
    if (this.#steadyTold !== undefined && toldAgo < steadyStateRepeat) return;
    this.#steadyNotice = clock.after(chance.within(delays.steadyState), () => {
      this.#steadyNotice = undefined;
      if (this.#service.status === 'ACTIVE' && this.#isSteady()) this.#tellSteadyState();
    });
  }

  #tellSteadyState(): void {
    this.#steadyTold = this.#platform.clock.now();
    const primary = this.#service.deployments[0];
    if (primary?.rolloutState === 'IN_PROGRESS') {
      this.#finish(primary, 'COMPLETED', `ECS deployment ${primary.id} completed.`);
      this.#announcements.say(`(deployment ${primary.id}) deployment completed.`);
      this.#announcements.deployment('SERVICE_DEPLOYMENT_COMPLETED', primary);
    }
    this.#announcements.say('has reached a steady state.');
    this.#announcements.action('SERVICE_STEADY_STATE');
  }

  /** DRAINING ends when all tasks are STOPPING or STOPPED (API reference, DeleteService). */
  #finishDraining(): void {
    const over = ['STOPPING', 'DEPROVISIONING', 'STOPPED'];
    if (!this.#service.tasks.every((one) => over.includes(one.task.lastStatus))) return;
    this.#service.status = 'INACTIVE';
    this.#service.inactiveAt = this.#platform.clock.now();
    this.#service.deployments = [];
    this.#steadyNotice?.cancel();
  }

  #now(): Date {
    return new Date(this.#platform.clock.now());
  }
}
