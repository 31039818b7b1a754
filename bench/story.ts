/**
 * The least that a deployment's effects need, and why; what a deployment does beyond it is either a re-check, which
 * the time spent baking asks for, or too much.
 */
import type { GetExecutionHistoryCommandOutput } from '@aws-sdk/client-sfn';
import type { Example } from './example.ts';

/** Each state once; every one of them either has an effect, waits for one, or says how the execution ends. */
export function plainStory(steps: number): readonly string[] {
  const step = ['Shift', 'Await bake', 'Judge'];
  const before = ['Plan', 'Admitted?', 'Launch', 'Await healthy', 'Shift traffic'];
  const after = ['Promote', 'Retire later', 'Live'];
  return [...before, ...Array.from({ length: steps }, () => step).flat(), ...after];
}

/** Looks when it may come, waits, ends what is due. */
export const plainRetirement: readonly string[] = [
  'Retire what is due',
  'More to come?',
  'Wait out the retention',
  'Retire what is due',
  'More to come?',
  'Done',
];

/** States that call no function. */
const withoutFunction = new Set([
  'Admitted?',
  'Shift traffic',
  'Retire later',
  'Live',
  'More to come?',
  'Wait out the retention',
  'Done',
]);

export function invocationsIn(states: readonly string[]): number {
  return states.filter((state) => !withoutFunction.has(state)).length;
}

/** Calls that change something, each with its effect. */
export function leastWrites(
  steps: number,
): Readonly<Record<string, { readonly count: number; readonly because: string }>> {
  return {
    'ecs:RegisterTaskDefinition': { count: 1, because: 'the template with the pushed digest' },
    'ecs:CreateService': { count: 1, because: 'the new generation' },
    'elasticloadbalancing:ModifyRule': { count: steps, because: 'one for each weight' },
    'ecs:DeleteService': { count: 1, because: 'the old generation, after its retention' },
  };
}

/**
 * Durable writes of the service item by steps: the plan; launch and each shift once before and once after the effect;
 * each wait's token; the promotion; retiring, taken and released.
 */
export function leastItemWrites(steps: number): number {
  return 1 + 2 + 1 + steps * (2 + 1) + 1 + 2;
}

export interface Told {
  readonly entered: readonly string[];
  readonly events: number;
}

/** The states that an execution entered, in order. */
export async function toldBy(example: Example, executionArn: string): Promise<Told> {
  const entered: string[] = [];
  let events = 0;
  let nextToken: string | undefined;
  do {
    const page: GetExecutionHistoryCommandOutput = await example.ask('states', 'GetExecutionHistory', {
      executionArn,
      maxResults: 1_000,
      nextToken,
    });
    for (const { stateEnteredEventDetails } of page.events ?? []) {
      events += 1;
      if (stateEnteredEventDetails?.name !== undefined) entered.push(stateEnteredEventDetails.name);
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return { entered, events };
}

/** How often states were entered beyond the plain story, by state. */
export function rechecks(
  entered: readonly string[],
  plain: readonly string[],
): Readonly<Record<string, number>> {
  const extra: Record<string, number> = {};
  for (const state of new Set(entered)) {
    const count =
      entered.filter((each) => each === state).length - plain.filter((each) => each === state).length;
    if (count > 0) extra[state] = count;
  }
  return extra;
}
