/** One task without a process: where it stands follows from the clock and from its behaviour. */
import type { Clock, Timer } from '../clock.ts';
import type { TaskExit, TaskSpec } from '../tasks/task.ts';
import type { Behaviour } from './behaviour.ts';

/** What one meets at a task's address. */
export type Condition =
  | { readonly kind: 'refusing' }
  | {
      readonly kind: 'listening';
      /** Otherwise it answers 503. */
      readonly ready: boolean;
      readonly errorShare: number;
      readonly latencyMs: number;
    };

interface End {
  readonly at: number;
  readonly exitCode: number;
}

/** SIGKILL: 128 + 9. */
const killed = 137;

export class ModelledTask {
  readonly spec: TaskSpec;
  readonly exited: Promise<TaskExit>;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #onChange: (task: ModelledTask) => void;
  readonly #exit: (exit: TaskExit) => void;
  #behaviour: Behaviour;
  #terminated: { readonly at: number; readonly killedAt: number } | undefined;
  #hasExited = false;
  #timer: Timer | undefined;

  /** `onChange` hears, right after, when the condition may have changed. */
  constructor(options: {
    clock: Clock;
    spec: TaskSpec;
    behaviour: Behaviour;
    onChange: (task: ModelledTask) => void;
  }) {
    const { promise, resolve } = Promise.withResolvers<TaskExit>();
    this.exited = promise;
    this.#exit = resolve;
    this.spec = options.spec;
    this.#clock = options.clock;
    this.#startedAt = options.clock.now();
    this.#behaviour = options.behaviour;
    this.#onChange = options.onChange;
    this.#await();
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  condition(): Condition {
    const now = this.#clock.now();
    if (this.#hasExited || now < this.#listensAt()) return { kind: 'refusing' };
    const { errorShare, latencyMs } = this.#behaviour;
    return { kind: 'listening', ready: now >= this.#readyAt(), errorShare, latencyMs };
  }

  alter(change: Partial<Behaviour>): void {
    this.#behaviour = { ...this.#behaviour, ...change };
    this.#pass();
  }

  /** SIGTERM now, SIGKILL `stopTimeoutMs` of the clock later. */
  stop(stopTimeoutMs: number): Promise<TaskExit> {
    const now = this.#clock.now();
    const killedAt = Math.min(now + stopTimeoutMs, this.#terminated?.killedAt ?? Number.POSITIVE_INFINITY);
    this.#terminated = { at: this.#terminated?.at ?? now, killedAt };
    this.#pass();
    return this.exited;
  }

  /** Nothing more happens. */
  close(): void {
    this.#hasExited = true;
    this.#timer?.cancel();
  }

  #listensAt(): number {
    return this.#startedAt + this.#behaviour.bootMs;
  }

  #readyAt(): number {
    const { healthyAfterMs } = this.#behaviour;
    return healthyAfterMs === 'never' ? Number.POSITIVE_INFINITY : this.#listensAt() + healthyAfterMs;
  }

  /** The first of what can end it. */
  #end(): End | undefined {
    const { crashAfterMs, exitCode = 1, stopMs } = this.#behaviour;
    const ends: End[] = [];
    if (crashAfterMs !== undefined) ends.push({ at: this.#startedAt + crashAfterMs, exitCode });
    if (this.#terminated !== undefined) {
      const { at, killedAt } = this.#terminated;
      ends.push({ at: at + stopMs, exitCode: 0 }, { at: killedAt, exitCode: killed });
    }
    return ends.sort((one, other) => one.at - other.at)[0];
  }

  #pass(): void {
    if (this.#hasExited) return;
    this.#timer?.cancel();
    const end = this.#end();
    if (end === undefined || end.at > this.#clock.now()) this.#await();
    else {
      this.#hasExited = true;
      this.#exit({ exitCode: end.exitCode });
    }
    this.#onChange(this);
  }

  /** Until the next instant at which something changes. */
  #await(): void {
    const now = this.#clock.now();
    const end = this.#end()?.at ?? Number.POSITIVE_INFINITY;
    const instants = [this.#listensAt(), this.#readyAt()].filter((instant) => instant > now);
    const next = Math.max(now, Math.min(end, ...instants));
    if (Number.isFinite(next)) this.#timer = this.#clock.after(next - now, () => this.#pass());
  }
}
