/**
 * Starts the new generation in its slot, or finds the one that a rollback goes back to, as large as the live one is now.
 * Writes to ECS or Auto Scaling. A repeat adopts what it finds.
 */
import * as z from 'zod';
import { forgotten, intending, launched } from '../core/deployment/course.ts';
import { type Plan, planSchema } from '../core/deployment/plan.ts';
import { fullAgain } from '../core/deployment/retention.ts';
import { CutoverError } from '../core/errors.ts';
import type { Bounds } from '../core/fleet/scaling.ts';
import { goingForward } from '../core/ledger/ownership.ts';
import type { Deployment } from '../core/ledger/service-item.ts';
import { reading } from '../core/reading.ts';
import { stopReason } from '../core/signals/latch.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';
import { type KeepImagePorts, keepImage } from './keep-image.ts';
import { wantedOfOld } from './look.ts';
import { type ImageGatePorts, passImageGate } from './pass-image-gate.ts';
import { type Held, holdAt, modelOf, type ScalePorts, scaleLike } from './scale.ts';

export const launchInput = z.object({ plan: planSchema });

export interface LaunchPorts extends KeepImagePorts, ScalePorts, ImageGatePorts {
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
  const { held, deployment } = await waitedFor(plan, ports);
  await passImageGate(plan, deployment.startedAt, ports);
  const live = await wantedOfOld(plan, ports);
  const desired = Math.max(live ?? 0, settings.minimumCount);
  const model = await knownModel(plan, held, ports);
  await ports.ledger.change(service, (item) => ({
    item: intending(
      {
        ...item,
        retained: fullAgain(item.retained, plan, ports.now()),
        ...(model && { bounds: model.bounds, knownBounds: [...model.known] }),
      },
      plan,
      { kind: 'launch', before: null, after: null },
      ports.now(),
    ),
  }));
  if (plan.kept) await fit(plan, desired, model?.bounds ?? null, ports);
  else {
    await ports.fleet.launch(settings, plan.to, desired, plan.copyOf);
    const scale = async () => model && scaleLike(model, plan, desired, ports);
    await (plan.direction === 'back' ? reading(scale) : scale());
  }
  if (plan.direction === 'forward') await keepImage(plan, ports);
  await ports.ledger.change(service, (item) => ({
    item: launched(item, plan, desired, live ?? null),
  }));
  return { desired };
}

/**
 * A way back does not fail because nobody can be asked how what is live scales: what is declared stands in for that until the
 * end, when it is asked again. What is kept keeps the size it is held at.
 */
async function knownModel(plan: Plan, held: Held, ports: LaunchPorts): ReturnType<typeof modelOf> {
  try {
    return await modelOf(plan, held, ports);
  } catch (failure) {
    if (plan.direction === 'forward' || !(failure instanceof CutoverError)) throw failure;
    const bounds = held.bounds ?? (await ports.scaling.bounds(plan.settings, null));
    return bounds === undefined ? undefined : { from: null, bounds, known: [] };
  }
}

/** The image gate may be waited for, for long: what a person, or a newer push, says meanwhile ends that. */
async function waitedFor(
  plan: Plan,
  { ledger }: LaunchPorts,
): Promise<{ readonly held: Held; readonly deployment: Deployment }> {
  const item = await ledger.read(plan.settings.service);
  const deployment = goingForward(item, plan);
  const stop = stopReason(deployment);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);
  return { held: item, deployment };
}

/** A generation that was kept at full size needs nothing: no launch, no registry. */
async function fit(plan: Plan, desired: number, bounds: Bounds | null, ports: LaunchPorts): Promise<void> {
  const { settings, to } = plan;
  const { fleet, ledger } = ports;
  const kept = await fleet.wanted(settings, to);
  if (kept === undefined) {
    await ledger.change(settings.service, (item) => ({ item: forgotten(item, plan) }));
    throw new CutoverError(
      'Cutover.Unhealthy',
      `${to.name} was kept, but does not run any more: somebody deleted it. Order the rollback again: it is launched anew`,
    );
  }
  if (kept >= desired) return;
  await holdAt(bounds, plan, desired, ports);
  await fleet.resize(settings, to, desired);
}
