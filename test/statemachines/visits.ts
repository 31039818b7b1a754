/** The states that an execution went through, read from its history. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';

export interface FailureSeen {
  readonly at: number;
  readonly error: string | undefined;
}

export interface Visit {
  readonly state: string;
  /** Items of a Map are one deeper than the Map. */
  readonly depth: number;
  readonly enteredAt: number;
  /** Each attempt that failed. */
  readonly failures: FailureSeen[];
  /** The state left by its success or by a catcher; one that was not left ended its execution or failed its item. */
  left: boolean;
  /** The state entered next; undefined when the execution, or the item, was over. */
  next: string | undefined;
}

export function visitsOf(events: readonly HistoryEvent[]): Visit[] {
  const visits: Visit[] = [];
  const open: Visit[] = [];
  let justLeft: Visit | undefined;
  const fail = (at: number, error: string | undefined): void =>
    void open.at(-1)?.failures.push({ at, error });

  for (const event of events) {
    const { type = '', stateEnteredEventDetails: entered, stateExitedEventDetails: exited } = event;
    const at = event.timestamp?.getTime() ?? 0;
    if (entered?.name !== undefined) {
      const visit = {
        state: entered.name,
        depth: open.length,
        enteredAt: at,
        failures: [],
        left: false,
        next: undefined,
      };
      if (justLeft !== undefined) justLeft.next = entered.name;
      justLeft = undefined;
      visits.push(visit);
      open.push(visit);
    } else if (exited?.name !== undefined) {
      const visit = open.pop();
      if (visit?.state !== exited.name) throw new Error(`${exited.name} was left while in ${visit?.state}`);
      visit.left = true;
      justLeft = visit;
    } else if (type === 'MapIterationSucceeded') {
      justLeft = undefined;
    } else if (type === 'MapIterationFailed') {
      const item = open.pop();
      // The Map fails with its item's error.
      fail(at, item?.failures.at(-1)?.error);
    } else {
      const failed =
        event.taskFailedEventDetails ?? event.taskTimedOutEventDetails ?? event.evaluationFailedEventDetails;
      if (failed !== undefined) fail(at, failed.error);
    }
  }
  return visits;
}
