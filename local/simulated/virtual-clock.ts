/**
 * Time that passes only when nothing is left to do: timers fire one after the other, each when all that the one before it
 * set going has come to rest. Functions and SDK clients run in the same process, so `Date` and the timers are replaced for
 * the whole of it: one virtual clock at a time.
 */
import { type Clock as FakeClock, install } from '@sinonjs/fake-timers';
import type { Clock, Timer } from '../clock.ts';

/** So many timers at one instant mean that something sets itself going for ever. */
const maximumAtOneInstant = 100_000;

export class VirtualClock implements Clock {
  readonly #fake: FakeClock;
  readonly #onFailure: (failure: unknown) => void;

  /** `start`: milliseconds since the epoch. */
  constructor(options: { readonly start: number; readonly onFailure: (failure: unknown) => void }) {
    this.#onFailure = options.onFailure;
    this.#fake = install({
      now: options.start,
      // Immediates, microtasks and I/O stay real: the clock waits for them.
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    });
  }

  now(): number {
    return this.#fake.now;
  }

  after(ms: number, run: () => void | Promise<void>): Timer {
    const timer = this.#fake.setTimeout(
      () => void (async () => run())().catch(this.#onFailure),
      Math.max(0, Math.ceil(ms)),
    );
    return { cancel: () => this.#fake.clearTimeout(timer) };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  async busy<T>(work: () => T | Promise<T>): Promise<T> {
    return work();
  }

  /**
   * Lets time pass until `done` says so; `afterEach` is called whenever all has come to rest. Throws when it comes to rest for
   * good before that, or when `limitMs` of the clock are over.
   */
  async pass(done: () => boolean, limitMs: number, afterEach: () => void = () => {}): Promise<void> {
    const limit = this.now() + limitMs;
    let instant = this.now();
    let fired = 0;
    for (;;) {
      await rest();
      afterEach();
      if (done()) return;
      if (this.#fake.countTimers() === 0) throw new Error('nothing is left that could happen');
      if (this.now() >= limit) throw new Error(`${limitMs / 1_000} s of the virtual clock are over`);
      this.#fake.next();
      fired = this.now() === instant ? fired + 1 : 0;
      instant = this.now();
      if (fired > maximumAtOneInstant)
        throw new Error(`time stands still at ${new Date(instant).toISOString()}`);
    }
  }

  /** Gives the real time back. */
  uninstall(): void {
    this.#fake.uninstall();
  }
}

/** What may be open for as long as it likes: the process's own pipes, ports and real timers. */
const idle =
  /^(?:Timeout|TTYWrap|PipeWrap|Pipe|MessagePort|TCPServerWrap|TCPSocketWrap|Worker|SignalWrap|ProcessWrap)$/;

/** Resolves when no promise, immediate, file or module is under way. */
async function rest(): Promise<void> {
  do await new Promise<void>((resolve) => void setImmediate(resolve));
  while (process.getActiveResourcesInfo().some((what) => !idle.test(what)));
}
