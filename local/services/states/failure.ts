/** How a state fails: by an error's name and a cause, matched by `Retry` and `Catch`. */
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
import type { Json } from './json.ts';

/** What `Retry`, `Catch` and, uncaught, the execution see. Anything else that is thrown is our own fault. */
export class StateFailure extends Error {
  readonly error: string | undefined;
  readonly failureCause: string | undefined;
  /** Field within the state whose expression failed: the history then tells of an `EvaluationFailed`. */
  readonly location: string | undefined;
  /** Names besides `error` that match in `ErrorEquals`. */
  readonly alias: string | undefined;
  /** AWS's own failures say which state was executing; a task's answer and a Fail state pass unchanged. */
  readonly namesState: boolean;

  constructor(
    error: string | undefined,
    cause: string | undefined,
    more: { location?: string; alias?: string; namesState?: boolean } = {},
  ) {
    super(`${error ?? '(no error name)'}: ${cause ?? ''}`);
    this.error = error;
    this.failureCause = cause;
    this.location = more.location;
    this.alias = more.alias;
    this.namesState = more.namesState ?? false;
  }

  /** The same with AWS's sentence before the cause, unless it stands there already. */
  within(state: string, enteredEventId: number): StateFailure {
    if (!this.namesState || this.failureCause === undefined) return this;
    const where = `An error occurred while executing the state '${state}' (entered at the event id #${enteredEventId}). `;
    return new StateFailure(this.error, where + this.failureCause, {
      ...(this.location === undefined ? {} : { location: this.location }),
      ...(this.alias === undefined ? {} : { alias: this.alias }),
    });
  }

  /** `$states.errorOutput` */
  get output(): { readonly [key: string]: Json } {
    return {
      ...(this.error === undefined ? {} : { Error: this.error }),
      ...(this.failureCause === undefined ? {} : { Cause: this.failureCause }),
    };
  }
}

/** A failed expression, or one whose value cannot be used where it stands. */
export function queryEvaluationError(cause: string, location: string): StateFailure {
  return new StateFailure('States.QueryEvaluationError', cause, { location, namesState: true });
}

export function runtimeError(cause: string): StateFailure {
  return new StateFailure('States.Runtime', cause, { namesState: true });
}

export function dataLimitExceeded(returnedBy: string): StateFailure {
  return new StateFailure(
    'States.DataLimitExceeded',
    `The state/task '${returnedBy}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}

/**
 * A task that answered or gave a sign of life too late. AWS gives neither a cause, and has been seen to report a missed
 * heartbeat as `States.Timeout` too.
 */
export class TaskTimeout extends StateFailure {
  constructor(missed: 'answer' | 'heartbeat') {
    super('States.Timeout', undefined, missed === 'heartbeat' ? { alias: 'States.HeartbeatTimeout' } : {});
  }
}

/** Whether a retrier's or catcher's `ErrorEquals` names this failure. */
export function matches(errorEquals: readonly string[], failure: StateFailure): boolean {
  const { error } = failure;
  // "will always cause the execution to fail"
  if (error === 'States.Runtime') return false;
  return errorEquals.some((name) => {
    if (error !== undefined && (name === error || name === failure.alias)) return true;
    if (error === 'States.DataLimitExceeded') return false;
    if (name === 'States.ALL') return true;
    return name === 'States.TaskFailed' && error !== 'States.Timeout';
  });
}
