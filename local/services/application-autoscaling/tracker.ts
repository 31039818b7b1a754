/** Looks each minute at the alarms of target tracking and moves counts; runs while there is a policy that tracks. */
import type { Clock, Timer } from '../../clock.ts';
import type { ScalableTargets } from './scalable-targets.ts';
import type { ScaledServices } from './scaled-services.ts';
import { type Policy, type Target, within } from './target.ts';
import { inward, outward, type Reading } from './target-tracking.ts';
import type { TrackingAlarms } from './tracking-alarms.ts';

const minuteMs = 60_000;
/** Metrics and alarms are seen at whole minutes; the look comes after them. */
const afterMinuteMs = 1_000;
/** Of ECS services: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html */
const defaultCooldownSeconds = 300;

export class Tracker {
  readonly #clock: Clock;
  readonly #services: ScaledServices;
  readonly #targets: ScalableTargets;
  readonly #alarms: TrackingAlarms;
  #next: Timer | undefined;

  constructor(options: {
    clock: Clock;
    services: ScaledServices;
    targets: ScalableTargets;
    alarms: TrackingAlarms;
  }) {
    this.#clock = options.clock;
    this.#services = options.services;
    this.#targets = options.targets;
    this.#alarms = options.alarms;
  }

  /** A policy was put. */
  wake(): void {
    if (this.#next !== undefined) return;
    const now = this.#clock.now();
    const minute = Math.floor((now - afterMinuteMs) / minuteMs) + 1;
    this.#next = this.#clock.after(minute * minuteMs + afterMinuteMs - now, () => {
      this.#next = undefined;
      const tracked = this.#targets.all().filter((target) => tracking(target).length > 0);
      for (const target of tracked) this.#look(target);
      if (tracked.length > 0) this.wake();
    });
  }

  close(): void {
    this.#next?.cancel();
  }

  #look(target: Target): void {
    const service = this.#services.find(target.place);
    if (service === undefined) return;
    const now = this.#clock.now();
    const { desired: current, deploying } = service;
    const readings = this.#readings(target);
    const base = target.out !== undefined && now < target.out.until ? target.out.from : current;
    const { DynamicScalingOutSuspended, DynamicScalingInSuspended } = target.suspended;
    const out = DynamicScalingOutSuspended ? undefined : outward(current, base, readings);
    // Scale-in rests while ECS deploys: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
    const rests =
      DynamicScalingInSuspended || deploying || (target.in !== undefined && now < target.in.until);
    const movement = out ?? (rests ? undefined : inward(current, readings));
    if (movement === undefined) return;
    const desired = within(target, movement.desired);
    // A bound that a person crossed by hand is no reason to move the other way.
    if (movement.direction === 'out' ? desired <= current : desired >= current) return;
    const cooldown = { until: now + movement.cooldownSeconds * 1_000, from: base };
    // Scaling out ends the cooldown of scaling in.
    target.out = movement.direction === 'out' ? cooldown : target.out;
    target.in = movement.direction === 'in' ? cooldown : undefined;
    this.#services.scale(target.place, desired);
  }

  #readings(target: Target): Reading[] {
    const policies = tracking(target);
    const names = policies.flatMap(({ tracking: { high, low } }) =>
      low === undefined ? [high] : [high, low],
    );
    const red = this.#alarms.red(names);
    return policies.map((policy) => {
      const { configuration, high, low } = policy.tracking;
      return {
        target: configuration.TargetValue ?? 0,
        value: this.#alarms.latest(target, policy),
        isHigh: red.has(high),
        isLow: low === undefined ? undefined : red.has(low),
        outCooldownSeconds: configuration.ScaleOutCooldown ?? defaultCooldownSeconds,
        inCooldownSeconds: configuration.ScaleInCooldown ?? defaultCooldownSeconds,
      };
    });
  }
}

type Tracked = Policy & { readonly tracking: NonNullable<Policy['tracking']> };

function tracking({ policies }: Target): Tracked[] {
  return [...policies.values()].filter((policy): policy is Tracked => policy.tracking !== undefined);
}
