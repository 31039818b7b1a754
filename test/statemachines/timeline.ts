/** An execution as text, one line for each state entered and each failure, for a person to compare. */
import type { Definition } from '../../local/services/states/definition.ts';
import type { Outcome } from '../states/embedded-states.ts';
import { statesOf } from './machines.ts';
import type { Visit } from './visits.ts';

export function timelineOf(
  visits: readonly Visit[],
  definition: Definition,
  outcome: Outcome,
  begun: number,
): string {
  const states = statesOf(definition);
  const lines = visits.flatMap(({ state, depth, enteredAt, failures }) => {
    const indent = '  '.repeat(depth);
    // A Map fails with its item's failure, which stands there already.
    const own = states.get(state)?.Type === 'Map' ? [] : failures;
    return [
      { at: enteredAt, text: `${indent}${state}` },
      ...own.map(({ at, error }) => ({ at, text: `${indent}${state}: ${error}` })),
    ];
  });
  const timed = lines.map(({ at, text }) => `${clockTime(at - begun)}  ${text}`);
  return `${[...timed, endOf(outcome)].join('\n')}\n`;
}

function endOf({ status, output, error, cause }: Outcome): string {
  return status === 'SUCCEEDED' ? `${status} ${JSON.stringify(output)}` : `${status} ${error}: ${cause}`;
}

function clockTime(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return [Math.floor(seconds / 60), seconds % 60].map((part) => String(part).padStart(2, '0')).join(':');
}
