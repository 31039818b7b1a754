/**
 * Puts the weights of a step into the rule. Writes one rule; runs before each bake. A repeat finds the weights and writes
 * nothing. A new generation that is smaller than the old one by now is made as large first, and gets the weight only once it
 * is healthy at that size (`Cutover.Growing` until then).
 */
import * as z from 'zod';
import { growing, grown, intending, resized, shifted } from '../core/deployment/course.ts';
import { type Plan, planSchema, planStep } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import { capacityFor, foreignCounts, type Size } from '../core/fleet/capacity.ts';
import { unitOf } from '../core/fleet/unit.ts';
import { running } from '../core/ledger/ownership.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { reading } from '../core/reading.ts';
import { stopReason } from '../core/signals/latch.ts';
import { sameWeights, type Weights } from '../core/traffic/weights.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import { accepted } from './accepted.ts';
import { passHooks } from './ask-hooks.ts';
import type { Now } from './clock.ts';
import { lookAgain, oldIsDead, wantedOfOld } from './look.ts';
import { holdAt, holdOld, type ScalePorts } from './scale.ts';

export const shiftInput = z.object({
  direction: z.literal('forward'),
  plan: planSchema,
  step: planStep,
  index: z.int().min(0),
});

export interface ShiftPorts extends ScalePorts {
  readonly ledger: Ledger;
  readonly fleet: Pick<Fleet, 'observe' | 'wanted' | 'resize'>;
  readonly traffic: Traffic;
  readonly sleep: (ms: number) => Promise<void>;
  readonly now: Now;
}

export async function shift(
  { plan, step, index }: z.infer<typeof shiftInput>,
  ports: ShiftPorts,
): Promise<{ readonly weights: Weights }> {
  const { service, traffic } = plan.settings;
  const before = await accepted(await ports.ledger.read(service), plan, ports);
  const deployment = running(before, plan);
  const stop = stopReason(deployment);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);

  const [{ verdict, strangers, size }, wanted, alone] = await Promise.all([
    lookAgain(plan, deployment.desired, ports),
    wantedOfOld(plan, ports),
    oldIsDead(plan, ports),
  ]);
  const foreign = foreignCounts(plan, deployment, wanted);
  if (foreign !== undefined) throw new CutoverError('Cutover.ForeignCounts', foreign);
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

  if (deployment.step < 0 && plan.direction === 'forward') await passHooks(plan, ports);

  const needed = wanted ?? 0;
  // What an earlier try may have written is finished first: only its intent tells that the weights are ours.
  if (before.intent?.kind !== 'shift') await refuseWhileSmaller(plan, before, { needed, size }, ports);

  // What the old generation would get is lost when nothing of it is healthy. A step that was passed over is not gone back to.
  const unanswered = await unansweredStep(before, plan, ports.traffic);
  const at = alone ? plan.steps.length - 1 : Math.max(index, deployment.step, unanswered);
  const reached = plan.steps[at] ?? step;
  const takesOver = alone && at > deployment.step;
  const expected = plan.steps[unanswered]?.weights ?? before.weights ?? plan.weightsBefore;
  await ports.ledger.change(service, (item) => ({
    item: intending(
      grown(item, plan, needed),
      plan,
      { kind: 'shift', before: expected, after: reached.weights },
      ports.now(),
    ),
  }));
  // A way back does not depend on what scales: only what goes forward holds the generation that it comes from. Nor does what
  // must not wait, for the old one answers nobody any more.
  const hold = () => holdOld(plan, before, needed, ports);
  if (plan.direction === 'forward') await (alone ? reading(hold) : hold());
  await ports.traffic.shift(traffic, expected, reached.weights);
  await ports.ledger.change(service, (item) => ({
    item: shifted(item, plan, reached, at, ports.now(), takesOver),
  }));
  return { weights: reached.weights };
}

/**
 * The step whose weights an earlier try wrote without an answer; -1 when there is none. It may be a later one than this try
 * goes to, or an earlier one, for the old generation came back, or died, since. Only the intent tells that they are ours.
 */
async function unansweredStep(
  { weights, intent }: ServiceItem,
  { settings, steps, weightsBefore }: Plan,
  traffic: Pick<Traffic, 'weights'>,
): Promise<number> {
  if (intent?.kind !== 'shift') return -1;
  const current = await traffic.weights(settings.traffic);
  const tried = [intent.before, intent.after].some((each) => each !== null && sameWeights(each, current));
  if (!tried || sameWeights(current, weights ?? weightsBefore)) return -1;
  return steps.findLastIndex((each) => sameWeights(each.weights, current));
}

/** Autoscaling may have made the old generation larger since the new one was launched. */
async function refuseWhileSmaller(
  plan: Plan,
  item: ServiceItem,
  { needed, size }: { readonly needed: number; readonly size: Size },
  ports: ShiftPorts,
): Promise<void> {
  const { ledger, fleet, now } = ports;
  const { growingSince } = running(item, plan);
  const { capacity } = capacityFor(needed, size);
  if (capacity === 'enough') return;
  const { settings, to } = plan;
  const missing = `${size.healthy} of the ${needed} ${unitOf(settings)}s that the old generation has are healthy`;
  const { healthDeadlineSeconds } = settings;
  if (growingSince !== null && now() - growingSince > healthDeadlineSeconds * 1_000) {
    throw new CutoverError(
      'Cutover.Unhealthy',
      `${to.name} did not grow within ${healthDeadlineSeconds} s: ${missing}`,
    );
  }
  await ledger.change(settings.service, (current) => ({ item: growing(current, plan, now()) }));
  if (capacity === 'tooSmall') {
    await ledger.change(settings.service, (current) => ({
      item: intending(current, plan, { kind: 'resize', before: null, after: null }, now()),
    }));
    await holdAt(item.bounds, plan, needed, ports);
    await fleet.resize(settings, to, needed);
    await ledger.change(settings.service, (current) => ({ item: resized(current, plan) }));
  }
  throw new CutoverError('Cutover.Growing', `${to.name} must grow before it gets more weight: ${missing}`);
}
