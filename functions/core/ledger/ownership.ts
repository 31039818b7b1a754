/** The right to change a service. It has no expiry; every change carries the fence it was issued. */

import type { Plan } from '../deployment/plan.ts';
import { CutoverError } from '../errors.ts';
import type { Deployment, ServiceItem } from './service-item.ts';

/**
 * The deployment of `plan`, or `Cutover.FencedOut` when the service belongs to somebody else by now. One that has ended is
 * still found when its service was only taken for a retirement since: a repeat of its last step must see that it was done.
 */
export function owned(item: ServiceItem, plan: Pick<Plan, 'fence' | 'deployment'>): Deployment {
  const current = item.deployment;
  const ours = current?.plan.deployment === plan.deployment;
  if (!ours || (item.fence !== plan.fence && current.outcome === null)) {
    throw new CutoverError(
      'Cutover.FencedOut',
      `${plan.deployment} holds fence ${plan.fence}, but fence ${item.fence} was issued since; this execution may change nothing more`,
    );
  }
  return current;
}

/** As `owned`, and the deployment has not ended. */
export function running(item: ServiceItem, plan: Pick<Plan, 'fence' | 'deployment'>): Deployment {
  const current = owned(item, plan);
  if (current.outcome !== null) {
    throw new CutoverError(
      'Cutover.FencedOut',
      `${plan.deployment} has ended (${current.outcome}); nothing more may be changed`,
    );
  }
  return current;
}

/** As `running`, and it has not begun to go back: a call that was slow to arrive must not turn it round again. */
export function goingForward(item: ServiceItem, plan: Pick<Plan, 'fence' | 'deployment'>): Deployment {
  const current = running(item, plan);
  if (current.phase === 'restoring') {
    throw new CutoverError(
      'Cutover.FencedOut',
      `${plan.deployment} is going back (${current.reason}); it can go forward no more`,
    );
  }
  return current;
}

/** Something is left to be done for the service, by its owner or by the sweep. */
export function isOpen({ owner, pending, retained, collect, bounds, hooks, drains }: ServiceItem): boolean {
  return (
    owner !== null ||
    pending !== null ||
    retained.length > 0 ||
    collect !== null ||
    bounds !== null ||
    drains.length > 0 ||
    hooks.some(({ answer }) => answer === null)
  );
}

/** Owner gone, nothing intended, nobody waiting. The fence stays: it only rises. */
export function released(item: ServiceItem): ServiceItem {
  return { ...item, owner: null, intent: null, wait: null };
}
