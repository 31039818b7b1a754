/**
 * Every call that reached the embedded AWS: kept up to a bound, open to questions, to listeners, and to hooks that hold
 * or fail a call at an exact point. A test breaks the world here instead of sleeping and hoping.
 */
import type { Principal } from '../call.ts';

export interface PendingCall {
  readonly requestId: string;
  /** On the embedded AWS's clock. */
  readonly at: number;
  /** The signing name. */
  readonly service: string;
  readonly operation: string;
  readonly principal: Principal;
  /** ARNs acted on, or `*`. */
  readonly resources: readonly string[];
  /** In the SDK's shape; for raw services what they read. */
  readonly input: unknown;
}

export interface CallRecord extends Omit<PendingCall, 'input'> {
  /** The error's code, when the call failed. */
  readonly error?: string;
  readonly durationMs: number;
}

/**
 * Runs around each call that is allowed. What `before` throws is the call's answer, without effect: an `AwsError`
 * (throttled, 500), or `ConnectionLost`. What `after` throws replaces the answer of a call that took effect.
 * A promise that stays open holds the call.
 */
export interface Hook {
  before?(call: PendingCall): void | Promise<void>;
  after?(call: PendingCall): void | Promise<void>;
}

export interface CallFilter {
  readonly service?: string;
  readonly operation?: string;
  /** Calls that ended at or after this time are given. */
  readonly since?: number;
}

const defaultCapacity = 100_000;

export class CallLog {
  readonly #capacity: number;
  readonly #records: CallRecord[] = [];
  /** Where the next record goes once the log is full: the oldest one's place. */
  #next = 0;
  readonly #hooks = new Set<Hook>();
  readonly #listeners = new Set<(record: CallRecord) => void>();

  constructor(options: { capacity?: number } = {}) {
    this.#capacity = options.capacity ?? defaultCapacity;
  }

  /** Adds a hook; the returned function takes it away. */
  hook(hook: Hook): () => void {
    this.#hooks.add(hook);
    return () => void this.#hooks.delete(hook);
  }

  /** Calls `listener` with each finished call; the returned function ends that. */
  subscribe(listener: (record: CallRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Finished calls, oldest first. */
  records(filter: CallFilter = {}): CallRecord[] {
    const ordered = [...this.#records.slice(this.#next), ...this.#records.slice(0, this.#next)];
    return ordered.filter(
      (record) =>
        (filter.service === undefined || record.service === filter.service) &&
        (filter.operation === undefined || record.operation === filter.operation) &&
        (filter.since === undefined || record.at + record.durationMs >= filter.since),
    );
  }

  async before(call: PendingCall): Promise<void> {
    for (const hook of this.#hooks) await hook.before?.(call);
  }

  async after(call: PendingCall): Promise<void> {
    for (const hook of this.#hooks) await hook.after?.(call);
  }

  record(record: CallRecord): void {
    if (this.#records.length < this.#capacity) this.#records.push(record);
    else {
      this.#records[this.#next] = record;
      this.#next = (this.#next + 1) % this.#capacity;
    }
    for (const listener of this.#listeners) listener(record);
  }
}
