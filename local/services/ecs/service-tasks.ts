/** How the scheduler looks after a service's tasks: it starts them, registers their targets and judges their health. */
import type { Platform } from './platform.ts';
import type { Deployment, Service, ServiceTask } from './service.ts';
import type { ServiceAnnouncements } from './service-announcements.ts';
import type { Tags } from './tags.ts';
import type { TargetPort, Task } from './task.ts';
import type { Tasks } from './tasks.ts';

export class ServiceTasks {
  readonly #platform: Platform;
  readonly #service: Service;
  readonly #tasks: Tasks;
  readonly #tags: Tags;
  readonly #announcements: ServiceAnnouncements;
  readonly #onChange: (task: Task) => void;

  constructor(options: {
    platform: Platform;
    service: Service;
    tasks: Tasks;
    tags: Tags;
    announcements: ServiceAnnouncements;
    onChange: (task: Task) => void;
  }) {
    this.#platform = options.platform;
    this.#service = options.service;
    this.#tasks = options.tasks;
    this.#tags = options.tags;
    this.#announcements = options.announcements;
    this.#onChange = options.onChange;
  }

  start(deployment: Deployment, count: number): void {
    const started = Array.from({ length: count }, () => this.#startOne(deployment));
    this.#announcements.say(`has started ${count} tasks: ${listed(started)}.`);
  }

  #startOne(deployment: Deployment): ServiceTask {
    const { name, cluster, settings } = this.#service;
    const task = this.#tasks.start({
      cluster,
      taskDefinition: deployment.taskDefinition,
      subnet: this.#emptiestSubnet(deployment),
      group: `service:${name}`,
      startedBy: deployment.id,
      targetPorts: targetPorts(deployment),
      enableExecuteCommand: settings.enableExecuteCommand,
      capacityProvider: this.#platform.chance.one(settings.capacityProviderStrategy ?? [])?.capacityProvider,
      onChange: this.#onChange,
    });
    if (settings.propagateTags === 'SERVICE')
      this.#tags.addManaged(task.arn, this.#tags.of(this.#service.arn));
    if (settings.propagateTags === 'TASK_DEFINITION')
      this.#tags.addManaged(task.arn, this.#tags.of(deployment.taskDefinition.taskDefinitionArn));
    if (settings.enableECSManagedTags)
      this.#tags.addManaged(task.arn, [
        { key: 'aws:ecs:clusterName', value: cluster.name },
        { key: 'aws:ecs:serviceName', value: name },
      ]);
    const one: ServiceTask = {
      task,
      deployment,
      everHealthy: false,
      healthy: false,
      unhealthy: undefined,
      counted: false,
      deregistrationTold: false,
    };
    this.#service.tasks.push(one);
    return one;
  }

  /** Spread over the subnets, as ECS balances zones. */
  #emptiestSubnet(deployment: Deployment): string {
    const subnets = deployment.networkConfiguration?.awsvpcConfiguration?.subnets ?? [];
    const load = (subnet: string): number =>
      this.#service.tasks.filter(
        (one) => one.task.request.subnet === subnet && one.task.desiredStatus === 'RUNNING',
      ).length;
    return [...subnets].sort((one, other) => load(one) - load(other))[0] ?? '';
  }

  stopSurplus(tasks: readonly ServiceTask[]): void {
    if (tasks.length === 0) return;
    for (const one of tasks)
      one.task.stop(
        'ServiceSchedulerInitiated',
        `Scaling activity initiated by (deployment ${one.deployment.id})`,
      );
    this.#announcements.say(`has stopped ${tasks.length} running tasks: ${listed(tasks)}.`);
  }

  stopUnhealthy(tasks: readonly ServiceTask[]): void {
    for (const { task, unhealthy } of tasks) {
      if (unhealthy === undefined) continue;
      const group = `(target-group ${unhealthy.targetGroupArn})`;
      this.#announcements.say(
        `(task ${task.id}) (port ${unhealthy.port}) is unhealthy in ${group} due to (reason ${unhealthy.reason}).`,
      );
      task.stop('ServiceSchedulerInitiated', `Task failed ELB health checks in ${group}`);
    }
    if (tasks.length > 0)
      this.#announcements.say(`has stopped ${tasks.length} running tasks: ${listed(tasks)}.`);
  }

  /** Registers what is RUNNING and not yet registered, tells what was registered and deregistered since. */
  registerTargets(): void {
    const registered = new Map<string, number>();
    for (const { task } of this.#running())
      for (const port of task.request.targetPorts) {
        if (!this.#platform.targets.exists(port.targetGroupArn)) {
          this.#announcements.sayOnce(
            `failed to register targets in (target-group ${port.targetGroupArn}) with (error TargetGroupNotFound)`,
          );
          continue;
        }
        const target = task.registered.get(port.targetGroupArn);
        // A target that somebody else deregistered is registered again.
        if (target !== undefined && this.#platform.targets.health(port.targetGroupArn, target) !== undefined)
          continue;
        task.register(port);
        registered.set(port.targetGroupArn, (registered.get(port.targetGroupArn) ?? 0) + 1);
      }
    for (const [group, count] of registered)
      this.#announcements.say(`registered ${count} targets in (target-group ${group})`);
    this.#tellDeregistered();
  }

  #tellDeregistered(): void {
    const ended = this.#service.tasks.filter(
      (one) =>
        one.task.desiredStatus === 'STOPPED' && !one.deregistrationTold && one.task.registered.size > 0,
    );
    for (const deployment of this.#service.deployments) {
      const groups = new Map<string, number>();
      const draining = ended.filter((one) => one.deployment === deployment);
      for (const one of draining) {
        one.deregistrationTold = true;
        for (const group of one.task.registered.keys()) groups.set(group, (groups.get(group) ?? 0) + 1);
      }
      for (const [group, count] of groups)
        this.#announcements.say(`deregistered ${count} targets in (target-group ${group})`);
      if (draining.length > 0)
        this.#announcements.say(
          `has begun draining connections on ${draining.length} tasks.`,
          `, taskSet ${deployment.id}`,
        );
    }
  }

  /** Judges each running task; answers those that have just turned healthy, and unhealthy. */
  judge(): { readonly recovered: ServiceTask[]; readonly fallen: ServiceTask[] } {
    const recovered: ServiceTask[] = [];
    const fallen: ServiceTask[] = [];
    for (const one of this.#running()) {
      const verdict = this.#verdict(one.task);
      if (verdict === 'unknown') continue;
      if (verdict === 'healthy') {
        if (!one.healthy) recovered.push(one);
        one.healthy = true;
        one.everHealthy = true;
        one.unhealthy = undefined;
        continue;
      }
      if (one.unhealthy === undefined) fallen.push(one);
      one.healthy = false;
      one.unhealthy = verdict;
    }
    return { recovered, fallen };
  }

  #verdict(task: Task): 'healthy' | 'unknown' | NonNullable<ServiceTask['unhealthy']> {
    const { clock, delays, targets } = this.#platform;
    const age = clock.now() - (task.startedAt?.getTime() ?? 0);
    const ports = task.request.targetPorts;
    if (ports.length === 0) return age >= delays.settling.to ? 'healthy' : 'unknown';
    const grace = (this.#service.settings.healthCheckGracePeriodSeconds ?? 0) * 1000;
    let healthy = 0;
    for (const { targetGroupArn } of ports) {
      const target = task.registered.get(targetGroupArn);
      const health = target && targets.health(targetGroupArn, target);
      if (health?.State === 'healthy') healthy += 1;
      if (target !== undefined && health?.State === 'unhealthy' && age >= grace)
        return { targetGroupArn, port: target.port, reason: health.Description ?? 'Health checks failed' };
    }
    return healthy === ports.length ? 'healthy' : 'unknown';
  }

  #running(): ServiceTask[] {
    return this.#service.tasks.filter(
      (one) => one.task.lastStatus === 'RUNNING' && one.task.desiredStatus === 'RUNNING',
    );
  }
}

function targetPorts(deployment: Deployment): TargetPort[] {
  return deployment.loadBalancers.flatMap(({ targetGroupArn, containerPort }) =>
    targetGroupArn === undefined || containerPort === undefined ? [] : [{ targetGroupArn, containerPort }],
  );
}

function listed(tasks: readonly ServiceTask[]): string {
  return tasks.map((one) => `(task ${one.task.id})`).join(' ');
}
