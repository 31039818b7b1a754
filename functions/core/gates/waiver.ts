/**
 * An audited override: to fix forward, or in a freeze, somebody answers for the next push. Nothing else is waived: what was red
 * before counts again once it was green, and every other gate says what it says.
 */
import type { Deployment, ServiceItem, Waiver } from '../ledger/service-item.ts';

/** One that is forgotten must not let a push pass on another day. */
const waiverMs = 3_600_000;

export function waiverFor({ waiver }: ServiceItem, now: number): Waiver | null {
  return waiver !== null && now < waiver.at + waiverMs ? waiver : null;
}

export function waiverEnds({ at }: Waiver): number {
  return at + waiverMs;
}

/** A push that waits for a freeze to end is offered at once. */
export function waiving(
  item: ServiceItem,
  waiver: Waiver,
): { readonly item: ServiceItem; readonly remark: string } {
  if (item.version === 0) return { item, remark: 'nothing was ever pushed to a service of that name' };
  const pending = item.pending === null ? null : { ...item.pending, notBefore: null };
  const until = new Date(waiverEnds(waiver)).toISOString();
  return {
    item: { ...item, waiver, pending },
    remark: `red alarms and freezes do not keep the next push until ${until}`,
  };
}

/** Alarms that are red since before then do not count; null: all that are red do. */
export function excusedBefore({ plan, waiver, startedAt }: Deployment): number | null {
  return waiver !== null || plan.settings.alarmPolicy.redAtStart === 'ignore' ? startedAt : null;
}
