import type { SlotMinute } from '../core/gates/comparison.ts';
import type { SlotName } from '../core/names.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import type { Minutes } from '../core/traffic/counted-minutes.ts';
import type { Minute } from '../core/traffic/quiet.ts';

/** Requests as the load balancer counts them. */
export interface Requests {
  /** In no order; minutes without any count may be missing. */
  perMinute(settings: TrafficSettings, slot: SlotName, minutes: Minutes): Promise<readonly Minute[]>;
  /** Seconds that one of ten requests takes longer than, in a typical one of the minutes; undefined without requests. */
  slowTime(settings: TrafficSettings, slot: SlotName, minutes: Minutes): Promise<number | undefined>;
  /** For each of the slots, in their order, the minutes that had requests, in no order. */
  slotMinutes(
    settings: TrafficSettings,
    slots: readonly SlotName[],
    minutes: Minutes,
    slowAboveSeconds: number | undefined,
  ): Promise<readonly (readonly SlotMinute[])[]>;
}
