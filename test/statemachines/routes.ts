/** The ways that lead out of states: all that a definition has, and those that an execution took. */
import type { Catcher, Definition, Retrier, State } from '../../local/services/states/definition.ts';
import { matches, StateFailure } from '../../local/services/states/failure.ts';
import { statesOf } from './machines.ts';
import type { FailureSeen, Visit } from './visits.ts';

interface Recovery {
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

/** Each error that a catcher names is a way of its own, and so is each retrier that helps and that is used up. */
export function routesOf(definition: Definition): ReadonlySet<string> {
  return new Set(
    [...statesOf(definition)].flatMap(([name, state]) => waysOut(state).map((way) => `${name} ${way}`)),
  );
}

function waysOut(state: State): string[] {
  switch (state.Type) {
    case 'Choice':
      return [...state.Choices.map(({ Next }, index) => choice(index, Next)), otherwise(state.Default)];
    case 'Succeed':
    case 'Fail':
      return ['ends'];
    case 'Task':
    case 'Map':
      return [onwards(state.Next), ...recoveries(state)];
    case 'Pass':
    case 'Wait':
      return [onwards(state.Next)];
  }
}

function recoveries({ Retry = [], Catch = [] }: Recovery): string[] {
  return [
    ...Retry.flatMap((_retrier, index) => [retried(index), usedUp(index)]),
    ...Catch.flatMap((catcher, index) =>
      catcher.ErrorEquals.map((name) => caught(index, name, catcher.Next)),
    ),
  ];
}

const choice = (index: number, next: string): string => `Choices[${index}] → ${next}`;
const otherwise = (next: string | undefined): string => `Default → ${next}`;
const onwards = (next: string | undefined): string => (next === undefined ? 'ends' : `→ ${next}`);
const caught = (index: number, name: string, next: string): string => `Catch[${index}] ${name} → ${next}`;
const retried = (index: number): string => `Retry[${index}] helps`;
const usedUp = (index: number): string => `Retry[${index}] is used up`;

/** Throws when a visit went where its definition does not lead. */
export function routesTaken(definition: Definition, visits: readonly Visit[]): string[] {
  const states = statesOf(definition);
  return visits.flatMap((visit) => {
    const state = states.get(visit.state);
    if (state === undefined) throw new Error(`${visit.state} is no state of the definition`);
    return waysTaken(state, visit).map((way) => `${visit.state} ${way}`);
  });
}

function waysTaken(state: State, visit: Visit): string[] {
  if (state.Type === 'Choice') {
    const index = state.Choices.findIndex(({ Next }) => Next === visit.next);
    return [index === -1 ? otherwise(visit.next) : choice(index, visit.next ?? '')];
  }
  if (state.Type === 'Succeed' || state.Type === 'Fail') return ['ends'];
  if (state.Type !== 'Task' && state.Type !== 'Map') return [onwards(visit.next)];

  const { ways, last } = retriesOf(state, visit.failures);
  if (last === undefined) return [...ways, onwards(visit.next)];
  const { Catch = [] } = state;
  const index = Catch.findIndex(({ ErrorEquals }) => matches(ErrorEquals, last));
  const catcher = Catch[index];
  if (visit.left !== (catcher !== undefined) || visit.next !== catcher?.Next) {
    throw new Error(
      `${visit.state} failed with ${last.error} and went on to ${visit.next}, not ${catcher?.Next}`,
    );
  }
  if (catcher === undefined) return ways;
  const name = catcher.ErrorEquals.find((one) => matches([one], last)) ?? '';
  return [...ways, caught(index, name, catcher.Next)];
}

/** What the retriers did, and the failure that none of them took. */
function retriesOf({ Retry = [] }: Recovery, failures: readonly FailureSeen[]) {
  const used = Retry.map(() => 0);
  const ways: string[] = [];
  for (const { error } of failures) {
    const failure = new StateFailure(error, undefined);
    const index = Retry.findIndex(({ ErrorEquals }) => matches(ErrorEquals, failure));
    if (index === -1) return { ways, last: failure };
    if (used[index] === Retry[index]?.MaxAttempts) return { ways: [...ways, usedUp(index)], last: failure };
    used[index] = (used[index] ?? 0) + 1;
  }
  ways.push(...used.flatMap((times, index) => (times > 0 ? [retried(index)] : [])));
  return { ways, last: undefined };
}
