/** The desired capacity of groups: who changed it, in AWS's words, and that the group acts on it. */
import type { Clock } from '../../clock.ts';
import { type Group, secondOf } from './group.ts';

export class DesiredCapacity {
  readonly #clock: Clock;
  readonly #onChange: (group: Group) => void;

  constructor(options: { clock: Clock; onChange: (group: Group) => void }) {
    this.#clock = options.clock;
    this.#onChange = options.onChange;
  }

  /** `by`: "a user request explicitly set group desired capacity". */
  change(group: Group, desired: number, by: string): void {
    const from = group.settings.desired;
    group.settings.desired = desired;
    if (from !== desired)
      group.request = `At ${secondOf(this.#clock.now())} ${by} changing the desired capacity from ${from} to ${desired}.`;
    // Who asks again need not wait for the next try.
    group.retryAt = 0;
    this.#onChange(group);
  }

  /** All three bounds at once. */
  constrain(
    group: Group,
    { minimum, maximum, desired }: { minimum: number; maximum: number; desired: number },
    by: 'a user request' | 'a scheduled action',
  ): void {
    Object.assign(group.settings, { minimum, maximum });
    const constraints = `min: ${minimum}, max: ${maximum}, desired: ${desired}`;
    this.change(group, desired, `${by} update of AutoScalingGroup constraints to ${constraints}`);
  }
}

/** Of a change by a policy (https://repost.aws/knowledge-center/auto-scaling-scale-down). */
export function causeOf(policyName: string, alarmName: string): string {
  return `a monitor alarm ${alarmName} in state ALARM triggered policy ${policyName}`;
}
