/** The lifecycle hook by which instances are drained. */

/** The lifecycle hook of each group whose service drains. */
export const drainHook = 'cutover-drain';

/**
 * How long the hook holds an instance unless it is told otherwise: its own time, and what it takes the sweep, which comes every
 * five minutes, to make up for what was lost.
 */
export function drainHookSeconds({ deadlineSeconds }: { readonly deadlineSeconds: number }): number {
  return deadlineSeconds + 900;
}
