/** A rollback is a deployment whose plan goes back: to the last generation that was proven good, never merely the previous one. */
import * as z from 'zod';
import { type Generation, imageName } from '../fleet/generation.ts';
import type { Held, ServiceItem } from '../ledger/service-item.ts';
import { type Digest, serviceName, shortDigest } from '../names.ts';
import { admittedBefore, type Decided, recordIntake, retiring } from './admission.ts';
import {
  type Beginning,
  begin,
  chooseSlot,
  type Destination,
  nextGeneration,
  noSlotFree,
  unfitRule,
} from './deployment-start.ts';
import { type Strategy, strategySchema } from './strategy.ts';

/** What a person gives the rollback machine: `{"service":"web"}`, and more when wanted. */
export const rollbackOrder = z.strictObject({
  service: serviceName,
  to: z
    .union([z.int().min(1), z.string().min(1)])
    .optional()
    .describe(
      'a generation by number or name, a tag, or a digest; default: the last one that was proven good',
    ),
  reason: z.string().min(1).max(500).default('no reason given'),
  by: z.string().min(1).max(200).default('somebody'),
  strategy: strategySchema.optional().describe('default: all at once'),
});
type RollbackOrder = z.infer<typeof rollbackOrder>;

const atOnce: Strategy = { kind: 'allAtOnce', bakeSeconds: 0 };

export interface RollbackOffer extends Beginning {
  readonly order: RollbackOrder;
  /** Which of the images that were asked for can still be pulled; nothing is known of the others. */
  readonly pullable: ReadonlyMap<Digest, boolean>;
}

export function admitRollback(item: ServiceItem, offer: RollbackOffer): Decided {
  const again = admittedBefore(item, offer.execution);
  if (again !== undefined) return { item, admission: again };

  const { order, execution, now } = offer;
  const { owner, deployment } = item;
  if (owner !== null && deployment?.outcome !== null) throw retiring(owner.execution);
  const found = destinationOf(item, offer);
  if ('ask' in found) return unasked(item, found.ask);
  const intake = { id: execution.arn, direction: 'back' as const, at: now, execution: execution.arn };
  if ('refusal' in found) {
    const reason = found.refusal;
    return {
      item: recordIntake(item, { ...intake, image: null, admission: 'rejected', reason }),
      admission: { admission: 'rejected', plan: null, reason, notBefore: null },
    };
  }
  const { to, kept } = found;
  const reason = `back to ${to.name} (${imageName(to)})${kept ? '' : ', launched anew'}, by ${order.by}: ${order.reason}`;
  const begun = begin(item, offer, found, { push: null, order: { by: order.by, reason: order.reason } });
  return {
    item: recordIntake(begun.item, { ...intake, image: imageName(to), admission: 'admitted', reason }),
    admission: { admission: 'admitted', plan: begun.plan, reason, notBefore: null },
  };
}

function unasked(item: ServiceItem, ask: readonly Digest[]): Decided {
  const reason = 'it is not known whether the image can still be pulled';
  return { item, ask, admission: { admission: 'rejected', plan: null, reason, notBefore: null } };
}

/** What a rollback may go to, the one that was live last first: proven, not live, not held. */
export function waysBack(item: ServiceItem): readonly Generation[] {
  return item.proven
    .filter((each) => each.name !== item.live?.name && holdOf(item, each) === undefined)
    .toReversed();
}

function holdOf({ held }: ServiceItem, { digest }: Generation): Held | undefined {
  return held.find((each) => each.digest === digest);
}

/** What a rollback goes to unless it is told: the same image again would mend nothing. */
export function defaultWayBack(item: ServiceItem): Generation | undefined {
  return waysBack(item).find(({ digest }) => digest !== item.live?.digest);
}

