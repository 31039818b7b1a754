/** What the sweep does with a service's fleet: tells of what bears our tags and is referenced by nothing. Ends nothing. */
import { isNews, notingOrphans } from '../core/fleet/orphans.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

export interface LookAfterFleetPorts {
  readonly ledger: Pick<Ledger, 'change'>;
  readonly fleet: Pick<Fleet, 'standing'>;
  readonly now: Now;
}

export async function lookAfterFleet(
  item: ServiceItem,
  settings: ServiceSettings,
  { ledger, fleet, now }: LookAfterFleetPorts,
): Promise<void> {
  const found = await fleet.standing(settings, (each) => isNews(item, each));
  if (found.length === 0) return;
  // Decided on the item as it is by then: a deployment may have begun since.
  await ledger.change(settings.service, (current) => ({ item: notingOrphans(current, found, now()) }));
}
