/** A rollback is a deployment whose plan goes back: to the last generation that was proven good, never merely the previous one. */
import * as z from 'zod';
import { admittedBefore, type Decided, recordIntake } from './admission.ts';
import {
  type Beginning,
  begin,
  chooseSlot,
  type Destination,
  nextGeneration,
  noSlotFree,
  unfitRule,
} from './deployment-start.ts';
import { type Generation, imageName } from './generation.ts';
import { serviceName } from './names.ts';
import type { ServiceItem } from './service-item.ts';
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
export type RollbackOrder = z.infer<typeof rollbackOrder>;

const atOnce: Strategy = { kind: 'allAtOnce', bakeSeconds: 0 };

export function admitRollback(
  item: ServiceItem,
  offer: Beginning & { readonly order: RollbackOrder },
): Decided {
  const again = admittedBefore(item, offer.execution);
  if (again !== undefined) return { item, admission: again };

  const { order, execution, now } = offer;
  const found = destinationOf(item, offer);
  const intake = { id: execution.arn, at: now, execution: execution.arn };
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

/** What a rollback may go to, the newest first: proven, not live, not held. */
export function waysBack(item: ServiceItem): readonly Generation[] {
  const held = new Set<string>(item.held.map(({ digest }) => digest));
  return item.proven.filter(({ name, digest }) => name !== item.live?.name && !held.has(digest)).toReversed();
}

function destinationOf(
  item: ServiceItem,
  offer: Beginning & { readonly order: RollbackOrder },
): Destination | { readonly refusal: string } {
  const { order, settings } = offer;
  const running = item.deployment;
  if (item.owner !== null) {
    const what = running === null || running.outcome !== null ? 'a retirement' : running.plan.deployment;
    return {
      refusal: `${what} holds the service. To end a deployment now, invoke the signal function with {"service":"${item.service}","signal":"abort","by":"…"}: it goes back by itself. It runs as ${item.owner.execution}`,
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
  return {
    direction: 'back',
    to: nextGeneration(item, settings, slot, target),
    kept: false,
    copyOf: target,
    strategy,
  };
}

function targetOf(item: ServiceItem, to: RollbackOrder['to']): Generation | { readonly refusal: string } {
  const ways = waysBack(item);
  const choices =
    ways.length === 0 ? 'none' : ways.map((each) => `${each.name} (${imageName(each)})`).join(', ');
  if (to === undefined) {
    return (
      ways[0] ?? { refusal: `${item.service} has no generation that was proven good and may be gone back to` }
    );
  }
  if (item.live !== null && isNamed(item.live, to)) {
    return {
      refusal: `${item.live.name} (${imageName(item.live)}) is live already. One can go back to: ${choices}`,
    };
  }
  const found = ways.find((each) => isNamed(each, to));
  return (
    found ?? {
      refusal: `${to} is no generation of ${item.service} that was proven good. One can go back to: ${choices}`,
    }
  );
}

function isNamed({ number, name, tag, digest }: Generation, to: string | number): boolean {
  return [number, name, tag, digest, String(number), `g${number}`].includes(to as never);
}
