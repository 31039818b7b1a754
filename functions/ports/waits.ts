import type { ErrorName } from '../core/errors.ts';

/** Ends waits of an execution by their task token. A wait that has ended already is left alone. */
export interface Waits {
  succeed(token: string): Promise<void>;
  fail(token: string, error: ErrorName, cause: string): Promise<void>;
}
