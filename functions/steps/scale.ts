/**
 * How generations scale while a deployment runs, and after it. Nothing scales the new one below what it must be able to carry,
 * nor the old one, once it shares the traffic, below what runs of it: each seems to need less than it will if the other goes. What
 * they are held at is given back when the deployment is over, whatever its end; the sweep does so should the step die. All can be
 * repeated.
 */

import type { Plan } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import { type Bounds, heldAt, sameBounds } from '../core/fleet/scaling.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { reading } from '../core/reading.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { judgedFrom } from '../core/traffic/quiet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Scaling } from '../ports/scaling.ts';
import type { Now } from './clock.ts';

export interface ScalePorts {
  readonly scaling: Scaling;
}

/** What the new generation scales like: the old one, or, where nothing scales that, what the service declares. */
interface Model {
  readonly from: Generation | null;
  /** Those that it is to have in the end. */
  readonly bounds: Bounds;
  /** Those that the old one has now. */
  readonly known: readonly Bounds[];
}

/** What is held of a generation that scales, and what of its bounds is known; nothing when none does. */
export type Held = Pick<ServiceItem, 'bounds' | 'knownBounds'>;

/** Undefined when nothing is to scale. A deployment that was never given back what it held holds it still. */
export async function modelOf(
  { settings, from }: Plan,
  held: Held,
  { scaling }: ScalePorts,
): Promise<Model | undefined> {
  const owed = held.bounds;
  const standing = from === null ? undefined : await scaling.bounds(settings, from, held.knownBounds);
  if (standing !== undefined) return { from, bounds: owed ?? standing, known: [standing] };
  const declared = await scaling.bounds(settings, null);
  return declared === undefined ? undefined : { from: null, bounds: owed ?? declared, known: [] };
}

/** The new generation was launched with `size` tasks. */
export async function scaleLike(
  model: Model,
  { settings, to }: Plan,
  size: number,
  { scaling }: ScalePorts,
): Promise<void> {
  await scaling.carry(settings, model.from, to, heldAt(model.bounds, size), model.known);
}

/**
 * Nothing scales the new generation below `size` from now on. A way back does not depend on that: it is as large as it must be
 * when it gets its weight, which is seen right before.
 */
export async function holdAt(
  owed: Bounds | null,
  { settings, to, direction }: Plan,
  size: number,
  { scaling }: ScalePorts,
): Promise<void> {
  if (owed === null) return;
  const hold = async (): Promise<void> => {
    if ((await scaling.bounds(settings, to)) !== undefined)
      await scaling.bound(settings, to, heldAt(owed, size));
  };
  await (direction === 'back' ? reading(hold) : hold());
}

/**
 * The old generation is held at `size`. A schedule, or a person, may have changed its bounds since they were seen: then those are
 * what it, or the new one, is to have in the end. Noted before it is written, so that a repeat knows its own hold.
 */
export async function holdOld(
  { settings, from }: Plan,
  held: Held,
  size: number,
  { scaling, ledger }: ScalePorts & { readonly ledger: Pick<Ledger, 'change'> },
): Promise<void> {
  const { bounds } = held;
  const standing =
    bounds === null || from === null ? undefined : await scaling.bounds(settings, from, held.knownBounds);
  if (bounds === null || from === null || standing === undefined) return;
  const { hold } = await ledger.change(settings.service, (item) => {
    // By the item as it is: the same step may run twice at once, and hold meanwhile.
    const owed = wantedBy(standing, item.bounds ?? bounds, item.knownBounds);
    const next = heldAt(owed, size);
    return { item: { ...item, bounds: owed, knownBounds: [standing, next] }, hold: next };
  });
  await scaling.bound(settings, from, hold);
}

/** Each bound by itself, for a schedule may set one of them: what is neither seen before nor our hold is somebody else's, and counts. */
function wantedBy(standing: Bounds, owed: Bounds, known: readonly Bounds[]): Bounds {
  const of = (bound: keyof Bounds): number =>
    known.some((each) => each[bound] === standing[bound]) ? owed[bound] : standing[bound];
  const minimum = of('minimum');
  return { minimum, maximum: Math.max(minimum, of('maximum')) };
}

interface GivingPorts extends ScalePorts {
  readonly ledger: Pick<Ledger, 'change'>;
  readonly now: Now;
}

/** At the end of a deployment, which AWS must not keep from ending: the sweep comes back to what could not be given. */
export async function givenBackOrLeft(item: ServiceItem, ports: GivingPorts): Promise<void> {
  try {
    await giveScalingBack(item, ports);
  } catch (failure) {
    if (!(failure instanceof CutoverError)) throw failure;
  }
}

/** The deployment is over: what is live scales as it should, from when on a whole minute of its requests is counted. */
export async function giveScalingBack(
  item: ServiceItem,
  { scaling, ledger, now }: GivingPorts,
): Promise<void> {
  const { bounds, live, deployment, weightsAt } = item;
  if (bounds === null || deployment === null || deployment.outcome === null) return;
  if (now() < judgedFrom(weightsAt ?? 0)) return;
  const { settings } = deployment.plan;
  if (live !== null && deployment.outcome === 'live')
    await handOver(item, deployment.plan, bounds, live, scaling);
  else if (live !== null) await letGo(item, settings, bounds, live, scaling);
  await ledger.change(settings.service, (current) => {
    // The next deployment holds it by then, and gives it back.
    const given = current.deployment?.plan.deployment === deployment.plan.deployment;
    return { item: given ? { ...current, bounds: null, knownBounds: [] } : current };
  });
}

/** The new generation scales as the old one was to, by now. */
async function handOver(
  held: Held,
  plan: Plan,
  owed: Bounds,
  live: Generation,
  scaling: Scaling,
): Promise<void> {
  const { settings, from } = plan;
  const old = from === null ? undefined : await scaling.bounds(settings, from, held.knownBounds);
  const bounds = old === undefined ? owed : wantedBy(old, owed, held.knownBounds);
  const model = await modelOf(plan, { ...held, bounds }, { scaling });
  // Also what it scales by: a launch may have died half-way, or somebody changed the old one's since.
  if (model !== undefined) await scaling.carry(settings, model.from, live, bounds, model.known);
  const standing = await scaling.bounds(settings, live);
  // What it was to scale like may be made small, or gone, by now.
  if (standing === undefined && model?.from != null) await scaling.carry(settings, null, live, bounds);
  if (standing !== undefined && !sameBounds(standing, bounds)) await scaling.bound(settings, live, bounds);
  if (model !== undefined) await scaling.carrySchedule(settings, model.from, live);
}

/** The old generation is live as ever: what somebody else wrote since stays. */
async function letGo(
  held: Held,
  settings: ServiceSettings,
  owed: Bounds,
  live: Generation,
  scaling: Scaling,
): Promise<void> {
  const standing = await scaling.bounds(settings, live, held.knownBounds);
  if (standing === undefined) return;
  const bounds = wantedBy(standing, owed, held.knownBounds);
  if (!sameBounds(bounds, standing)) await scaling.bound(settings, live, bounds);
}
