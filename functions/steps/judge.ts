/**
 * Asks every gate at the end of a bake, and whether the weights are still ours: what was judged is what they were. Returns when
 * all pass; throws what failed, or `Cutover.NotYet` while the bake goes on. Changes nothing.
 */
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import { stopReason } from '../core/latch.ts';
import { running } from '../core/ownership.ts';
import { planSchema } from '../core/plan.ts';
import { foreignWeights, sameWeights } from '../core/weights.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import type { Now } from './clock.ts';
import { askGates, type GatePorts } from './gates.ts';

export const judgeInput = z.object({
  plan: planSchema,
  /** Milliseconds since the epoch. */
  deadline: z.number(),
});

export interface JudgePorts extends GatePorts {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly traffic: Pick<Traffic, 'targets' | 'weights'>;
  readonly now: Now;
}

export async function judge(
  { plan, deadline }: z.infer<typeof judgeInput>,
  ports: JudgePorts,
): Promise<{ readonly verdict: 'pass' }> {
  const item = await ports.ledger.read(plan.settings.service);
  const deployment = running(item, plan);
  const stop = stopReason(deployment.latch);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);

  const { traffic } = plan.settings;
  const written = item.weights ?? plan.weightsBefore;
  const [gates, weights] = await Promise.all([
    askGates(plan, deployment, ports),
    ports.traffic.weights(traffic, written),
  ]);
  if (gates.verdict === 'fail') throw new CutoverError(gates.error, gates.cause);
  if (!sameWeights(weights, written)) throw foreignWeights(traffic.rule, written, weights);
  const remaining = deadline - ports.now();
  if (remaining > 0 && !gates.alone) {
    throw new CutoverError(
      'Cutover.NotYet',
      `nothing speaks against ${plan.to.name}, the bake goes on for ${Math.ceil(remaining / 1_000)} s`,
    );
  }
  return { verdict: 'pass' };
}
