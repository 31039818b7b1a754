/** Which tasks the scheduler starts and stops, decided from a service as it stands. */
import { living, type Service, type ServiceTask } from './service.ts';

export interface Scaling {
  /** Tasks of the primary deployment to start. */
  readonly start: number;
  /** Tasks more than wanted: scale-in, or those of earlier deployments that the primary replaces. */
  readonly surplus: readonly ServiceTask[];
  readonly unhealthy: readonly ServiceTask[];
}

/**
 * Replacements of unhealthy tasks start first, as far as `maximumPercent` allows; an unhealthy task goes when its
 * replacement is healthy, or when the replacement is unhealthy too, which leaves as many as wanted. Without room for a
 * replacement one unhealthy task goes first. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html
 */
export function scaling(service: Service): Scaling {
  const { desiredCount: desired, deploymentConfiguration: limits } = service.settings;
  const primary = service.deployments[0];
  if (service.status !== 'ACTIVE' || primary === undefined || desired === 0)
    return { start: 0, surplus: living(service), unhealthy: [] };

  const current = living(service, primary);
  const unhealthy = current.filter((one) => one.unhealthy !== undefined);
  const good = current.filter((one) => one.unhealthy === undefined);
  const earlier = living(service).filter((one) => one.deployment !== primary);
  // maximumPercent is rounded down, minimumHealthyPercent up (API reference, DeploymentConfiguration).
  const most = Math.max(1, Math.floor((desired * (limits.maximumPercent ?? 200)) / 100));
  const least = Math.ceil((desired * (limits.minimumHealthyPercent ?? 100)) / 100);

  const failed = primary.rolloutState === 'FAILED';
  const missing = failed ? 0 : Math.max(0, desired - good.length);
  const room = Math.max(0, most - current.length - earlier.length);
  const healthy = good.filter((one) => one.healthy).length;
  const replaced = unhealthy.length - Math.max(0, desired - healthy);
  const forced = missing > 0 && room === 0 && unhealthy.length > 0 ? 1 : 0;
  return {
    start: Math.min(missing, room),
    surplus: [
      ...leastUseful(good).slice(0, Math.max(0, good.length - desired)),
      ...(failed ? [] : retired(earlier, healthy, least)),
    ],
    unhealthy: unhealthy.slice(0, Math.max(0, replaced, forced)),
  };
}

/** Tasks of earlier deployments that can go while `least` healthy ones remain. */
function retired(earlier: readonly ServiceTask[], healthyNow: number, least: number): ServiceTask[] {
  let healthy = healthyNow + earlier.filter((one) => one.healthy).length;
  return leastUseful(earlier).filter((one) => {
    if (!one.healthy) return true;
    if (healthy - 1 < least) return false;
    healthy -= 1;
    return true;
  });
}

/** Those that serve nobody yet first, then the newest. */
function leastUseful(tasks: readonly ServiceTask[]): ServiceTask[] {
  const rank = (one: ServiceTask): number => (one.healthy ? 2 : one.task.lastStatus === 'RUNNING' ? 1 : 0);
  return [...tasks].reverse().sort((one, other) => rank(one) - rank(other));
}
