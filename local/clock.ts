/**
 * The clock of the embedded AWS. Everything in `local/` that tells the time or waits does so through a `Clock`,
 * never through `Date` or `setTimeout`: the real world fast-forwards it, a simulated world makes it virtual.
 */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch, on this clock. */
  now(): number;
  /** Runs `run` once, `ms` milliseconds of this clock from now. A rejection reaches `onFailure`. */
  after(ms: number, run: () => void | Promise<void>): Timer;
  /** Resolves `ms` milliseconds of this clock from now. */
  sleep(ms: number): Promise<void>;
  /**
   * Work in flight: until the returned promise settles the clock runs at the wall's speed. Wrap each invocation of a
   * function, each state transition, each delivery of an event and each write that someone waits for.
   */
  busy<T>(work: () => T | Promise<T>): Promise<T>;
}

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

/**
 * Wall time plus an offset. The offset grows at (speed - 1) times the wall's rate while nothing is in flight, so idle
 * time is shortened and the time that our own code takes is not multiplied. Worker threads share the offset
 * (`shared`): they run only while something is in flight, when it stands still, so all see one consistent `Date`.
 */
export class FastForwardClock implements Clock {
  /** One float64: milliseconds to add to the wall's `Date.now()` in a worker thread. */
  readonly shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
  #speed: number;
  readonly #offset = new Float64Array(this.shared);
  readonly #onFailure: (failure: unknown) => void;
  #inFlight = 0;
  #settledAt = Date.now();
  #pending: Pending[] = [];
  #orders = 0;
  #armed: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: { speed: number; onFailure: (failure: unknown) => void }) {
    this.#speed = options.speed;
    this.#onFailure = options.onFailure;
  }

  get speed(): number {
    return this.#speed;
  }

  /** From now on, also for what is pending: 1 is the wall's own speed. */
  set speed(speed: number) {
    this.#settle();
    this.#speed = speed;
    this.#arm();
  }

  now(): number {
    this.#settle();
    return this.#settledAt + this.#offset[0]!;
  }

  after(ms: number, run: () => void | Promise<void>): Timer {
    const pending: Pending = { due: this.now() + Math.max(0, ms), order: this.#orders++, run };
    const at = this.#pending.findIndex((other) => other.due > pending.due);
    this.#pending.splice(at === -1 ? this.#pending.length : at, 0, pending);
    if (this.#pending[0] === pending) this.#arm();
    return {
      cancel: () => {
        const index = this.#pending.indexOf(pending);
        if (index === -1) return;
        this.#pending.splice(index, 1);
        if (index === 0) this.#arm();
      },
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  async busy<T>(work: () => T | Promise<T>): Promise<T> {
    this.#settle();
    this.#inFlight += 1;
    if (this.#inFlight === 1) this.#arm();
    try {
      return await work();
    } finally {
      this.#settle();
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#arm();
    }
  }

  /** Forgets what is pending; nothing more runs on this clock. */
  stop(): void {
    this.#stopped = true;
    this.#pending = [];
    clearTimeout(this.#armed);
  }

  #settle(): void {
    const wall = Date.now();
    const elapsed = Math.max(0, wall - this.#settledAt);
    if (this.#inFlight === 0) this.#offset[0] = this.#offset[0]! + elapsed * (this.#speed - 1);
    this.#settledAt = wall;
  }

  #arm(): void {
    clearTimeout(this.#armed);
    const next = this.#pending[0];
    if (next === undefined || this.#stopped) return;
    const remaining = Math.max(0, next.due - this.now());
    this.#armed = setTimeout(
      () => this.#fire(),
      Math.ceil(remaining / (this.#inFlight === 0 ? this.#speed : 1)),
    );
  }

  #fire(): void {
    while (!this.#stopped) {
      const next = this.#pending[0];
      if (next === undefined || next.due > this.now()) break;
      this.#pending.shift();
      void (async () => next.run())().catch(this.#onFailure);
    }
    this.#arm();
  }
}
