/** Deleting what is not there any more succeeds: someone else was faster, or it never came to be. */

const codes = /NotFound|NoSuch|NonExistent|DoesNotExist|NotExist/;

export function isGone(failure: unknown): boolean {
  const code = (failure as { code?: unknown } | null)?.code;
  return typeof code === 'string' && codes.test(code);
}

/** For a deletion of several steps: each is taken whether or not the others found something to do. */
export async function unlessGone(step: Promise<unknown>): Promise<void> {
  try {
    await step;
  } catch (failure) {
    if (!isGone(failure)) throw failure;
  }
}
