/** What CloudWatch and Application Auto Scaling call a load balancer and its target groups: parts of their ARNs. */
import { CutoverError } from '../core/errors.ts';
import type { SlotName } from '../core/names.ts';
import type { TrafficSettings } from '../core/service-settings.ts';

/** `app/main/0123456789abcdef` of `…:listener-rule/app/main/0123456789abcdef/<listener>/<rule>`. */
export function balancerOf({ rule }: TrafficSettings): string {
  const balancer = /:listener-rule\/(app\/[^/]+\/[^/]+)\//.exec(rule)?.[1];
  if (balancer === undefined) {
    throw new CutoverError(
      'Cutover.InvalidInput',
      `${rule} is not the ARN of a rule of an Application Load Balancer`,
    );
  }
  return balancer;
}

/** `targetgroup/web-blue/0123456789abcdef` of its ARN. */
export function groupOf({ slots, rule }: TrafficSettings, slot: SlotName): string {
  const group = slots.find(({ name }) => name === slot)?.targetGroup.split(':')[5];
  if (group === undefined) throw new CutoverError('Cutover.InvalidInput', `${slot} is not a slot of ${rule}`);
  return group;
}
