/** Runs the states of a workflow one after the other, from where it stands to its end. */
import { type State, stateNamed } from './definition.ts';
import { StateFailure } from './failure.ts';
import type { Json } from './json.ts';
import { runChoice } from './kinds/choice.ts';
import { runFail } from './kinds/fail.ts';
import { runMap } from './kinds/map.ts';
import { runPass } from './kinds/pass.ts';
import { runSucceed } from './kinds/succeed.ts';
import { runTask } from './kinds/task.ts';
import { runWait } from './kinds/wait.ts';
import { type Left, recordEvaluationFailure } from './leaving.ts';
import type { Run } from './run.ts';
import type { Scope } from './scope.ts';

/** Resolves to the workflow's output. Rejects with `StateFailure` when a state fails and nothing catches that. */
export async function runWorkflow(run: Run, scope: Scope): Promise<Json> {
  const { position, workflow } = scope;
  for (;;) {
    const state = stateNamed(workflow, position.state);
    // A redrive goes on in the state that failed: a Task is scheduled again, a Map goes on with its item.
    const resumes = position.enteredEventId > 0 && (state.Type === 'Task' || state.Type === 'Map');
    if (resumes) run.countTransition(position.state);
    else await run.enter(state, position);
    const left = await runState(run, scope, state);
    if (left.next === undefined) return left.output;
    Object.assign(position, {
      state: left.next,
      input: left.output,
      variables: { ...position.variables, ...left.assigned },
      enteredEventId: 0,
    });
    delete position.map;
  }
}

async function runState(run: Run, scope: Scope, state: State): Promise<Left> {
  try {
    return await runKind(run, scope, state);
  } catch (thrown) {
    if (!(thrown instanceof StateFailure)) throw thrown;
    throw recordEvaluationFailure(run, scope, thrown);
  }
}

function runKind(run: Run, scope: Scope, state: State): Promise<Left> {
  switch (state.Type) {
    case 'Task':
      return runTask(run, scope, state);
    case 'Choice':
      return runChoice(run, scope, state);
    case 'Wait':
      return runWait(run, scope, state);
    case 'Pass':
      return runPass(run, scope, state);
    case 'Succeed':
      return runSucceed(run, scope, state);
    case 'Fail':
      return runFail(run, scope, state);
    case 'Map':
      return runMap(run, scope, state, (inner) => runWorkflow(run, inner));
  }
}
