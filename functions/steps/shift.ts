/**
 * Puts the weights of a step into the rule. Writes one rule; runs before each bake. A repeat finds the weights and writes
 * nothing.
 */
import * as z from 'zod';
import { intending, shifted } from '../core/course.ts';
import { CutoverError } from '../core/errors.ts';
import { stopReason } from '../core/latch.ts';
import { running } from '../core/ownership.ts';
import { planSchema, planStep } from '../core/plan.ts';
import type { Weights } from '../core/weights.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import { accepted } from './accepted.ts';
import type { Now } from './clock.ts';
import { type LookPorts, look } from './look.ts';

export const shiftInput = z.object({
  direction: z.literal('forward'),
  plan: planSchema,
  step: planStep,
  index: z.int().min(0),
});

export interface ShiftPorts extends LookPorts {
  readonly ledger: Ledger;
  readonly traffic: Traffic;
  readonly now: Now;
}

export async function shift(
  { plan, step, index }: z.infer<typeof shiftInput>,
  ports: ShiftPorts,
): Promise<{ readonly weights: Weights }> {
  const { service, traffic } = plan.settings;
  const before = await accepted(await ports.ledger.read(service), plan, ports);
  const stop = stopReason(running(before, plan).latch);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);

  const { verdict, strangers } = await look(plan, ports);
  if (verdict.verdict !== 'pass') {
    const words = verdict.verdict === 'fail' ? verdict.reasons : verdict.missing;
    throw new CutoverError('Cutover.Unhealthy', `${plan.to.name} may not take traffic: ${words.join('; ')}`);
  }
  if (strangers.length > 0) {
    throw new CutoverError(
      'Cutover.Guarded',
      `the slot ${plan.to.slot} holds targets that are not ${plan.to.name}'s (${strangers.map(({ id }) => id).join(', ')}); weight on it would reach them too`,
    );
  }

  const expected = before.weights ?? plan.weightsBefore;
  await ports.ledger.change(service, (item) => ({
    item: intending(item, plan, { kind: 'shift', before: expected, after: step.weights }, ports.now()),
  }));
  await ports.traffic.shift(traffic, expected, step.weights);
  await ports.ledger.change(service, (item) => ({ item: shifted(item, plan, step, index, ports.now()) }));
  return { weights: step.weights };
}
