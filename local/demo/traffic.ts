/** Steady HTTP traffic through the load balancer, in requests per second of the embedded AWS's clock. */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import type { TrafficCounts } from './traffic-worker.ts';

export interface TrafficOptions {
  readonly clock: Clock;
  /** With the path that is asked for. */
  readonly url: string;
  readonly requestsPerSecond: number;
}

/** How often, on the wall, the requests that have become due are handed to the worker. */
const tickMs = 20;

export class Traffic {
  readonly #worker: Worker;
  readonly #timer: NodeJS.Timeout;
  #stopped: Promise<TrafficCounts> | undefined;
  #counts: TrafficCounts = { total: 0, lost: 0, failed: 0, byVersion: {}, losses: [] };

  constructor({ clock, url, requestsPerSecond }: TrafficOptions) {
    this.#worker = new Worker(new URL('traffic-worker.ts', import.meta.url), { workerData: { url } });
    this.#worker.on('message', (counts: TrafficCounts) => {
      this.#counts = counts;
    });
    let last = clock.now();
    let owed = 0;
    this.#timer = setInterval(() => {
      const now = clock.now();
      owed += ((now - last) / 1_000) * requestsPerSecond;
      last = now;
      const due = Math.floor(owed);
      owed -= due;
      if (due > 0) this.#worker.postMessage({ send: due, overMs: tickMs });
    }, tickMs);
  }

  get counts(): TrafficCounts {
    return this.#counts;
  }

  /** Sends no more, waits for the answers that are still to come, and ends. */
  stop(): Promise<TrafficCounts> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<TrafficCounts> {
    clearInterval(this.#timer);
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage({ stop: true });
    await ended;
    return this.#counts;
  }
}
