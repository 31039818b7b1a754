/** Takes the word of a person who was asked: what they changed by hand counts as written by us from then on. */
import { accepting } from '../core/deployment/hold.ts';
import type { Plan } from '../core/deployment/plan.ts';
import { running } from '../core/ledger/ownership.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';

/** The service item of a deployment that runs, with such a word taken. */
export async function accepted(
  item: ServiceItem,
  plan: Plan,
  { ledger, traffic }: { readonly ledger: Ledger; readonly traffic: Pick<Traffic, 'weights'> },
): Promise<ServiceItem> {
  if (running(item, plan).hold?.answer == null) return item;
  const { settings } = plan;
  const weights = await traffic.weights(settings.traffic);
  const decided = await ledger.change(settings.service, (now) => ({ item: accepting(now, plan, weights) }));
  return decided.item;
}
