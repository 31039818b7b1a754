import type { SucceedState } from '../definition.ts';
import { type Left, leave } from '../leaving.ts';
import type { Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';

/** Succeed: ends its workflow, in a Map that of one item. */
export async function runSucceed(run: Run, scope: Scope, state: SucceedState): Promise<Left> {
  return leave(run, scope, 'SucceedStateExited', fieldsOf(run, scope), {
    Output: state.Output,
    next: undefined,
    otherwise: scope.position.input,
  });
}
