/** The share of each slot in the production rule: absolute numbers that sum to 100. */
import * as z from 'zod';
import { CutoverError } from '../errors.ts';
import { type SlotName, slotName } from '../names.ts';

export const weightsSchema = z.record(slotName, z.int().min(0).max(999));
export type Weights = z.infer<typeof weightsSchema>;

/** `weightPercent` on one slot, the rest on the other, 0 on all further slots. */
export function splitBetween(
  slots: readonly SlotName[],
  to: SlotName,
  from: SlotName | undefined,
  weightPercent: number,
): Weights {
  const weights: Weights = {};
  for (const slot of slots) weights[slot] = 0;
  weights[to] = from === undefined ? 100 : weightPercent;
  if (from !== undefined) weights[from] = 100 - weightPercent;
  return weights;
}

/** Whether two readings mean the same; a slot that is not named has weight 0. */
export function sameWeights(one: Weights, other: Weights): boolean {
  const slots = new Set([...Object.keys(one), ...Object.keys(other)]) as Set<SlotName>;
  return [...slots].every((slot) => (one[slot] ?? 0) === (other[slot] ?? 0));
}

/** Somebody else wrote the rule: what Cutover wrote, and what stands there. */
export function foreignWeights(rule: string, ours: Weights, theirs: Weights): CutoverError {
  return new CutoverError(
    'Cutover.ForeignWeights',
    `somebody else changed the weights of ${rule}: Cutover wrote ${inWords(ours)}, the rule has ${inWords(theirs)}. They are left as they are`,
  );
}

/** A slot's part of all traffic in percent; undefined when no slot has any weight. */
export function shareOf(weights: Weights, slot: SlotName): number | undefined {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  return total === 0 ? undefined : ((weights[slot] ?? 0) / total) * 100;
}

/** The slot that has all the traffic; undefined when traffic is split or nobody has any. */
export function soleSlot(weights: Weights): SlotName | undefined {
  const weighted = Object.entries(weights).filter(([, weight]) => weight > 0);
  return weighted.length === 1 ? (weighted[0]?.[0] as SlotName) : undefined;
}

/** `blue 90, green 10`: slots without weight are left out. */
export function inWords(weights: Weights): string {
  const weighted = Object.entries(weights).filter(([, weight]) => weight > 0);
  return weighted.length === 0
    ? 'no slot has any weight'
    : weighted.map(([slot, weight]) => `${slot} ${weight}`).join(', ');
}
