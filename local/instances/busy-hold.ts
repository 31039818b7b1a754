/** A script's claim on the clock: at the wall's speed while it runs, but not while all it does is sleep by the clock. */
import type { Clock } from '../clock.ts';

export class BusyHold {
  readonly #clock: Clock;
  #release: (() => void) | undefined;
  #sleeping = 0;
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running = true;
    this.#fit();
    try {
      return await work();
    } finally {
      this.#running = false;
      this.#fit();
    }
  }

  async sleep(ms: number): Promise<void> {
    this.#sleeping += 1;
    this.#fit();
    await this.#clock.sleep(ms);
    this.#sleeping -= 1;
    this.#fit();
  }

  #fit(): void {
    if (!this.#running || this.#sleeping > 0) {
      this.#release?.();
      this.#release = undefined;
      return;
    }
    if (this.#release !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    void this.#clock.busy(() => promise);
  }
}
