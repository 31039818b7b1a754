import type { SlotName } from '../core/names.ts';
import type { Minute } from '../core/quiet.ts';
import type { TrafficSettings } from '../core/service-settings.ts';

/** Requests as the load balancer counts them. */
export interface Requests {
  /** The minutes from `from` until before `to`, in no order; those without any count may be missing. */
  perMinute(settings: TrafficSettings, slot: SlotName, from: number, to: number): Promise<readonly Minute[]>;
}
