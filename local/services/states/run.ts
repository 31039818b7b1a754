/**
 * One run of an execution, from its start or a redrive to its end: its history, its time, and what it is allowed to do.
 * Every wait goes through here, so that stopping an execution ends it wherever it stands.
 */
import type { HistoryEventType } from '@aws-sdk/client-sfn';
import type { Principal } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { State } from './definition.ts';
import type { Ending, Execution, Position } from './execution.ts';
import type { Bindings, Expressions } from './expression.ts';
import type { EventDetails } from './history.ts';
import type { Integrations } from './integrations/integration.ts';
import type { Tokens } from './tokens.ts';

/** What all runs share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly expressions: Expressions;
  readonly integrations: Integrations;
  readonly tokens: Tokens;
  readonly random: () => number;
  /** Milliseconds from leaving a state to entering the next. */
  readonly transitionLatency: number;
  readonly onTransition: (transition: Transition) => void;
}

export interface Transition {
  readonly executionArn: string;
  readonly state: string;
  readonly at: number;
}

/** Thrown at every wait of a run whose execution was stopped or timed out. No state catches it. */
export class Interrupted extends Error {}

export class Run {
  readonly execution: Execution;
  readonly surroundings: Surroundings;
  readonly #stop = new AbortController();
  readonly #onEnd: (ending: Ending) => void;
  #leave: (() => void) | undefined;
  #limit: Timer | undefined;

  constructor(execution: Execution, surroundings: Surroundings, onEnd: (ending: Ending) => void) {
    this.execution = execution;
    this.surroundings = surroundings;
    this.#onEnd = onEnd;
  }

  get clock(): Clock {
    return this.surroundings.clock;
  }

  get principal(): Principal {
    return { kind: 'role', roleArn: this.execution.revision.roleArn, session: this.execution.session };
  }

  /** Runs `work` to its end; the time limit of the definition counts from here. */
  async begin(work: () => Promise<Ending>): Promise<void> {
    const seconds = this.execution.revision.definition.TimeoutSeconds;
    if (seconds !== undefined) {
      this.#limit = this.clock.after(seconds * 1000, () => this.end({ status: 'TIMED_OUT' }));
    }
    this.#enterBusy();
    try {
      this.end(await work());
    } catch (failure) {
      if (!(failure instanceof Interrupted)) throw failure;
    } finally {
      this.#leaveBusy();
    }
  }

  /** Ends the execution, whatever it is doing. The first ending counts. */
  end(ending: Ending): void {
    if (this.#stop.signal.aborted) return;
    this.interrupt();
    this.#onEnd(ending);
  }

  /** Ends the run and says nothing: the service is closing. */
  interrupt(): void {
    this.#limit?.cancel();
    this.#stop.abort();
  }

  append(type: HistoryEventType, details: EventDetails = {}): number {
    if (this.#stop.signal.aborted) throw new Interrupted();
    return this.execution.history.append(type, this.clock.now(), details);
  }

  async enter(state: State, position: Position): Promise<void> {
    if (this.surroundings.transitionLatency > 0) await this.sleep(this.surroundings.transitionLatency);
    position.enteredAt = this.clock.now();
    position.enteredEventId = this.append(`${state.Type}StateEntered`, {
      stateEnteredEventDetails: {
        name: position.state,
        input: JSON.stringify(position.input),
        inputDetails: { truncated: false },
      },
    });
    this.countTransition(position.state);
  }

  /** A state was entered or is tried again. */
  countTransition(state: string): void {
    this.execution.transitions += 1;
    this.surroundings.onTransition({ executionArn: this.execution.arn, state, at: this.clock.now() });
  }

  async evaluate(source: string, bindings: Bindings): ReturnType<Expressions['evaluate']> {
    return this.surroundings.expressions.evaluate(source, bindings);
  }

  /** A promise that the run's end rejects, however it would settle. */
  interruptible<T>(
    arm: (resolve: (value: T) => void, reject: (failure: unknown) => void) => () => void,
  ): Promise<T> {
    const { signal } = this.#stop;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const interrupt = () => reject(new Interrupted());
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
    const disarm = arm(resolve, reject);
    return promise.finally(() => {
      signal.removeEventListener('abort', interrupt);
      disarm();
    });
  }

  sleep(ms: number): Promise<void> {
    return this.interruptible<void>((resolve) => {
      const timer = this.clock.after(ms, resolve);
      return () => timer.cancel();
    });
  }

  /** Waits for something that is not our own work: the clock may run fast meanwhile. */
  async idle<T>(wait: () => Promise<T>): Promise<T> {
    const waiting = wait();
    this.#leaveBusy();
    try {
      return await waiting;
    } finally {
      this.#enterBusy();
    }
  }

  /** Our own fault, out of the course of any state: reported where the clock reports failures. */
  report(failure: unknown): void {
    this.clock.after(0, () => {
      throw failure;
    });
  }

  #enterBusy(): void {
    void this.clock.busy(() => new Promise<void>((resolve) => (this.#leave = resolve)));
  }

  #leaveBusy(): void {
    this.#leave?.();
    this.#leave = undefined;
  }
}
