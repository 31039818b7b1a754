/**
 * How far step and simple scaling go (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-scaling-simple-step.html).
 * Pure.
 */
import type { ScalingPolicy, StepAdjustment } from '@aws-sdk/client-auto-scaling';

type Adjusting = Pick<ScalingPolicy, 'AdjustmentType' | 'MinAdjustmentMagnitude'>;

/** The capacity after an adjustment of `from`; bounds are not its own. */
export function adjusted(
  { AdjustmentType, MinAdjustmentMagnitude = 0 }: Adjusting,
  from: number,
  by: number,
): number {
  if (AdjustmentType === 'ExactCapacity') return by;
  if (AdjustmentType === 'ChangeInCapacity') return from + by;
  const share = rounded((from * by) / 100);
  return from + Math.sign(by) * Math.max(Math.abs(share), MinAdjustmentMagnitude);
}

/**
 * The step that a metric falls in, `beyond` its threshold: above it "the lower bound is inclusive and the upper bound is
 * exclusive", below it the other way about.
 */
export function stepOf(steps: readonly StepAdjustment[], beyond: number): StepAdjustment | undefined {
  return steps.find(
    ({ MetricIntervalLowerBound: lower = -Infinity, MetricIntervalUpperBound: upper = Infinity }) =>
      beyond >= 0 ? lower <= beyond && beyond < upper : lower < beyond && beyond <= upper,
  );
}

/** "Values greater than 1 are rounded down", those between 0 and 1 to 1, and likewise below 0. */
function rounded(change: number): number {
  if (change === 0) return 0;
  return Math.abs(change) < 1 ? Math.sign(change) : Math.trunc(change);
}
