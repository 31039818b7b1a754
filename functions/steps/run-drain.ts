/**
 * Has one instance drained by its service's function, called again while it fails, and then lets it go. What is over, or gone, is
 * left alone, and what another invocation drains.
 */
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import { calledBy, type Draining, drained, handedOn } from '../core/fleet/drain.ts';
import { generationName, type ServiceName, serviceName } from '../core/names.ts';
import type { Drains } from '../ports/drains.ts';
import type { ServiceFunctions } from '../ports/hooks.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

export const runDrainInput = z.strictObject({
  service: serviceName,
  generation: generationName,
  instance: z.string().min(1),
  function: z.string().nullable(),
  until: z.number(),
});
type RunDrainInput = z.infer<typeof runDrainInput>;

export interface EndDrainPorts {
  readonly drains: Drains;
  readonly ledger: Pick<Ledger, 'change'>;
  readonly now: Now;
}

export interface RunDrainPorts extends EndDrainPorts {
  readonly functions: ServiceFunctions;
  /** Id of the invocation; a try of the same one again has the same. */
  readonly caller: string;
  readonly sleep: (ms: number) => Promise<void>;
}

interface RunDrainOutput {
  readonly remark: string;
  /** Why the instance was not drained. */
  readonly failure?: string;
}

/** A function of ours ends after 15 minutes; what it waits for must end before. */
const mostMs = 14 * 60_000;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

export async function runDrain(run: RunDrainInput, ports: RunDrainPorts): Promise<RunDrainOutput> {
  const { service, instance } = run;
  const { ledger, drains, now } = ports;
  const { refusal } = await ledger.change(service, (item) => calledBy(item, run, ports.caller));
  if (refusal !== undefined) return { remark: refusal };
  // From now on its whole time is left, however long it waited. What is gone cannot be asked to hand over.
  if ((await drains.keep(run)) === 'gone') {
    await ledger.change(service, (item) => ({ item: drained(item, [run], now()) }));
    return { remark: `${instance} is gone` };
  }
  const end = Math.min(run.until, now() + mostMs);
  const failure = run.function === null ? undefined : await failureOf(run, run.function, end, ports);
  if (failure !== undefined && now() < run.until && end < run.until) {
    await ledger.change(service, (item) => ({ item: handedOn(item, run) }));
    return { remark: `${instance} drains still, and is handed on: ${failure}` };
  }
  await letGo(service, run, failure, ports);
  return failure === undefined
    ? { remark: `${instance} is drained` }
    : { remark: `${instance} is let go`, failure };
}

/** The instance ends, and the next one drains. `failure`: why it was not drained. */
export async function letGo(
  service: ServiceName,
  { generation, instance }: Draining,
  failure: string | undefined,
  { drains, ledger, now }: EndDrainPorts,
): Promise<void> {
  const of = { generation, instance };
  await drains.letGo(of);
  const told = failure === undefined ? undefined : { ...of, reason: failure };
  await ledger.change(service, (item) => ({ item: drained(item, [of], now(), told) }));
}

/** Undefined once the function has answered, whatever it said. */
async function failureOf(
  { service, generation, instance, until }: RunDrainInput,
  name: string,
  end: number,
  { functions, sleep, now }: RunDrainPorts,
): Promise<string | undefined> {
  const input = { service, generation, instance, deadline: new Date(until).toISOString() };
  let failure = `its time was over at ${input.deadline}, before ${name} was called`;
  for (let attempt = 0; now() < end; attempt++) {
    try {
      await functions.call(name, input, end - now());
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof CutoverError)) throw thrown;
      failure = thrown.message;
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
      // To the end, for then it is let go, never before.
      await sleep(Math.max(0, Math.min(pause, end - now())));
    }
  }
  return failure;
}
