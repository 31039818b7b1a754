/** A scalable target as target tracking sees it: cooldowns tell what was added lately, and when to rest. */
import type { Clock } from '../../clock.ts';
import type { Tracked } from '../target-tracking/tracker.ts';
import type { ScaledServices } from './scaled-services.ts';
import type { Target } from './target.ts';

/** Of ECS services: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html */
const defaultCooldownSeconds = 300;

export function trackedTarget(
  target: Target,
  { clock, services }: { clock: Clock; services: ScaledServices },
): Tracked {
  /** The count before the last scaling out while its cooldown lasts. */
  const base = (current: number): number =>
    target.out !== undefined && clock.now() < target.out.until ? target.out.from : current;
  return {
    trackings: [...target.policies.values()].flatMap(({ tracking }) => tracking ?? []),
    capacity: () => {
      const service = services.find(target.place);
      if (service === undefined) return undefined;
      const { desired: current, deploying } = service;
      const { DynamicScalingOutSuspended, DynamicScalingInSuspended } = target.suspended;
      const cools = target.in !== undefined && clock.now() < target.in.until;
      return {
        current,
        base: base(current),
        mayGrow: !DynamicScalingOutSuspended,
        // Scale-in rests while ECS deploys: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
        mayShrink: !DynamicScalingInSuspended && !deploying && !cools,
        minimum: target.minimum,
        maximum: target.maximum,
      };
    },
    move: ({ direction, desired, tracking: { policyName } }) => {
      const current = services.find(target.place)?.desired ?? desired;
      const { ScaleOutCooldown, ScaleInCooldown } =
        target.policies.get(policyName)?.description.TargetTrackingScalingPolicyConfiguration ?? {};
      const seconds = (direction === 'out' ? ScaleOutCooldown : ScaleInCooldown) ?? defaultCooldownSeconds;
      const cooldown = { until: clock.now() + seconds * 1_000, from: base(current) };
      // Scaling out ends the cooldown of scaling in.
      target.out = direction === 'out' ? cooldown : target.out;
      target.in = direction === 'in' ? cooldown : undefined;
      services.scale(target.place, desired);
    },
  };
}
