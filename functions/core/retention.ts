/** How long a generation that is no longer live stays warm, and which are due to go. */
import type { Plan } from './plan.ts';
import type { ServiceItem } from './service-item.ts';

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
      : [...others, { generation: from, until: now + settings.retentionSeconds * 1_000 }];
  const room = settings.traffic.slots.length - 2;
  const tooMany = all.length - room;
  return all.map((each, index) => (index < tooMany ? { ...each, until: Math.min(each.until, now) } : each));
}

export function due(retained: readonly Retained[], now: number): Retained[] {
  return retained.filter(({ until }) => until <= now);
}

/**
 * How long a generation without weight may still be reached: AWS does not say how soon a rule's weights are applied
 * everywhere, users have seen more than 30 s (argo-rollouts#4595).
 */
export const quietHoldMs = 120_000;

/** When the next one is due; null when none is kept. */
export function nextDue(retained: readonly Retained[]): number | null {
  return retained.length === 0 ? null : Math.min(...retained.map(({ until }) => until));
}
