/** Holds the next matching call at an exact point until told to go on. */
import type { CallLog, PendingCall } from './call-log.ts';

export interface Breakpoint {
  /** Resolves when a call stands at the breakpoint. */
  readonly reached: Promise<PendingCall>;
  /** Lets the held call go on, or fail with `failure`: an `AwsError` or `ConnectionLost`. */
  release(failure?: Error): void;
}

/** `before`: nothing has happened yet. `after`: the call took effect and its answer is held. Holds one call, once. */
export function breakpoint(
  log: CallLog,
  when: 'before' | 'after',
  matches: (call: PendingCall) => boolean,
): Breakpoint {
  const reached = Promise.withResolvers<PendingCall>();
  const released = Promise.withResolvers<Error | undefined>();
  const hold = async (call: PendingCall): Promise<void> => {
    if (!matches(call)) return;
    remove();
    reached.resolve(call);
    const failure = await released.promise;
    if (failure !== undefined) throw failure;
  };
  const remove = log.hook(when === 'before' ? { before: hold } : { after: hold });
  return {
    reached: reached.promise,
    release(failure) {
      remove();
      released.resolve(failure);
    },
  };
}
