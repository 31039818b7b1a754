import type { PassState } from '../definition.ts';
import { type Left, leave } from '../leaving.ts';
import type { Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';

/** Pass: its `Output`, else its input. */
export async function runPass(run: Run, scope: Scope, state: PassState): Promise<Left> {
  return leave(run, scope, 'PassStateExited', fieldsOf(run, scope), {
    Output: state.Output,
    Assign: state.Assign,
    next: state.Next,
    otherwise: scope.position.input,
  });
}
