/**
 * Ends the new generation of a deployment that went back. Refuses while any weight may still lead to it, and while requests
 * reach it (`Cutover.NotYet`: the machine comes again). A repeat finds it gone. One that a rollback went to is kept.
 */
import * as z from 'zod';
import { intending, remembering, restored, stillReached } from '../core/deployment/course.ts';
import { type Plan, planSchema } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import { unitOf } from '../core/fleet/unit.ts';
import { owned } from '../core/ledger/ownership.ts';
import type { Deployment } from '../core/ledger/service-item.ts';
import { aftermath } from '../core/messages/last-words.ts';
import type { ServiceSettings, TrafficSettings } from '../core/service-settings.ts';
import { endingInWords, reachedInWords } from '../core/traffic/quiet.ts';
import { inWords, sameWeights } from '../core/traffic/weights.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import type { Witness } from '../ports/witness.ts';
import { type LingeringPorts, lingeringRequests } from './lingering.ts';
import { givenBackOrLeft, type ScalePorts } from './scale.ts';
import { aimTestTraffic } from './test-traffic.ts';

export const terminateInput = z.object({ plan: planSchema });

export interface TerminatePorts extends LingeringPorts, ScalePorts {
  readonly ledger: Ledger;
  readonly fleet: Fleet;
  readonly traffic: Traffic;
  readonly witness: Witness;
}

export async function terminate(
  { plan }: z.infer<typeof terminateInput>,
  ports: TerminatePorts,
): Promise<Terminated> {
  const { service } = plan.settings;
  const deployment = owned(await ports.ledger.read(service), plan);
  if (deployment.outcome !== null)
    return { terminated: plan.kept ? null : plan.to.name, words: aftermath(deployment) };
  if (deployment.quietAt === null || ports.now() < deployment.quietAt) {
    throw new CutoverError(
      'Cutover.Guarded',
      `${plan.to.name} may still get requests; it is not ended before its weights were put back and settled`,
    );
  }
  if (plan.kept) {
    return { terminated: null, words: aftermath(await end(plan, ports)) };
  }
  if (deployment.lastWords === null && tellsWhy(deployment)) await askForLastWords(plan, deployment, ports);
  // Without an old generation nothing else could serve: the rule keeps pointing at the slot that the next one takes.
  if (plan.from !== null) {
    await refuseWhileWeighted(ports.traffic, plan.settings.traffic, plan.to);
    await refuseWhileAstray(ports.traffic, plan);
    await giveTestersBack(plan.settings, plan.from, ports.traffic);
    await refuseWithoutOther(plan, deployment, ports);
    await refuseWhileReached(plan, deployment, ports);
  }
  await ports.ledger.change(service, (item) => ({
    item: intending(item, plan, { kind: 'terminate', before: null, after: null }, ports.now()),
  }));
  await ports.scaling.release(plan.settings, plan.to);
  if ((await ports.fleet.terminate(plan.settings, plan.to)) === 'ending') {
    await tellOnce(
      plan,
      endingInWords(
        plan.to,
        unitOf(plan.settings),
        deployment.quietAt,
        ports.now(),
        'nothing else is deployed',
      ),
      ports,
    );
    throw stillEnding(plan.to);
  }
  await forget(plan, ports.fleet);
  return { terminated: plan.to.name, words: aftermath(await end(plan, ports)) };
}

export interface Terminated {
  /** Null for one that was kept before, and is again. */
  readonly terminated: string | null;
  /** What it left behind, and what to do next; empty when there is nothing to say. */
  readonly words: string;
}

/** Whoever tests goes on with what is live: their requests must not keep what is to be ended. That this fails keeps nothing. */
export async function giveTestersBack(
  settings: ServiceSettings,
  { slot }: Generation,
  traffic: Traffic,
): Promise<void> {
  try {
    await aimTestTraffic(settings, slot, traffic);
  } catch (failure) {
    if (!(failure instanceof CutoverError)) throw failure;
  }
}

/** Of what a person ended, or a newer push replaced, nobody asks why. */
function tellsWhy({ turned }: Deployment): boolean {
  return turned?.error !== 'Cutover.Aborted' && turned?.error !== 'Cutover.Superseded';
}

