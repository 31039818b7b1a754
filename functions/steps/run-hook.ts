/**
 * Calls one hook, again when it fails to answer, and latches what it says as a signal does. It may be called twice for the same
 * key; the first answer counts. One that answers later is left to do so by the signal function.
 */
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import { hookOutput } from '../core/hooks/hook-contract.ts';
import { serviceName } from '../core/names.ts';
import { parse } from '../core/parse.ts';
import type { ServiceFunctions } from '../ports/hooks.ts';
import { type SignalPorts, signal } from './signal.ts';

export const runHookInput = z.object({
  service: serviceName,
  key: z.string(),
  function: z.string(),
  input: z.unknown(),
  retries: z.int(),
  until: z.number(),
});
type RunHookInput = z.infer<typeof runHookInput>;

export interface RunHookPorts extends SignalPorts {
  readonly functions: ServiceFunctions;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A function of ours ends after 15 minutes; what it waits for must end before. */
const mostMs = 14 * 60_000;
const firstPauseMs = 1_000;

export async function runHook(run: RunHookInput, ports: RunHookPorts): Promise<{ readonly remark: string }> {
  const said = await answerOf(run, ports);
  if (said.verdict === 'later') return { remark: `${run.key} answers later` };
  const { verdict } = said;
  const reason = said.verdict === 'fail' ? said.reason : 'passed';
  const { remarks } = await signal(
    { service: run.service, signal: 'answer', key: run.key, verdict, reason },
    ports,
  );
  return { remark: remarks.join('; ') };
}

async function answerOf(run: RunHookInput, ports: RunHookPorts): Promise<z.infer<typeof hookOutput>> {
  const end = Math.min(run.until, ports.now() + mostMs);
  for (let attempt = 0; ; attempt++) {
    try {
      const output = await ports.functions.call(run.function, run.input, Math.max(1, end - ports.now()));
      const parsed = parse(hookOutput, output);
      if (parsed.ok) return parsed.value;
      const wanted = '{"verdict":"pass"}, {"verdict":"fail","reason":"why"} or {"verdict":"later"}';
      return {
        verdict: 'fail',
        reason: `it answered what is none of ${wanted} (${parsed.mistakes.join('; ')})`,
      };
    } catch (failure) {
      if (!(failure instanceof CutoverError)) throw failure;
      const pause = firstPauseMs * 2 ** attempt;
      const mayTryAgain = failure.name === 'Cutover.AwsUnavailable' && attempt < run.retries;
      if (!mayTryAgain || ports.now() + pause >= end) return { verdict: 'fail', reason: failure.message };
      await ports.sleep(pause);
    }
  }
}
