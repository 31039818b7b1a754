/** How long a generation that is no longer live stays warm, how large, and which are due to go. */

import type { Unit } from '../fleet/unit.ts';
import type { ServiceItem } from '../ledger/service-item.ts';
import { endingInWords, reachedInWords } from '../traffic/quiet.ts';
import type { Plan } from './plan.ts';

export type Retained = ServiceItem['retained'][number];

/**
 * The replaced generation is kept for the service's retention. One slot must stay free for the next deployment, so of
 * `n` slots at most `n - 2` hold retained generations: those that were live longest ago, beyond that, are due at once.
 */
export function afterPromotion(retained: readonly Retained[], plan: Plan, now: number): Retained[] {
  const { from, settings } = plan;
  // A rollback makes a retained generation live again.
  const others = retained.filter(({ generation }) => generation.name !== plan.to.name);
  const all =
    from === null
      ? others
      : [
          ...others,
          {
            generation: from,
            until: now + settings.retentionSeconds * 1_000,
            fullUntil: settings.retentionFloor === null ? null : now,
            reachedSince: null,
            remark: null,
          },
        ];
  const room = settings.traffic.slots.length - 2;
  const tooMany = all.length - room;
  return all.map((each, index) => (index < tooMany ? { ...each, until: Math.min(each.until, now) } : each));
}

/** Which are to be ended. */
export function due(retained: readonly Retained[], now: number): Retained[] {
  return retained.filter(({ until }) => until <= now);
}

/** Which are to be ended or made smaller. */
export function dueForVisit(retained: readonly Retained[], now: number): Retained[] {
  return retained.filter((each) => visitAt(each) <= now);
}

/** A rollback goes to it: it grows to what live has, and becomes small again only if the rollback fails. */
export function fullAgain(retained: readonly Retained[], { to, settings }: Plan, now: number): Retained[] {
  const fullUntil = settings.retentionFloor === null ? null : now;
  return retained.map((each) => (each.generation.name === to.name ? { ...each, fullUntil } : each));
}

/** How soon to look again at what has lasted so long: ever more rarely, for an execution's history is finite. */
export function againMs(lastedMs: number): number {
  return Math.max(60_000, Math.ceil(lastedMs / 50));
}

/** Due, but requests still reach it: it stays until they stop. */
export function putOff(each: Retained, now: number): Retained {
  const reachedSince = each.reachedSince ?? now;
  const again = now + againMs(now - reachedSince);
  return {
    ...each,
    reachedSince,
    remark: reachedInWords(each.generation, reachedSince, now),
    until: Math.max(each.until, again),
    fullUntil: each.fullUntil === null ? null : Math.max(each.fullUntil, again),
  };
}

/** Due, and told to end, but some of it is not gone yet. */
export function stillEnding(each: Retained, unit: Unit, now: number): Retained {
  const { generation, until: since } = each;
  const remark = endingInWords(generation, unit, since, now, `it keeps its slot ${generation.slot}`);
  return { ...each, reachedSince: since, remark };
}

/** Its time is over: it is ended at the next visit, unless requests reach it still. */
export function isOver({ until, reachedSince }: Retained, now: number): boolean {
  return until <= now || (reachedSince !== null && until <= now + againMs(now - reachedSince));
}

/** It is as small as the service wants it. */
export function small(each: Retained): Retained {
  return { ...each, fullUntil: null, reachedSince: null, remark: null };
}

/** When the next one is to be ended or made smaller; null when none is kept. */
export function nextVisit(retained: readonly Retained[]): number | null {
  return retained.length === 0 ? null : Math.min(...retained.map(visitAt));
}

function visitAt({ until, fullUntil }: Retained): number {
  return Math.min(until, fullUntil ?? until);
}
