/** The history of one execution: numbered events in AWS's shapes, at most 25,000. */
import type { HistoryEvent, HistoryEventType } from '@aws-sdk/client-sfn';
import { StateFailure } from './failure.ts';

// https://docs.aws.amazon.com/step-functions/latest/dg/bp-history-limit.html
export const maximumEvents = 25_000;

/** An event's own members; number, time and predecessor are the history's. */
export type EventDetails = Omit<HistoryEvent, 'id' | 'type' | 'timestamp' | 'previousEventId'>;

export class History {
  readonly #events: HistoryEvent[] = [];

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  get length(): number {
    return this.#events.length;
  }

  /** Appends an event of a running execution; the last number is kept for the event that fails it. */
  append(type: HistoryEventType, at: number, details: EventDetails = {}): number {
    if (this.#events.length >= maximumEvents - 1) throw historyFull();
    return this.#push(type, at, details, this.#events.length);
  }

  /** Appends an event that has no predecessor, as AWS numbers an execution's start, time-out and abortion. */
  root(type: HistoryEventType, at: number, details: EventDetails = {}): number {
    return this.#push(type, at, details, 0);
  }

  /** Appends an event that ends the execution or opens it again: there is always room for it. */
  last(type: HistoryEventType, at: number, details: EventDetails = {}): number {
    return this.#push(type, at, details, this.#events.length);
  }

  #push(type: HistoryEventType, at: number, details: EventDetails, predecessor: number): number {
    const id = this.#events.length + 1;
    // The first state hangs on no event: AWS gives 0, although ExecutionStarted is number 1.
    const previousEventId = predecessor === 1 ? 0 : predecessor;
    this.#events.push({ timestamp: new Date(at), type, id, previousEventId, ...details });
    return id;
  }
}

function historyFull(): StateFailure {
  return new StateFailure(
    'States.Runtime',
    `The execution reached the maximum number of history events (${maximumEvents}).`,
  );
}