function destinationOf(
  item: ServiceItem,
  offer: RollbackOffer,
): Destination | { readonly refusal: string } | { readonly ask: readonly Digest[] } {
  const { order, settings } = offer;
  if (item.owner !== null) {
    const holder = `${item.deployment?.plan.deployment} holds the service`;
    if (item.deployment?.phase === 'restoring')
      return {
        refusal: `${holder} and goes back already. Order again when it has ended. It runs as ${item.owner.execution}`,
      };
    return {
      refusal: `${holder}. To end it now, invoke the signal function with {"service":"${item.service}","signal":"abort","by":"…"}: it goes back by itself. It runs as ${item.owner.execution}`,
    };
  }
  if (item.live === null)
    return { refusal: `${item.service} has no live generation that one could go back from` };
  const unfit = unfitRule(item, offer);
  if (unfit !== undefined) return { refusal: unfit };
  const target = targetOf(item, order.to);
  if ('refusal' in target) return target;

  const strategy = order.strategy ?? atOnce;
  const warm = item.retained.find(({ generation }) => generation.name === target.name);
  if (warm !== undefined)
    return { direction: 'back', to: warm.generation, kept: true, copyOf: null, strategy };
  const slot = chooseSlot(item, offer);
  if (slot === undefined) return { refusal: noSlotFree(item, offer) };
  // Asked together, for a refusal names those that are left. What is kept warm asks nothing of the registry.
  const pullable = offer.pullable.get(target.digest);
  if (pullable === undefined) return { ask: [target, ...waysBack(item)].map(({ digest }) => digest) };
  if (!pullable) return { refusal: imageGone(item, target, offer.pullable) };
  return {
    direction: 'back',
    to: nextGeneration(item, settings, slot, target),
    kept: false,
    copyOf: target,
    strategy,
  };
}

function imageGone(item: ServiceItem, target: Generation, pullable: ReadonlyMap<Digest, boolean>): string {
  const left = waysBack(item).filter(
    ({ name, digest }) =>
      item.retained.some(({ generation }) => generation.name === name) || pullable.get(digest) === true,
  );
  return `${target.name} (${imageName(target)}) must be launched anew, but its image ${shortDigest(target.digest)} is not in ${target.repository} any more. ${oneCanGoBackTo(item, left)}`;
}

function oneCanGoBackTo(item: ServiceItem, ways: readonly Generation[]): string {
  const named = (generations: readonly Generation[]): string =>
    generations.map((each) => `${each.name} (${imageName(each)})`).join(', ');
  const choices = `One can go back to: ${ways.length === 0 ? 'none' : named(ways)}`;
  const kept = item.proven.filter(
    (each) => each.name !== item.live?.name && holdOf(item, each) !== undefined,
  );
  if (ways.length > 0 || kept.length === 0) return choices;
  return `${choices}. Held since a rollback left them, until released by the signal {"service":"${item.service}","signal":"release","by":"…"}: ${named(kept)}`;
}

function targetOf(item: ServiceItem, to: RollbackOrder['to']): Generation | { readonly refusal: string } {
  const ways = waysBack(item);
  const canGoBackTo = oneCanGoBackTo(item, ways);
  if (to === undefined) {
    const other = defaultWayBack(item);
    if (other !== undefined) return other;
    return {
      refusal: `${item.service} has no other image that was proven good and may be gone back to. ${canGoBackTo}`,
    };
  }
  const live = item.live === null ? [] : [item.live];
  const found = named([...live, ...ways, ...item.proven.toReversed()], to);
  if (found === undefined)
    return { refusal: `${to} is no generation of ${item.service} that was proven good. ${canGoBackTo}` };
  if (found === item.live) {
    return { refusal: `${found.name} (${imageName(found)}) is live already. ${canGoBackTo}` };
  }
  const hold = holdOf(item, found);
  if (hold === undefined) return found;
  return {
    refusal: `${found.name} (${imageName(found)}) has the digest ${shortDigest(found.digest)}, which is held since ${hold.by} went back from ${hold.generation} (${hold.reason}); release it first: {"service":"${item.service}","signal":"release","by":"…"}. ${canGoBackTo}`,
  };
}

/** A tag may look like a number: what is written out in full counts before what is short. */
const readings: readonly ((generation: Generation) => readonly (string | number)[])[] = [
  ({ name, digest }) => [name, digest],
  ({ tag }) => [tag],
  ({ number }) => [number, String(number), `g${number}`],
];

function named(candidates: readonly Generation[], to: string | number): Generation | undefined {
  for (const reading of readings) {
    const found = candidates.find((each) => reading(each).includes(to));
    if (found !== undefined) return found;
  }
  return undefined;
}
