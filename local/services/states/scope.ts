/** What the expressions of a state may read: `$states` and variables, by where the state stands. */
import type { Workflow } from './definition.ts';
import type { Position } from './execution.ts';
import type { Json, JsonObject } from './json.ts';
import type { Run } from './run.ts';
import { Fields } from './template.ts';

/** A workflow being run: the machine's own states, or a Map's for one item. */
export interface Scope {
  readonly workflow: Workflow;
  readonly position: Position;
  /** Variables around a Map: its states read, never assign them. */
  readonly outer: JsonObject;
  /** `$states.context.Map` */
  readonly map?: { readonly Item: MapItem };
}

interface MapItem {
  readonly Index: number;
  readonly Value: Json;
}

/** What one evaluation may read beyond the scope's own. */
export interface Extras {
  readonly result?: Json;
  readonly errorOutput?: Json;
  readonly retryCount?: number;
  readonly token?: string | undefined;
  readonly item?: MapItem;
}

export function fieldsOf(run: Run, scope: Scope, extras: Extras = {}): Fields {
  const { result, errorOutput } = extras;
  return new Fields(run.surroundings.expressions, {
    states: {
      input: scope.position.input,
      context: contextOf(run, scope, extras),
      ...(result === undefined ? {} : { result }),
      ...(errorOutput === undefined ? {} : { errorOutput }),
    },
    variables: { ...scope.outer, ...scope.position.variables },
  });
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
function contextOf({ execution }: Run, { position, map }: Scope, { retryCount, token, item }: Extras): Json {
  const { revision, redriveDate } = execution;
  const around = item === undefined ? map : { Item: item };
  return {
    Execution: {
      Id: execution.arn,
      Input: JSON.parse(execution.input) as Json,
      Name: execution.name,
      RoleArn: revision.roleArn,
      StartTime: new Date(execution.startDate).toISOString(),
      RedriveCount: execution.redriveCount,
      ...(redriveDate === undefined ? {} : { RedriveTime: new Date(redriveDate).toISOString() }),
    },
    State: {
      EnteredTime: new Date(position.enteredAt).toISOString(),
      Name: position.state,
      RetryCount: retryCount ?? 0,
    },
    StateMachine: { Id: revision.stateMachineArn, Name: revision.name },
    ...(around === undefined
      ? {}
      : { Map: { Item: { Index: around.Item.Index, Value: around.Item.Value } } }),
    ...(token === undefined ? {} : { Task: { Token: token } }),
  };
}
