/** A generation is healthy once it was seen so a number of times in a row, an interval of health checks apart: targets flap. */

import type { Plan } from '../deployment/plan.ts';
import { goingForward } from '../ledger/ownership.ts';
import type { Deployment, ServiceItem } from '../ledger/service-item.ts';

/** Looks that come at once, for an event, see the same check again. */
const apart = 0.9;

/** One more look, at `now`. An unhealthy one begins anew; one that comes too soon after the last says nothing new. */
export function lookedAt(item: ServiceItem, plan: Plan, isHealthy: boolean, now: number): ServiceItem {
  const current = goingForward(item, plan);
  const { seenHealthy: known } = current;
  if (!isHealthy) return known === null ? item : { ...item, deployment: { ...current, seenHealthy: null } };
  const intervalMs = plan.settings.healthIntervalSeconds * 1_000 * apart;
  if (known !== null && now - known.at < intervalMs) return item;
  const seenHealthy = { times: (known?.times ?? 0) + 1, at: now };
  return { ...item, deployment: { ...current, seenHealthy } };
}

export function isSeenHealthy({ plan, seenHealthy }: Deployment): boolean {
  return (seenHealthy?.times ?? 0) >= plan.settings.healthyLooks;
}
