/** What ECS says about a service: its events (the last 100, in AWS's words) and events on the bus. */
import type { Platform } from './platform.ts';
import type { Deployment, Service } from './service.ts';
import type { Task } from './task.ts';
import { taskStateChange } from './task-description.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages.html */
const keptEvents = 100;
/** The same message again is left out until its cause is gone or this much time has passed (same page). */
const repeatAfter = 6 * 60 * 60_000;

type ActionName = 'SERVICE_STEADY_STATE' | 'SERVICE_TASK_START_IMPAIRED' | 'SERVICE_TASK_PLACEMENT_FAILURE';
type DeploymentName =
  | 'SERVICE_DEPLOYMENT_IN_PROGRESS'
  | 'SERVICE_DEPLOYMENT_COMPLETED'
  | 'SERVICE_DEPLOYMENT_FAILED';

const typeOf: Readonly<Record<ActionName | DeploymentName, 'INFO' | 'WARN' | 'ERROR'>> = {
  SERVICE_STEADY_STATE: 'INFO',
  SERVICE_TASK_START_IMPAIRED: 'WARN',
  SERVICE_TASK_PLACEMENT_FAILURE: 'ERROR',
  SERVICE_DEPLOYMENT_IN_PROGRESS: 'INFO',
  SERVICE_DEPLOYMENT_COMPLETED: 'INFO',
  SERVICE_DEPLOYMENT_FAILED: 'ERROR',
};

export class ServiceAnnouncements {
  readonly #platform: Platform;
  readonly #service: Service;

  constructor(platform: Platform, service: Service) {
    this.#platform = platform;
    this.#service = service;
  }

  /** A service event: `(service web) has …`. */
  say(what: string, qualifier = ''): void {
    const { chance } = this.#platform;
    const message = `(service ${this.#service.name}${qualifier}) ${what}`;
    this.#service.events = [
      { id: chance.uuid(), createdAt: this.#now(), message },
      ...this.#service.events,
    ].slice(0, keptEvents);
  }

  /** As `say`, unless it was the latest word already and not six hours ago. Answers whether it was said. */
  sayOnce(what: string): boolean {
    const latest = this.#service.events[0];
    const same = latest?.message === `(service ${this.#service.name}) ${what}`;
    if (same && this.#platform.clock.now() - (latest.createdAt?.getTime() ?? 0) < repeatAfter) return false;
    this.say(what);
    return true;
  }

  action(eventName: ActionName, reason?: string): void {
    this.#platform.emit({
      id: this.#platform.chance.uuid(),
      source: 'aws.ecs',
      detailType: 'ECS Service Action',
      resources: [this.#service.arn],
      detail: {
        eventType: typeOf[eventName],
        eventName,
        clusterArn: this.#service.cluster.arn,
        ...(reason === undefined ? {} : { reason }),
        createdAt: this.#now().toISOString(),
      },
    });
  }

  deployment(eventName: DeploymentName, deployment: Deployment): void {
    this.#platform.emit({
      id: this.#platform.chance.uuid(),
      source: 'aws.ecs',
      detailType: 'ECS Deployment State Change',
      resources: [this.#service.arn],
      detail: {
        eventType: typeOf[eventName],
        eventName,
        deploymentId: deployment.id,
        updatedAt: deployment.updatedAt.toISOString(),
        reason: deployment.rolloutStateReason,
      },
    });
  }

  #now(): Date {
    return new Date(this.#platform.clock.now());
  }
}

/** `ECS Task State Change`: the whole task as it is now. */
export function announceTask(platform: Platform, task: Task): void {
  platform.emit({
    id: platform.chance.uuid(),
    source: 'aws.ecs',
    detailType: 'ECS Task State Change',
    resources: [task.arn],
    detail: taskStateChange(task),
  });
}
