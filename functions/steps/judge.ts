/**
 * Asks every gate at the end of a bake, and whether the weights are still ours: what was judged is what they were. Returns when
 * all pass; throws what failed, or, while the machine is to bake on, `Cutover.NotYet`, `Cutover.Inconclusive` (a gate needs more)
 * or `Cutover.AwaitsApproval` (a person's word is missing). Changes nothing.
 */
import * as z from 'zod';
import { approvalOf, mustBeApproved } from '../core/deployment/pause.ts';
import { planSchema } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import { running } from '../core/ledger/ownership.ts';
import { stopReason } from '../core/signals/latch.ts';
import { foreignWeights, sameWeights } from '../core/traffic/weights.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import type { Now } from './clock.ts';
import { askGates, type GatePorts } from './gates.ts';

export const judgeInput = z.object({
  plan: planSchema,
  /** When the bake ends, extended or not, in milliseconds since the epoch. */
  deadline: z.number(),
  /** When it ended by the strategy. */
  due: z.number(),
});

export interface JudgePorts extends GatePorts {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly traffic: Pick<Traffic, 'targets' | 'weights'>;
  readonly now: Now;
}

export interface Judged {
  readonly verdict: 'pass';
  /** What was compared, in words. */
  readonly words: readonly string[];
}

export async function judge(
  { plan, deadline, due }: z.infer<typeof judgeInput>,
  ports: JudgePorts,
): Promise<Judged> {
  const { traffic, service, extendSeconds } = plan.settings;
  const item = await ports.ledger.read(service);
  const deployment = running(item, plan);
  const stop = stopReason(deployment);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);

  const written = item.weights ?? plan.weightsBefore;
  const isLastWord = ports.now() >= due + extendSeconds * 1_000;
  const [gates, weights] = await Promise.all([
    askGates(plan, item, isLastWord, ports),
    ports.traffic.weights(traffic, written),
  ]);
  if (gates.verdict === 'fail') throw new CutoverError(gates.error, gates.cause);
  if (!sameWeights(weights, written)) throw foreignWeights(traffic.rule, written, weights);
  const passed: Judged = { verdict: 'pass', words: gates.words };
  if (gates.alone) return passed;

  const approval = approvalOf(deployment);
  const remaining = (approval === undefined ? deadline : due) - ports.now();
  if (remaining > 0) {
    throw new CutoverError(
      'Cutover.NotYet',
      `nothing speaks against ${plan.to.name}, the bake goes on for ${Math.ceil(remaining / 1_000)} s`,
    );
  }
  if (gates.missing.length > 0) {
    const missing = gates.missing.join('; ');
    if (!isLastWord) throw new CutoverError('Cutover.Inconclusive', missing);
    throw new CutoverError(
      'Cutover.GateFailed',
      `${plan.to.name} could not be shown to be good, ${extendSeconds} s after its bake was over: ${missing}`,
    );
  }
  if (mustBeApproved(deployment) && approval === undefined) {
    const { pause, step } = deployment;
    if (pause?.step !== step || ports.now() < pause.until)
      throw new CutoverError('Cutover.AwaitsApproval', `${plan.to.name} may go on when somebody approves`);
    throw new CutoverError(
      'Cutover.NotApproved',
      `nobody approved of ${plan.to.name} until ${new Date(pause.until).toISOString()}`,
    );
  }
  return passed;
}
