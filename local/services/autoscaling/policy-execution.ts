/** What a policy of simple or step scaling does to its group when an alarm triggers it, or a person. */
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { adjusted, stepOf } from './adjustment.ts';
import type { DesiredCapacity } from './desired-capacity.ts';
import { type Group, invalid } from './group.ts';
import type { Policy } from './policy.ts';
import { capacityOf } from './warm-up.ts';

export class PolicyExecution {
  readonly #clock: Clock;
  readonly #capacity: DesiredCapacity;

  constructor(options: { clock: Clock; capacity: DesiredCapacity }) {
    this.#clock = options.clock;
    this.#capacity = options.capacity;
  }

  /** `beyond`: the metric less the alarm's threshold; undefined for simple scaling, which does not ask. */
  run(
    group: Group,
    policy: Policy,
    trigger: { beyond: number | undefined; honorsCooldown: boolean; by: string },
  ): void {
    const desired =
      policy.type === 'StepScaling'
        ? this.#stepped(group, policy, trigger.beyond)
        : this.#simple(group, policy, trigger.honorsCooldown);
    const { minimum, maximum } = group.settings;
    const bounded = Math.min(Math.max(desired, minimum), maximum);
    if (bounded === group.settings.desired) return;
    this.#capacity.change(group, bounded, trigger.by);
    // It begins with the change here; on AWS when the last instance was launched or terminated.
    if (policy.type === 'SimpleScaling')
      group.cooldownUntil =
        this.#clock.now() + (policy.shown.Cooldown ?? group.settings.cooldownSeconds) * 1_000;
  }

  #simple(group: Group, { shown }: Policy, honorsCooldown: boolean): number {
    if (honorsCooldown && this.#clock.now() < group.cooldownUntil) throw coolsDown(group);
    return adjusted(shown, group.settings.desired, shown.ScalingAdjustment ?? 0);
  }

  /**
   * Out from what is warm, so that a second alarm for the same load adds nothing; in only when all are. No step for a value is
   * an error: https://github.com/DFE-Digital/teaching-vacancies/pull/58 has its words from an alarm's history.
   */
  #stepped(group: Group, policy: Policy, beyond = 0): number {
    const step = stepOf(policy.shown.StepAdjustments ?? [], beyond);
    if (step === undefined)
      throw invalid(`No step adjustment found for metric value ${beyond} beyond the threshold`);
    const by = step.ScalingAdjustment ?? 0;
    const { current, base, mayShrink } = capacityOf(group, [policy], this.#clock.now());
    const grown = adjusted(policy.shown, base, by);
    if (grown > current) return grown;
    const shrunk = adjusted(policy.shown, current, by);
    return shrunk < current && mayShrink ? shrunk : current;
  }
}

/** Words are assumed. */
export function coolsDown({ name }: Group): AwsError {
  return new AwsError(
    'ScalingActivityInProgressFault',
    `The cooldown period of AutoScalingGroup '${name}' has not ended`,
  );
}
