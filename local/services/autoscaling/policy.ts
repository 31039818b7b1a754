/** One scaling policy of a group: what a request says of it, checked. */
import type {
  PutScalingPolicyCommandInput,
  ScalingPolicy,
  StepAdjustment,
} from '@aws-sdk/client-auto-scaling';
import type { Tracking } from '../target-tracking/tracking.ts';
import { invalid } from './group.ts';

const types = ['SimpleScaling', 'StepScaling', 'TargetTrackingScaling', 'PredictiveScaling'] as const;
export type PolicyType = (typeof types)[number];

export interface Policy {
  readonly name: string;
  readonly arn: string;
  readonly type: PolicyType;
  /** As it was put, without its alarms. */
  readonly shown: ScalingPolicy;
  /** Of target tracking alone. */
  readonly tracking: Tracking | undefined;
}

type Requested = PutScalingPolicyCommandInput;
const adjustments = ['ChangeInCapacity', 'ExactCapacity', 'PercentChangeInCapacity'];

/** What each type may have beside what all have (API_PutScalingPolicy); the others are refused where they are given. */
const own: Readonly<Record<PolicyType, readonly (keyof Requested)[]>> = {
  SimpleScaling: [
    'AdjustmentType',
    'MinAdjustmentMagnitude',
    'MinAdjustmentStep',
    'ScalingAdjustment',
    'Cooldown',
  ],
  StepScaling: [
    'AdjustmentType',
    'MinAdjustmentMagnitude',
    'MetricAggregationType',
    'StepAdjustments',
    'EstimatedInstanceWarmup',
  ],
  TargetTrackingScaling: ['TargetTrackingConfiguration', 'EstimatedInstanceWarmup'],
  PredictiveScaling: ['PredictiveScalingConfiguration'],
};

/** "The default is SimpleScaling". A policy of another type takes the place of one of the same name: assumed. */
export function typeOf({ PolicyType = 'SimpleScaling' }: Requested): PolicyType {
  const type = types.find((each) => each === PolicyType);
  if (type === undefined) throw invalid(`PolicyType must be one of ${types.join(', ')}, not ${PolicyType}`);
  return type;
}

/**
 * Words: https://github.com/Netflix/asgard/issues/704 has those of simple scaling,
 * https://github.com/hashicorp/terraform-provider-aws/issues/9077 those of open steps; the others are assumed.
 */
export function check(input: Requested, type: PolicyType): void {
  const strange = Object.values(own)
    .flat()
    .find((member) => input[member] !== undefined && !own[type].includes(member));
  if (strange !== undefined) throw invalid(`${strange} is not supported for policy type ${type}`);
  switch (type) {
    case 'SimpleScaling':
      if (input.ScalingAdjustment === undefined)
        throw invalid('Scaling increment must be specified for a SimpleScaling policy');
      return checkAdjustment(input);
    case 'StepScaling':
      checkSteps(input.StepAdjustments ?? []);
      return checkAdjustment(input);
    case 'TargetTrackingScaling':
      if (input.TargetTrackingConfiguration === undefined)
        throw invalid('TargetTrackingConfiguration must be specified for a TargetTrackingScaling policy');
      return;
    case 'PredictiveScaling':
      if (input.PredictiveScalingConfiguration === undefined)
        throw invalid('PredictiveScalingConfiguration must be specified for a PredictiveScaling policy');
  }
}

function checkAdjustment({ AdjustmentType, MinAdjustmentMagnitude, MinAdjustmentStep }: Requested): void {
  if (MinAdjustmentStep !== undefined)
    throw invalid(
      'MinAdjustmentStep is not modelled by the embedded AWS: use MinAdjustmentMagnitude instead',
    );
  if (!adjustments.includes(AdjustmentType ?? ''))
    throw invalid(`AdjustmentType must be one of ${adjustments.join(', ')}, not ${AdjustmentType}`);
  if (MinAdjustmentMagnitude !== undefined && AdjustmentType !== 'PercentChangeInCapacity')
    throw invalid('MinAdjustmentMagnitude is supported for PercentChangeInCapacity only');
}

function checkSteps(steps: readonly StepAdjustment[]): void {
  if (steps.length === 0) throw invalid('StepAdjustments must be specified for a StepScaling policy');
  if (steps.length > 20) throw invalid('At most 20 step adjustments are allowed in a policy');
  const sorted = steps.toSorted((a, b) => lower(a) - lower(b));
  for (const [at, step] of sorted.entries()) {
    if (lower(step) >= upper(step))
      throw invalid('The upper bound of a step must be greater than its lower bound');
    const next = sorted[at + 1];
    if (next !== undefined && upper(step) > lower(next))
      throw invalid('StepAdjustment intervals cannot overlap');
    if (next !== undefined && upper(step) < lower(next))
      throw invalid('StepAdjustment intervals cannot have gaps between them');
  }
  const last = upper(sorted.at(-1)!);
  if (last > 0 && last !== Infinity)
    throw invalid(
      'There must be a StepAdjustment with an unspecified upper bound (i.e., upper bound is null) when one StepAdjustment has a positive upper bound',
    );
  const first = lower(sorted[0]!);
  if (first < 0 && first !== -Infinity)
    throw invalid(
      'There must be a StepAdjustment with an unspecified lower bound (i.e., lower bound is null) when one StepAdjustment has a negative lower bound',
    );
}

function lower({ MetricIntervalLowerBound = -Infinity }: StepAdjustment): number {
  return MetricIntervalLowerBound;
}

function upper({ MetricIntervalUpperBound = Infinity }: StepAdjustment): number {
  return MetricIntervalUpperBound;
}
