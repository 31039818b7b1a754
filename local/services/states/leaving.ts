/** How every state is left: its output and its assignments evaluated on what was before it, written to the history. */
import type { HistoryEventType } from '@aws-sdk/client-sfn';
import type { Assignments, Template } from './definition.ts';
import { dataLimitExceeded, StateFailure } from './failure.ts';
import { exceedsPayload, type Json, type JsonObject } from './json.ts';
import type { Run } from './run.ts';
import type { Scope } from './scope.ts';
import type { Fields } from './template.ts';

/** A state that was left; without `next` it ended its workflow. */
export interface Left {
  readonly output: Json;
  readonly assigned: JsonObject;
  readonly next: string | undefined;
}

/** All variables of an execution together. https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html */
const maximumVariableBytes = 10 * 1024 * 1024;

export interface Exit {
  /** Field that holds `Output` and `Assign`: empty for the state itself, `Catch[0]/`, `Choices[1]/`. */
  readonly prefix?: string;
  readonly Output?: Template | undefined;
  readonly Assign?: Assignments | undefined;
  readonly next: string | undefined;
  /** The output when there is no `Output`. */
  readonly otherwise: Json;
}

export async function leave(
  run: Run,
  scope: Scope,
  type: HistoryEventType,
  fields: Fields,
  exit: Exit,
): Promise<Left> {
  const { position } = scope;
  const prefix = exit.prefix ?? '';
  // Both see the variables as they were: an assignment takes effect in the next state.
  const assigned = await fields.assignments(exit.Assign, `${prefix}Assign`);
  const output =
    exit.Output === undefined ? exit.otherwise : await fields.template(exit.Output, `${prefix}Output`);
  const text = JSON.stringify(output);
  if (exceedsPayload(text)) throw dataLimitExceeded(position.state);
  limitVariables(scope, assigned);
  const variables = Object.entries(assigned);
  run.append(type, {
    stateExitedEventDetails: {
      name: position.state,
      output: text,
      outputDetails: { truncated: false },
      ...(variables.length === 0
        ? {}
        : {
            assignedVariables: Object.fromEntries(
              variables.map(([name, value]) => [name, JSON.stringify(value)]),
            ),
            assignedVariablesDetails: { truncated: false },
          }),
    },
  });
  return { output, assigned, next: exit.next };
}

function limitVariables({ position, outer }: Scope, assigned: JsonObject): void {
  if (Object.keys(assigned).length === 0) return;
  const all = { ...outer, ...position.variables, ...assigned };
  if (
    exceedsPayload(JSON.stringify(assigned)) ||
    Buffer.byteLength(JSON.stringify(all)) > maximumVariableBytes
  ) {
    throw dataLimitExceeded(position.state);
  }
}

/** Says where a state's failure came from: AWS's sentence in the cause and, for an expression, an event. */
export function recordEvaluationFailure(run: Run, { position }: Scope, thrown: StateFailure): StateFailure {
  const failure = thrown.within(position.state, position.enteredEventId);
  if (failure === thrown || failure.location === undefined) return failure;
  run.append('EvaluationFailed', {
    evaluationFailedEventDetails: {
      state: position.state,
      error: failure.error,
      cause: failure.failureCause,
      location: failure.location,
    },
  });
  return failure;
}
