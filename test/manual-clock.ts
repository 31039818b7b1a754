import type { Clock, Timer } from '../local/clock.ts';

interface Pending {
  readonly due: number;
  readonly run: () => void | Promise<void>;
}

/** Lets everything that needs no timer settle: several turns of the event loop. */
export async function settled(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that moves only when told to. */
export class ManualClock implements Clock {
  #now: number;
  #pending: Pending[] = [];
  #sleeping = 0;

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void | Promise<void>): Timer {
    const pending = { due: this.#now + Math.max(0, ms), run };
    const at = this.#pending.findIndex((other) => other.due > pending.due);
    this.#pending.splice(at === -1 ? this.#pending.length : at, 0, pending);
    return {
      cancel: () => {
        this.#pending = this.#pending.filter((other) => other !== pending);
      },
    };
  }

  sleep(ms: number): Promise<void> {
    this.#sleeping += 1;
    return new Promise((resolve) => {
      this.after(ms, () => {
        this.#sleeping -= 1;
        resolve();
      });
    });
  }

  async busy<T>(work: () => T | Promise<T>): Promise<T> {
    return work();
  }

  /** Runs what is due in the next `ms`, in order, letting what each timer started settle before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#pending[0];
      if (next === undefined || next.due > end) break;
      this.#pending.shift();
      this.#now = next.due;
      await this.#ran(next);
      await settled();
    }
    this.#now = end;
    await settled();
  }

  /** Until it has run, or sleeps on this clock: then only time can help it. */
  async #ran(timer: Pending): Promise<void> {
    let done = false;
    const ran = (async () => timer.run())().finally(() => {
      done = true;
    });
    while (!done) {
      await Promise.race([ran, settled()]);
      if (this.#sleeping > 0) return;
    }
  }
}
