/**
 * Lambda's asynchronous invocation, as EventBridge and SNS use it: accepted at once, run by Lambda, and run again twice
 * when the function fails ("Lambda retries the function two more times", a minute and two minutes later).
 */
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Invoker } from '../lambda/invoker.ts';

const RETRY_DELAYS_MS: readonly number[] = [60_000, 120_000];

export interface AsynchronousInvocation {
  readonly clock: Clock;
  readonly invoker: Invoker;
  /** A function that failed to the last, with what it answered. */
  readonly onFailure: (failure: Error) => void;
}

/**
 * Resolves when the function has run once, well or not: so that the clock knows of the work. Rejects when the function
 * cannot be invoked at all.
 */
export async function invokeAsynchronously(
  options: AsynchronousInvocation,
  functionArn: string,
  payload: string,
): Promise<void> {
  const { functionError, payload: answer } = await options.invoker.invoke(functionArn, payload);
  if (functionError !== undefined) retry(options, functionArn, payload, answer, 0);
}

function retry(
  options: AsynchronousInvocation,
  functionArn: string,
  payload: string,
  answer: string,
  retries: number,
): void {
  const { clock, invoker, onFailure } = options;
  const delayMs = RETRY_DELAYS_MS[retries];
  if (delayMs === undefined) {
    onFailure(new Error(`${functionArn} failed ${retries + 1} times: ${answer}`));
    return;
  }
  clock.after(delayMs, () =>
    clock.busy(async () => {
      try {
        const again = await invoker.invoke(functionArn, payload);
        if (again.functionError !== undefined)
          retry(options, functionArn, payload, again.payload, retries + 1);
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        onFailure(new Error(`${functionArn} could not be invoked again: ${error.message}`, { cause: error }));
      }
    }),
  );
}
