/**
 * How far target tracking scales, decided from what its alarms and metrics say. By
 * https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html: out in
 * proportion to the metric and rounded up, in only when all policies would, and by the one that leaves the most.
 */

import type { Tracking } from './tracking.ts';

/** What is seen of one policy. */
export interface Reading {
  readonly tracking: Tracking;
  /** Of the newest minute. */
  readonly value: number | undefined;
  readonly isHigh: boolean;
  /** Undefined when the policy does not scale in. */
  readonly isLow: boolean | undefined;
}

export interface Movement {
  readonly direction: 'out' | 'in';
  readonly desired: number;
  /** The policy that it is by. */
  readonly tracking: Tracking;
}

/** AWS says only that it "scales in more gradually"; the share that goes at once is ours. */
const mostInAtOnce = 0.1;

/**
 * `base`: what carried the load that was measured; what was added since counts as part of what is needed.
 */
export function outward(current: number, base: number, readings: readonly Reading[]): Movement | undefined {
  const movements = readings.flatMap(({ tracking, value, isHigh }): Movement[] => {
    if (!isHigh || value === undefined || value <= tracking.target) return [];
    return [{ direction: 'out', desired: Math.ceil((base * value) / tracking.target), tracking }];
  });
  const most = largest(movements);
  return most !== undefined && most.desired > current ? most : undefined;
}

export function inward(current: number, readings: readonly Reading[]): Movement | undefined {
  const scaling = readings.filter(({ isLow }) => isLow !== undefined);
  if (readings.some(({ isHigh }) => isHigh) || scaling.some(({ isLow }) => isLow !== true)) return undefined;
  const slowest = current - Math.max(1, Math.floor(current * mostInAtOnce));
  const movements = scaling.map(
    ({ tracking, value = tracking.target }): Movement => ({
      direction: 'in',
      desired: Math.max(slowest, Math.ceil((current * value) / tracking.target)),
      tracking,
    }),
  );
  const most = largest(movements);
  return most !== undefined && most.desired < current ? most : undefined;
}

function largest(movements: readonly Movement[]): Movement | undefined {
  return movements.toSorted((a, b) => b.desired - a.desired)[0];
}
