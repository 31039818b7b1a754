/**
 * Regular expressions of JSONata with a bound on their running time. JavaScript's engine backtracks, so that one
 * careless pattern could hold the whole process; `node:vm` can interrupt it.
 */
import vm from 'node:vm';

/** Milliseconds of the processor for one search. */
const searchBudget = 200;

interface Match {
  match: string;
  start: number;
  end: number;
  groups: (string | undefined)[];
  next: () => Match | undefined;
}

/** A matcher as JSONata's `$match`, `$replace`, `$split` and `$contains` call it. */
export type Matcher = (text: string, from?: number) => Match | undefined;

const search = new vm.Script('pattern.exec(text)');

export function boundedMatcher(pattern: RegExp): Matcher {
  const sandbox = vm.createContext({ pattern: new RegExp(pattern.source, pattern.flags), text: '' });
  return function matcher(text, from = 0) {
    sandbox['pattern'].lastIndex = from;
    sandbox['text'] = text;
    const found = search.runInContext(sandbox, { timeout: searchBudget }) as RegExpExecArray | null;
    if (found === null) return undefined;
    const end = found.index + found[0].length;
    const after = sandbox['pattern'].lastIndex as number;
    return {
      match: found[0],
      start: found.index,
      end,
      groups: found.slice(1),
      next: () => {
        if (after >= text.length) return undefined;
        const next = matcher(text, after);
        if (next?.match === '') throw new Error('D1004: Regular expression matches zero length string');
        return next;
      },
    };
  };
}
