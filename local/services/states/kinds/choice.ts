import type { ChoiceState } from '../definition.ts';
import { runtimeError } from '../failure.ts';
import { type Left, leave } from '../leaving.ts';
import type { Run } from '../run.ts';
import { fieldsOf, type Scope } from '../scope.ts';

/** Choice: the first rule whose condition holds, with its own `Assign` and `Output`; else `Default` with the state's. */
export async function runChoice(run: Run, scope: Scope, state: ChoiceState): Promise<Left> {
  const fields = fieldsOf(run, scope);
  const otherwise = scope.position.input;
  for (const [index, rule] of state.Choices.entries()) {
    if (!(await fields.boolean(rule.Condition, `Choices[${index}]/Condition`))) continue;
    return leave(run, scope, 'ChoiceStateExited', fields, {
      prefix: `Choices[${index}]/`,
      Output: rule.Output,
      Assign: rule.Assign,
      next: rule.Next,
      otherwise,
    });
  }
  if (state.Default === undefined) {
    throw runtimeError('Failed to transition out of the state. The state does not point to a next state.');
  }
  return leave(run, scope, 'ChoiceStateExited', fields, {
    Output: state.Output,
    Assign: state.Assign,
    next: state.Default,
    otherwise,
  });
}
