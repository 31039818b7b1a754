/**
 * How far target tracking scales, decided from what its alarms and metrics say. By
 * https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html: out in
 * proportion to the metric and rounded up, in only when all policies would, and by the one that leaves the most.
 */

/** What is seen of one policy. */
export interface Reading {
  readonly target: number;
  /** Of the newest minute. */
  readonly value: number | undefined;
  readonly isHigh: boolean;
  /** Undefined when the policy does not scale in. */
  readonly isLow: boolean | undefined;
  readonly outCooldownSeconds: number;
  readonly inCooldownSeconds: number;
}

export interface Movement {
  readonly direction: 'out' | 'in';
  readonly desired: number;
  readonly cooldownSeconds: number;
}

/** AWS says only that it "scales in more gradually"; the share that goes at once is ours. */
const mostInAtOnce = 0.1;

/**
 * `base`: the count before the last scaling out while its cooldown lasts, else `current`: what was added since counts as
 * part of what is needed.
 */
export function outward(current: number, base: number, readings: readonly Reading[]): Movement | undefined {
  const movements = readings.flatMap(({ target, value, isHigh, outCooldownSeconds }): Movement[] => {
    if (!isHigh || value === undefined || value <= target) return [];
    const desired = Math.ceil((base * value) / target);
    return [{ direction: 'out', desired, cooldownSeconds: outCooldownSeconds }];
  });
  const most = largest(movements);
  return most !== undefined && most.desired > current ? most : undefined;
}

export function inward(current: number, readings: readonly Reading[]): Movement | undefined {
  const scaling = readings.filter(({ isLow }) => isLow !== undefined);
  if (readings.some(({ isHigh }) => isHigh) || scaling.some(({ isLow }) => isLow !== true)) return undefined;
  const slowest = current - Math.max(1, Math.floor(current * mostInAtOnce));
  const movements = scaling.map(
    ({ target, value = target, inCooldownSeconds }): Movement => ({
      direction: 'in',
      desired: Math.max(slowest, Math.ceil((current * value) / target)),
      cooldownSeconds: inCooldownSeconds,
    }),
  );
  const most = largest(movements);
  return most !== undefined && most.desired < current ? most : undefined;
}

function largest(movements: readonly Movement[]): Movement | undefined {
  return movements.toSorted((a, b) => b.desired - a.desired)[0];
}
