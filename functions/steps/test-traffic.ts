/** Where a service has a test listener: which generation it leads to. Writes its rule; a repeat writes nothing. */
import type { SlotName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { splitBetween } from '../core/traffic/weights.ts';
import type { Traffic } from '../ports/traffic.ts';

/** Whatever the rule has: tests are nobody's production, so nobody's change of them is worth a hold. */
export async function aimTestTraffic(
  { traffic: settings }: ServiceSettings,
  slot: SlotName,
  traffic: Pick<Traffic, 'weights' | 'shift'>,
): Promise<void> {
  if (settings.testRule === null) return;
  const test = { ...settings, rule: settings.testRule };
  const slots = settings.slots.map(({ name }) => name);
  await traffic.shift(test, await traffic.weights(test), splitBetween(slots, slot, undefined, 100));
}
