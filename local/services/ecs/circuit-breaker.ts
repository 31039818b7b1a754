/** How many failed tasks a deployment may have before its circuit breaker ends it. */
import type { DeploymentCircuitBreaker } from '@aws-sdk/client-ecs';

/** Bounds and default of `BOUNDED_PERCENT` (API reference, ThresholdConfiguration). */
const bounds = { least: 3, most: 200, percent: 50 };

/** The count of failed tasks at which the deployment is FAILED; undefined when the breaker is off. */
export function failureThreshold(
  breaker: DeploymentCircuitBreaker | undefined,
  desiredCount: number,
): number | undefined {
  if (breaker?.enable !== true) return undefined;
  const type = breaker.thresholdConfiguration?.type ?? 'BOUNDED_PERCENT';
  const value = breaker.thresholdConfiguration?.value ?? bounds.percent;
  switch (type) {
    case 'COUNT':
      return value;
    case 'UNBOUNDED_PERCENT':
      return Math.max(1, Math.ceil((value * desiredCount) / 100));
    case 'BOUNDED_PERCENT':
      return Math.min(bounds.most, Math.max(bounds.least, Math.ceil((value * desiredCount) / 100)));
  }
}
