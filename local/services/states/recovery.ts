/** `Retry` and `Catch` of Task and Map states. */
import type { HistoryEventType } from '@aws-sdk/client-sfn';
import type { Catcher, Retrier } from './definition.ts';
import { matches, StateFailure } from './failure.ts';
import { type Left, leave, recordEvaluationFailure } from './leaving.ts';
import type { Run } from './run.ts';
import { fieldsOf, type Scope } from './scope.ts';

interface Recovering {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

/** Attempts a state until it is left: by its own success, by a catcher, or by a failure that nothing recovers. */
export async function recovering(
  run: Run,
  scope: Scope,
  state: Recovering,
  exited: HistoryEventType,
  attempt: (retryCount: number) => Promise<Left>,
): Promise<Left> {
  const used = new Map<Retrier, number>();
  for (let retryCount = 0; ; retryCount++) {
    try {
      return await attempt(retryCount);
    } catch (thrown) {
      if (!(thrown instanceof StateFailure)) throw thrown;
      const failure = recordEvaluationFailure(run, scope, thrown);
      const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, failure));
      const attempts = retrier === undefined ? 0 : (used.get(retrier) ?? 0);
      if (retrier === undefined || attempts >= (retrier.MaxAttempts ?? 3)) {
        return caught(run, scope, state.Catch ?? [], failure, exited);
      }
      used.set(retrier, attempts + 1);
      await run.idle(() => run.sleep(retryDelay(retrier, attempts, run.surroundings.random)));
      run.countTransition(scope.position.state);
    }
  }
}

async function caught(
  run: Run,
  scope: Scope,
  catchers: readonly Catcher[],
  failure: StateFailure,
  exited: HistoryEventType,
): Promise<Left> {
  const index = catchers.findIndex(({ ErrorEquals }) => matches(ErrorEquals, failure));
  const catcher = catchers[index];
  if (catcher === undefined) throw failure;
  const errorOutput = failure.output;
  return leave(run, scope, exited, fieldsOf(run, scope, { errorOutput }), {
    prefix: `Catch[${index}]/`,
    Output: catcher.Output,
    Assign: catcher.Assign,
    next: catcher.Next,
    otherwise: errorOutput,
  });
}

/** Milliseconds before the retry that follows `attempts` earlier ones by the same retrier. */
export function retryDelay(retrier: Retrier, attempts: number, random: () => number): number {
  const seconds = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** attempts;
  const capped = Math.min(seconds, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  // FULL draws from the whole of the delay, down to none.
  return 1000 * (retrier.JitterStrategy === 'FULL' ? random() * capped : capped);
}
