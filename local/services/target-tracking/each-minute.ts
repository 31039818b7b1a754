/** Looks once a minute, just after what CloudWatch does at whole minutes, for as long as there is something to look at. */
import type { Clock, Timer } from '../../clock.ts';

const minuteMs = 60_000;
/** Metrics and alarms are seen at whole minutes; the look comes after them. */
const afterMinuteMs = 1_000;

export class EachMinute {
  readonly #clock: Clock;
  readonly #look: () => boolean;
  #next: Timer | undefined;

  /** `look` says whether there was anything to look at. */
  constructor(options: { clock: Clock; look: () => boolean }) {
    this.#clock = options.clock;
    this.#look = options.look;
  }

  wake(): void {
    if (this.#next !== undefined) return;
    const now = this.#clock.now();
    const minute = Math.floor((now - afterMinuteMs) / minuteMs) + 1;
    this.#next = this.#clock.after(minute * minuteMs + afterMinuteMs - now, () => {
      this.#next = undefined;
      if (this.#look()) this.wake();
    });
  }

  close(): void {
    this.#next?.cancel();
  }
}
