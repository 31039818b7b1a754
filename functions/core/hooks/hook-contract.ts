/** What a hook is called with, and what it answers: docs/hooks.md tells it to those who write one. */
import * as z from 'zod';
import type { Generation } from '../fleet/generation.ts';
import type { HookRun, ServiceItem } from '../ledger/service-item.ts';

/** What a hook answers; `later`: by the signal `answer`, with the key that it was given. */
export const hookOutput = z.discriminatedUnion('verdict', [
  z.object({ verdict: z.literal('pass') }),
  z.object({ verdict: z.literal('fail'), reason: z.string().min(1) }),
  z.object({ verdict: z.literal('later') }),
]);

/** Reaches the new generation before it has traffic: the header that the slot's own rule goes by. */
export const slotHeader = 'x-cutover-slot';

/** What a hook is called with. */
export function hookInput({ service, deployment, retained }: ServiceItem, run: HookRun) {
  const { from, to, direction, steps } = deployment?.plan ?? {};
  // What is to be ended may have been replaced by an earlier deployment.
  const kept = retained.map(({ generation }) => generation);
  const about = [to, from, ...kept].find((each) => each?.name === run.generation) ?? null;
  const seen = (each: Generation | null | undefined) =>
    each == null
      ? null
      : { name: each.name, slot: each.slot, image: `${each.repository}:${each.tag}`, digest: each.digest };
  return {
    schema: 1,
    /** The same for every repeat, and what an answer that comes later is given with. */
    key: run.key,
    hook: run.hook,
    stage: run.stage,
    service,
    deployment: run.deployment,
    direction: direction ?? null,
    generation: seen(about) ?? { name: run.generation },
    replaces: run.generation === to?.name ? seen(from) : null,
    weightPercent: run.step === null ? null : (steps?.[run.step]?.weightPercent ?? null),
    testTraffic: about === null ? null : { header: slotHeader, value: `${service}-${about.slot}` },
    deadline: new Date(run.until).toISOString(),
  };
}
