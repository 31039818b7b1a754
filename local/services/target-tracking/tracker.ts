/** Looks each minute at the alarms of target tracking and moves what they are about. */
import type { Clock } from '../../clock.ts';
import { EachMinute } from './each-minute.ts';
import { inward, type Movement, outward } from './movement.ts';
import type { Tracking } from './tracking.ts';
import type { TrackingAlarms } from './tracking-alarms.ts';

export interface Capacity {
  readonly current: number;
  /**
   * What the measured load was carried by: without what was added lately, which counts as part of what is needed. What it
   * is told by, cooldowns or warm-ups, is the service's own.
   */
  readonly base: number;
  readonly mayGrow: boolean;
  readonly mayShrink: boolean;
  readonly minimum: number;
  readonly maximum: number;
}

/** What is scaled by policies that track. */
export interface Tracked {
  readonly trackings: readonly Tracking[];
  /** Undefined when there is nothing that could be scaled. */
  capacity(): Capacity | undefined;
  /** Within its bounds. */
  move(movement: Movement): void;
}

export class Tracker {
  readonly #alarms: TrackingAlarms;
  readonly #minutes: EachMinute;

  constructor(options: { clock: Clock; alarms: TrackingAlarms; all: () => readonly Tracked[] }) {
    this.#alarms = options.alarms;
    this.#minutes = new EachMinute({
      clock: options.clock,
      look: () => {
        const tracked = options.all().filter(({ trackings }) => trackings.length > 0);
        for (const each of tracked) this.#look(each);
        return tracked.length > 0;
      },
    });
  }

  /** A policy was put. */
  wake(): void {
    this.#minutes.wake();
  }

  close(): void {
    this.#minutes.close();
  }

  #look(tracked: Tracked): void {
    const capacity = tracked.capacity();
    if (capacity === undefined) return;
    const { current, base, mayGrow, mayShrink, minimum, maximum } = capacity;
    const readings = this.#alarms.read(tracked.trackings);
    const out = mayGrow ? outward(current, base, readings) : undefined;
    const movement = out ?? (mayShrink ? inward(current, readings) : undefined);
    if (movement === undefined) return;
    const desired = Math.min(Math.max(movement.desired, minimum), maximum);
    // A bound that a person crossed by hand is no reason to move the other way.
    if (movement.direction === 'out' ? desired <= current : desired >= current) return;
    tracked.move({ ...movement, desired });
  }
}
