/** Whether the new generation can carry what the old one carries now: autoscaling or a person may have changed either. */
import type { Plan } from '../deployment/plan.ts';
import type { Deployment } from '../ledger/service-item.ts';
import { unitOf } from './unit.ts';

/** What is seen of the new generation. */
export interface Size {
  readonly desired: number;
  /** Its own targets that are healthy. */
  readonly healthy: number;
}

export type Capacity =
  | { readonly capacity: 'enough' }
  /** Fewer tasks or instances are wanted of it than of the old one. */
  | { readonly capacity: 'tooSmall' }
  /** As many are wanted, but not all are healthy yet. */
  | { readonly capacity: 'growing' };

/** `needed`: tasks or instances that are wanted of the old generation now. */
export function capacityFor(needed: number, { desired, healthy }: Size): Capacity {
  if (desired < needed) return { capacity: 'tooSmall' };
  return { capacity: healthy < needed ? 'growing' : 'enough' };
}

/**
 * `wanted`: of the old generation now; undefined when it does not exist. Why going forward would leave no way back, in words: somebody scaled the old generation to nothing, or deleted it.
 * Undefined when nobody did. Back from something bad no way back to it is needed.
 */
export function foreignCounts(
  { from, to, direction, settings }: Plan,
  { desiredBefore }: Pick<Deployment, 'desiredBefore'>,
  wanted: number | undefined,
): string | undefined {
  if (from === null || direction === 'back' || desiredBefore === null || desiredBefore === 0)
    return undefined;
  if (wanted !== undefined && wanted > 0) return undefined;
  const seen = wanted === undefined ? 'does not exist any more' : `is scaled to 0 ${unitOf(settings)}s`;
  return `${from.name} ${seen}; it had ${desiredBefore} when ${to.name} was launched. Somebody else changed that, and it is left so, but without ${from.name} there is no way back. Bring it back to go on`;
}
