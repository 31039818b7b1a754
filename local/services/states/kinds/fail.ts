import type { FailState } from '../definition.ts';
import { StateFailure } from '../failure.ts';
import type { Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';

/** Fail: ends its workflow with an error and a cause of its own. */
export async function runFail(run: Run, scope: Scope, state: FailState): Promise<never> {
  const fields = fieldsOf(run, scope);
  const error = state.Error === undefined ? undefined : await fields.string(state.Error, 'Error');
  const cause = state.Cause === undefined ? undefined : await fields.string(state.Cause, 'Cause');
  throw new StateFailure(error, cause);
}
