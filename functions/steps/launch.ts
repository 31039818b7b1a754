/**
 * Starts the new generation in its slot, as large as the live one is now. Writes to ECS or Auto Scaling. A repeat adopts
 * what it finds.
 */
import * as z from 'zod';
import { intending, launched } from '../core/course.ts';
import { planSchema } from '../core/plan.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

export const launchInput = z.object({ plan: planSchema });

export interface LaunchPorts {
  readonly ledger: Ledger;
  readonly fleet: Fleet;
  readonly now: Now;
}

export async function launch(
  { plan }: z.infer<typeof launchInput>,
  ports: LaunchPorts,
): Promise<{ desired: number }> {
  const { settings, service } = { settings: plan.settings, service: plan.settings.service };
  const live = plan.from === null ? undefined : await ports.fleet.observe(settings, plan.from);
  const desired = Math.max(live?.desired ?? 0, settings.minimumCount);
  await ports.ledger.change(service, (item) => ({
    item: intending(item, plan, { kind: 'launch', before: null, after: null }, ports.now()),
  }));
  await ports.fleet.launch(settings, plan.to, desired);
  await ports.ledger.change(service, (item) => ({ item: launched(item, plan, desired) }));
  return { desired };
}
