import type { WaitState } from '../definition.ts';
import { queryEvaluationError } from '../failure.ts';
import { type Left, leave } from '../leaving.ts';
import type { Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';
import type { Fields } from '../template.ts';
import { isTimestamp } from '../timestamp.ts';

/** Wait: for seconds counted from its entry, or until a time; a redriven wait that is over goes on at once. */
export async function runWait(run: Run, scope: Scope, state: WaitState): Promise<Left> {
  const fields = fieldsOf(run, scope);
  const until = await end(fields, state, scope.position.enteredAt);
  const remaining = until - run.clock.now();
  if (remaining > 0) await run.idle(() => run.sleep(remaining));
  return leave(run, scope, 'WaitStateExited', fields, {
    Output: state.Output,
    Assign: state.Assign,
    next: state.Next,
    otherwise: scope.position.input,
  });
}

async function end(fields: Fields, state: WaitState, enteredAt: number): Promise<number> {
  if (state.Seconds !== undefined)
    return enteredAt + 1000 * (await fields.seconds(state.Seconds, 'Seconds', 0));
  const timestamp = await fields.string(state.Timestamp ?? '', 'Timestamp');
  if (isTimestamp(timestamp)) return Date.parse(timestamp);
  throw queryEvaluationError(
    `The value '${timestamp}' of the field 'Timestamp' is not a valid timestamp.`,
    'Timestamp',
  );
}