/** Once, before it is gone; that it cannot be had keeps nothing. */
async function askForLastWords(
  plan: Plan,
  { latch }: Deployment,
  { ledger, witness }: TerminatePorts,
): Promise<void> {
  const task = latch.crashes.at(-1)?.task ?? null;
  const words = await witness.lastWords(plan.settings, plan.to, task);
  await ledger.change(plan.settings.service, (item) => ({ item: remembering(item, plan, words) }));
}

async function end(plan: Plan, ports: TerminatePorts): Promise<Deployment> {
  const { item } = await ports.ledger.change(plan.settings.service, (current) => ({
    item: restored(current, plan, ports.now()),
  }));
  await givenBackOrLeft(item, ports);
  return owned(item, plan);
}

/** Its instances finish their requests, and are drained, before they are gone. */
function stillEnding({ name }: Generation): CutoverError {
  return new CutoverError(
    'Cutover.NotYet',
    `${name} is told to end, and its last instances are not gone yet`,
  );
}

/** A task definition, or a launch template, that is left over does no harm: that it cannot be taken away does not change how the deployment ends. */
async function forget({ settings, to }: Plan, fleet: Fleet): Promise<void> {
  try {
    await fleet.forget(settings, to);
  } catch (failure) {
    if (!(failure instanceof CutoverError)) throw failure;
  }
}

/** What never had weight is not asked about: whoever tested it by header does not keep it. */
async function refuseWhileReached(
  plan: Plan,
  { withdrawnAt }: Deployment,
  ports: TerminatePorts,
): Promise<void> {
  if (withdrawnAt === null) return;
  const { settings, to } = plan;
  const requests = await lingeringRequests(settings.traffic, to, withdrawnAt, ports);
  if (requests === 0) return;
  await tellOnce(plan, reachedInWords(to, withdrawnAt, ports.now()), ports);
  throw new CutoverError(
    'Cutover.NotYet',
    `${to.name} is not ended yet: its slot ${to.slot} had ${requests} requests in the last minute that is counted`,
  );
}

/** Why it is not ended, once it has lasted: the service takes no push until then. */
async function tellOnce(
  plan: Plan,
  why: string | null,
  { ledger }: Pick<TerminatePorts, 'ledger'>,
): Promise<void> {
  if (why !== null)
    await ledger.change(plan.settings.service, (item) => ({ item: stillReached(item, plan, why) }));
}

/** What ends here is told as restored: the traffic must be where it was, also when somebody wrote the rule meanwhile. */
async function refuseWhileAstray(traffic: Traffic, { settings, weightsBefore, to }: Plan): Promise<void> {
  const found = await traffic.weights(settings.traffic, weightsBefore);
  if (sameWeights(found, weightsBefore)) return;
  throw new CutoverError(
    'Cutover.Guarded',
    `${to.name} is not ended: Cutover put back ${inWords(weightsBefore)}, the rule has ${inWords(found)}`,
  );
}

/**
 * The generation that serves must be seen healthy before the other one ends. One of which nothing was ever launched keeps nobody
 * from the next push, which may be what mends the first.
 */
async function refuseWithoutOther(
  { settings, from, to }: Plan,
  { withdrawnAt }: Deployment,
  { traffic, fleet }: Pick<TerminatePorts, 'traffic' | 'fleet'>,
): Promise<void> {
  if (from === null) return;
  const targets = await traffic.targets(settings.traffic, from.slot);
  if (targets.some(({ state }) => state === 'healthy')) return;
  const reserve = await traffic.targets(settings.traffic, to.slot);
  const isEmpty = reserve.every(({ state }) => state === 'draining');
  // What had the traffic once may be without targets for a moment, while its instances are replaced.
  if (isEmpty && (withdrawnAt === null || !(await fleet.wanted(settings, to)))) return;
  throw new CutoverError(
    'Cutover.Guarded',
    `${to.name} is not ended: ${from.name}, which has the traffic, has no healthy target`,
  );
}

/** Re-read right before what cannot be undone: a weight above zero, or one that cannot be read, forbids it. */
export async function refuseWhileWeighted(
  traffic: Traffic,
  settings: TrafficSettings,
  generation: Generation,
): Promise<void> {
  const weight = (await traffic.weights(settings))[generation.slot] ?? 0;
  if (weight === 0) return;
  throw new CutoverError(
    'Cutover.Guarded',
    `${generation.name} is not ended: its slot ${generation.slot} has weight ${weight} in ${settings.rule}`,
  );
}
