/** All functions of the account, found by any of their names. */

import type { FunctionVersion, LambdaFunction } from './function.ts';
import { functionNotFound, parseFunctionName } from './function-name.ts';

export interface Located {
  readonly fn: LambdaFunction;
  readonly qualifier: string | undefined;
}

export class Functions {
  readonly #functions = new Map<string, LambdaFunction>();

  add(fn: LambdaFunction): void {
    this.#functions.set(fn.name, fn);
  }

  delete(fn: LambdaFunction): void {
    this.#functions.delete(fn.name);
  }

  /** Sorted by name. */
  all(): LambdaFunction[] {
    return [...this.#functions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  has(name: string): boolean {
    return this.#functions.has(name);
  }

  /** By name or ARN; throws ResourceNotFoundException. */
  locate(given: string, qualifier?: string): Located {
    const parsed = parseFunctionName(given, qualifier);
    const fn = this.#functions.get(parsed.name);
    if (fn === undefined) throw functionNotFound(parsed.name, parsed.qualifier);
    return { fn, qualifier: parsed.qualifier };
  }

  version(given: string, qualifier?: string, random?: () => number): FunctionVersion {
    const located = this.locate(given, qualifier);
    return located.fn.resolve(located.qualifier, random);
  }
}
