/** Requests that still reach a generation without weight. */
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import { countedMinutes, lingering } from '../core/traffic/quiet.ts';
import type { Requests } from '../ports/requests.ts';
import type { Now } from './clock.ts';

export interface LingeringPorts {
  readonly requests: Pick<Requests, 'perMinute'>;
  readonly now: Now;
}

/** In the newest minute that tells. What cannot be read tells nothing: the time that was waited has to do. */
export async function lingeringRequests(
  settings: TrafficSettings,
  { slot }: Generation,
  since: number,
  { requests, now }: LingeringPorts,
): Promise<number> {
  try {
    return lingering(await requests.perMinute(settings, slot, countedMinutes(since, now())));
  } catch (unreadable) {
    if (unreadable instanceof CutoverError) return 0;
    throw unreadable;
  }
}
