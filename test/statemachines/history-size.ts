/** How many events a deployment's waits can write, from the definition's own expressions for how soon to look again. */
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { State } from '../../local/services/states/definition.ts';
import { Expressions, expressionIn } from '../../local/services/states/expression.ts';
import type { Json, JsonObject } from '../../local/services/states/json.ts';
import { deploy, statesOf } from './machines.ts';

/** Entered, scheduled, started, submitted, timed out, left. */
export const lookEvents = 6;
/** The item's begin and end; Shift, Judge once too early, and Judge: entered, scheduled, started, succeeded, left. */
const stepEvents = 2 + 5 + 5 + 5;
/** A Restore that AWS refuses at every try: entered, each of 21 scheduled, started and failed, left. */
export const triedEvents = 2 + 21 * 3;
/** All states that are entered once. */
const frameEvents = 60;

export interface Looks {
  readonly untilHealthy: number;
  readonly inBakes: number;
}

/** Every look that a clock brings about when no event ever comes: all tasks run at once, and nothing is ready sooner. */
export async function mostLooks(plan: Plan): Promise<Looks> {
  const untilHealthy = await looks('Await healthy', {
    plan: plan as unknown as Json,
    healthDeadline: plan.settings.healthDeadlineSeconds * 1000,
    healthRecheckSeconds: plan.settings.healthIntervalSeconds,
  });
  let inBakes = 0;
  for (const step of plan.steps) {
    const variables = { plan: plan as unknown as Json };
    const bakeRecheckSeconds = await evaluate(assigned('Shift', 'bakeRecheckSeconds'), variables, 0, {
      step,
    });
    inBakes += await looks('Await bake', {
      ...variables,
      bakeDeadline: step.bakeSeconds * 1000,
      bakeRecheckSeconds,
    });
  }
  return { untilHealthy, inBakes };
}

/** Every look at a deployment that a person's change holds, and to which nobody says a word. */
export function heldLooks(plan: Plan): Promise<number> {
  return looks('Held', {
    plan: plan as unknown as Json,
    handDeadline: plan.settings.handDeadlineSeconds * 1000,
  });
}

/** Every look at a way back that stays barred for so long. */
export async function handLooks(seconds: number): Promise<number> {
  const timeout = timeoutOf('Needs a hand');
  let count = 0;
  for (let now = 1; now < seconds * 1000; count++)
    now += Number(await evaluate(timeout, { barredSince: 1 }, now)) * 1000;
  return count;
}

export function eventsOf({ untilHealthy, inBakes }: Looks, plan: Plan): number {
  return frameEvents + plan.steps.length * stepEvents + (untilHealthy + inBakes) * lookEvents;
}

/** The looks of one wait that begins at 0, the last one past the deadline. */
async function looks(name: string, variables: JsonObject): Promise<number> {
  const timeout = timeoutOf(name);
  const deadline = Number(
    variables['healthDeadline'] ?? variables['bakeDeadline'] ?? variables['handDeadline'],
  );
  let count = 1;
  for (let now = 0; now < deadline; count++) now += Number(await evaluate(timeout, variables, now)) * 1000;
  return count;
}

function timeoutOf(name: string): string {
  const state = stateOf(name);
  return state.Type === 'Task' ? String(state.TimeoutSeconds) : '';
}

function assigned(name: string, variable: string): string {
  const state = stateOf(name);
  const template = state.Type === 'Task' ? state.Assign?.[variable] : undefined;
  if (typeof template !== 'string') throw new Error(`'${name}' does not assign $${variable}`);
  return template;
}

function stateOf(name: string): State {
  const state = statesOf(deploy).get(name);
  if (state === undefined) throw new Error(`the deploy machine has no state '${name}'`);
  return state;
}

let clock = 0;
const expressions = new Expressions({ now: () => clock, random: () => 0, uuid: () => '' });

async function evaluate(text: string, variables: JsonObject, now: number, input: object = {}): Promise<Json> {
  const source = expressionIn(text);
  if (source === undefined) throw new Error(`${text} is no expression`);
  clock = now;
  const value = await expressions.evaluate(source, { states: { input: input as Json }, variables });
  if (value === undefined) throw new Error(`${text} came to nothing`);
  return value;
}
