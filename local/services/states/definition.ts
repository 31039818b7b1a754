/** The Amazon States Language as these machines use it: JSONata, standard workflows. Checked by `check/` before it is trusted. */
import type { Json } from './json.ts';

/** A JSON value whose strings may be `{% … %}` expressions. */
export type Template = Json;

export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly BackoffRate?: number;
  readonly MaxAttempts?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export type Assignments = Readonly<Record<string, Template>>;

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly Assign?: Assignments;
  readonly Output?: Template;
}

interface Leaving {
  readonly Output?: Template;
  readonly Assign?: Assignments;
  readonly Next?: string;
  readonly End?: boolean;
}

interface Recovering {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface TaskState extends Leaving, Recovering {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly Arguments?: Template;
  readonly TimeoutSeconds?: number | string;
  readonly HeartbeatSeconds?: number | string;
}

interface ChoiceRule {
  readonly Condition: string | boolean;
  readonly Next: string;
  readonly Assign?: Assignments;
  readonly Output?: Template;
}

export interface ChoiceState {
  readonly Type: 'Choice';
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string;
  readonly Assign?: Assignments;
  readonly Output?: Template;
}

export interface WaitState extends Leaving {
  readonly Type: 'Wait';
  readonly Seconds?: number | string;
  readonly Timestamp?: string;
}

export interface PassState extends Leaving {
  readonly Type: 'Pass';
}

export interface SucceedState {
  readonly Type: 'Succeed';
  readonly Output?: Template;
}

export interface FailState {
  readonly Type: 'Fail';
  readonly Error?: string;
  readonly Cause?: string;
}

export interface MapState extends Leaving, Recovering {
  readonly Type: 'Map';
  readonly Items?: Template;
  readonly ItemSelector?: Template;
  readonly MaxConcurrency: 1;
  readonly ItemProcessor: Workflow;
}

export type State = TaskState | ChoiceState | WaitState | PassState | SucceedState | FailState | MapState;

/** Some states and where to begin: a whole machine, or what a Map does with each item. */
export interface Workflow {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Definition extends Workflow {
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
}

/** Names and values may be anything JSON allows, so `__proto__` and `constructor` must not be found by inheritance. */
export function stateNamed(workflow: Workflow, name: string): State {
  const state = Object.hasOwn(workflow.States, name) ? workflow.States[name] : undefined;
  if (state === undefined) throw new Error(`the checked definition has no state '${name}'`);
  return state;
}
