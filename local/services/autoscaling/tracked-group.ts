/** A group as target tracking sees it. */
import type { Clock } from '../../clock.ts';
import type { Tracked } from '../target-tracking/tracker.ts';
import { causeOf, type DesiredCapacity } from './desired-capacity.ts';
import type { Group } from './group.ts';
import { capacityOf } from './warm-up.ts';

export function trackedGroup(
  group: Group,
  { clock, capacity }: { clock: Clock; capacity: DesiredCapacity },
): Tracked {
  const policies = [...group.policies.values()].filter(
    ({ tracking, shown }) => tracking !== undefined && shown.Enabled === true,
  );
  return {
    trackings: policies.flatMap(({ tracking }) => tracking ?? []),
    capacity: () => capacityOf(group, policies, clock.now()),
    move: ({ direction, desired, tracking: { high, low = high, policyName } }) =>
      capacity.change(group, desired, causeOf(policyName, direction === 'out' ? high : low)),
  };
}
