/** Which group by weight, and which of its targets. */
import type { TargetGroupTuple } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { RoutedGroup, RoutedTarget } from './protocol.ts';
import { TargetConnections } from './target-connections.ts';

/** The group whose share of the weights `random` (0 up to 1) falls into; none when no weight is above zero. */
export function byWeight(groups: readonly TargetGroupTuple[], random: number): string | undefined {
  const total = groups.reduce((sum, group) => sum + (group.Weight ?? 0), 0);
  let rest = random * total;
  for (const group of groups) {
    const weight = group.Weight ?? 0;
    if (weight > 0 && rest < weight) return group.TargetGroupArn;
    rest -= weight;
  }
  return undefined;
}

interface Routable {
  readonly state: RoutedTarget['state'];
}

/**
 * The targets that new requests may go to: the healthy ones, or all registered ones when too few are healthy ("fail
 * open"). Draining targets are registered no more. Nothing is left only of a group without registered targets.
 */
export function routable<T extends Routable>(
  targets: readonly T[],
  minimum: RoutedGroup['minimumHealthy'],
): T[] {
  const registered = targets.filter((target) => target.state !== 'draining');
  const healthy = registered.filter((target) => target.state === 'healthy');
  const enough =
    healthy.length >= minimum.count && healthy.length * 100 >= registered.length * minimum.percentage;
  return enough && healthy.length > 0 ? healthy : registered;
}

/** One target group's targets in the data plane. */
export class TargetGroup {
  #targets: TargetConnections[] = [];
  #candidates: TargetConnections[] = [];
  #leastOutstanding = false;
  #turn = 0;

  /** Takes the group's new state. Targets that are gone have their connections cut. */
  update(group: RoutedGroup): void {
    const before = new Map(this.#targets.map((target) => [target.key, target]));
    this.#targets = group.targets.map((target) => {
      const known = before.get(target.key);
      if (known === undefined || !sameAddress(known, target)) return new TargetConnections(target);
      before.delete(target.key);
      known.state = target.state;
      return known;
    });
    for (const gone of before.values()) void gone.close();
    this.#candidates = routable(this.#targets, group.minimumHealthy);
    this.#leastOutstanding = group.leastOutstandingRequests;
  }

  /** The next target, round robin unless the group asks for the least outstanding requests. */
  next(): TargetConnections | undefined {
    if (this.#candidates.length === 0) return undefined;
    this.#turn = (this.#turn + 1) % this.#candidates.length;
    if (!this.#leastOutstanding) return this.#candidates[this.#turn];
    return this.#candidates.reduce((least, target) => (target.inFlight < least.inFlight ? target : least));
  }

  async close(): Promise<void> {
    this.#candidates = [];
    await Promise.all(this.#targets.map((target) => target.close()));
  }
}

function sameAddress(known: TargetConnections, target: RoutedTarget): boolean {
  return JSON.stringify(known.address) === JSON.stringify(target.address);
}
