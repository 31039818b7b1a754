/** A script's claim on the clock: at the wall's speed while it runs, but not while all it does is wait for the clock or a container. */
import type { Clock } from '../clock.ts';

export class BusyHold {
  readonly #clock: Clock;
  #release: (() => void) | undefined;
  #waiting = 0;
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

  sleep(ms: number): Promise<void> {
    return this.idle(this.#clock.sleep(ms));
  }

  /** What the script waits for meanwhile. */
  async idle<T>(work: Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#fit();
    try {
      return await work;
    } finally {
      this.#waiting -= 1;
      this.#fit();
    }
  }

  #fit(): void {
    if (!this.#running || this.#waiting > 0) {
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
