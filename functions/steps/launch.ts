/**
 * Starts the new generation in its slot, or finds the one that a rollback goes back to, as large as the live one is now.
 * Writes to ECS or Auto Scaling. A repeat adopts what it finds.
 */
import * as z from 'zod';
import { forgotten, intending, launched } from '../core/course.ts';
import { CutoverError } from '../core/errors.ts';
import { type Plan, planSchema } from '../core/plan.ts';
import { fullAgain } from '../core/retention.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';
import { type KeepImagePorts, keepImage } from './keep-image.ts';
import { wantedOfOld } from './look.ts';

export const launchInput = z.object({ plan: planSchema });

export interface LaunchPorts extends KeepImagePorts {
  readonly ledger: Ledger;
  readonly fleet: Fleet;
  readonly now: Now;
}

export async function launch(
  { plan }: z.infer<typeof launchInput>,
  ports: LaunchPorts,
): Promise<{ desired: number }> {
  const { settings } = plan;
  const { service } = settings;
  const live = await wantedOfOld(plan, ports);
  const desired = Math.max(live ?? 0, settings.minimumCount);
  await ports.ledger.change(service, (item) => ({
    item: intending(
      { ...item, retained: fullAgain(item.retained, plan, ports.now()) },
      plan,
      { kind: 'launch', before: null, after: null },
      ports.now(),
    ),
  }));
  if (plan.kept) await fit(plan, desired, ports);
  else await ports.fleet.launch(settings, plan.to, desired, plan.copyOf);
  if (plan.direction === 'forward') await keepImage(plan, ports);
  await ports.ledger.change(service, (item) => ({
    item: launched(item, plan, desired, live ?? null),
  }));
  return { desired };
}

/** A generation that was kept at full size needs nothing: no launch, no registry. */
async function fit(plan: Plan, desired: number, { fleet, ledger }: LaunchPorts): Promise<void> {
  const { settings, to } = plan;
  const kept = await fleet.wanted(settings, to);
  if (kept === undefined) {
    await ledger.change(settings.service, (item) => ({ item: forgotten(item, plan) }));
    throw new CutoverError(
      'Cutover.Unhealthy',
      `${to.name} was kept, but does not run any more: somebody deleted it. Order the rollback again: it is launched anew`,
    );
  }
  if (kept < desired) await fleet.resize(settings, to, desired);
}
