/**
 * What a group does by itself: it looks at its instances' health and number, and launches and terminates what makes them
 * fit. A group that has and wants nothing does not look.
 */
import { type Group, isLeaving, type Member, runs, secondOf, staying } from './group.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Platform } from './platform.ts';
import type { TrafficSources } from './traffic-sources.ts';

export interface ScalerOptions {
  readonly platform: Platform;
  readonly lifecycle: () => Lifecycle;
  readonly sources: TrafficSources;
  /** Told of a group that is to be deleted and has no instance any more. */
  readonly onEmpty: (group: Group) => void;
}

export class Scaler {
  readonly #options: ScalerOptions;
  readonly #platform: Platform;

  constructor(options: ScalerOptions) {
    this.#options = options;
    this.#platform = options.platform;
  }

  /** The next look after AWS's reaction time. */
  wake(group: Group): void {
    this.#lookIn(group, this.#platform.chance.within(this.#platform.delays.reaction));
  }

  /** A group that is deleted by force terminates what it has, at once and without hooks. */
  dissolve(group: Group): void {
    const cause = this.#at('an instance was taken out of service in response to a user request.');
    for (const member of group.members.values())
      if (member.running !== undefined)
        this.#options.lifecycle().terminate(group, member, cause, { abruptly: true });
    this.wake(group);
  }

  #lookIn(group: Group, ms: number): void {
    group.look?.cancel();
    group.look = this.#platform.clock.after(ms, () => this.#look(group));
  }

  #look(group: Group): void {
    group.look = undefined;
    if (group.deleting) {
      if (group.members.size === 0) this.#options.onEmpty(group);
      // Also what EC2 was still launching when the group was deleted.
      else this.dissolve(group);
      return;
    }
    this.#options.sources.refresh(group);
    this.#replaceUnhealthy(group);
    this.#fit(group);
    if (group.members.size > 0 || group.settings.desired > 0) this.#again(group);
  }

  #again(group: Group): void {
    if (group.look === undefined)
      this.#lookIn(group, this.#platform.chance.within(this.#platform.delays.cycle));
  }

  #replaceUnhealthy(group: Group): void {
    for (const member of staying(group)) {
      if (runs(group, 'HealthCheck') && this.#isUnhealthy(group, member)) member.healthy = false;
      if (member.healthy || !runs(group, 'ReplaceUnhealthy') || !runs(group, 'Terminate')) continue;
      group.toReplace += 1;
      // Words: https://github.com/aws/aws-parallelcluster/issues/1401; those of ELB as its users quote them.
      const why = member.exited
        ? 'a EC2 health check indicating it has been terminated or stopped.'
        : 'an ELB system health check failure.';
      const cause = this.#at(`an instance was taken out of service in response to ${why}`);
      this.#options.lifecycle().terminate(group, member, cause);
    }
  }

  /**
   * One that ended is so at once, one that ELB finds unhealthy only after the grace period
   * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-check-grace-period.html).
   */
  #isUnhealthy(group: Group, member: Member): boolean {
    if (member.exited) return true;
    const { healthCheckType, gracePeriodSeconds } = group.settings;
    if (healthCheckType !== 'ELB' || member.inServiceAt === undefined) return false;
    const graceEnds = member.inServiceAt + gracePeriodSeconds * 1000;
    return this.#platform.clock.now() >= graceEnds && this.#options.sources.isUnhealthy(group, member);
  }

  #fit(group: Group): void {
    const { desired } = group.settings;
    const now = staying(group);
    if (now.length < desired) this.#grow(group, now.length);
    else if (now.length > desired) this.#shrink(group, now);
    else {
      group.request = undefined;
      group.toReplace = 0;
    }
  }

  #grow(group: Group, count: number): void {
    if (!runs(group, 'Launch') || this.#platform.clock.now() < group.retryAt) return;
    const { desired } = group.settings;
    const started = `an instance was started in response to a difference between desired and actual capacity, increasing the capacity from ${count} to ${desired}.`;
    for (let launched = count; launched < desired; launched += 1) {
      const replaces = group.toReplace > 0 && group.request === undefined;
      if (replaces) group.toReplace -= 1;
      const cause = replaces
        ? this.#at('an instance was launched in response to an unhealthy instance needing to be replaced.')
        : `${this.#because(group)}${this.#at(started)}`;
      this.#options.lifecycle().launch(group, this.#emptiestSubnet(group), cause);
    }
  }

  #shrink(group: Group, now: readonly Member[]): void {
    if (!runs(group, 'Terminate')) return;
    const { desired } = group.settings;
    // Those that EC2 has not answered for cannot be terminated yet.
    let candidates = now.filter(({ running }) => running !== undefined);
    const taken = this.#at(
      `an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity from ${now.length} to ${desired}.`,
    );
    for (let left = now.length; left > desired; left -= 1) {
      const chosen = leastWanted(candidates);
      if (chosen === undefined) return;
      candidates = candidates.filter((member) => member !== chosen);
      const selected = this.#at(`instance ${chosen.id} was selected for termination.`);
      this.#options.lifecycle().terminate(group, chosen, `${this.#because(group)}${taken}  ${selected}`);
    }
  }

  #emptiestSubnet(group: Group): string {
    const count = (subnetId: string) =>
      staying(group).filter((member) => member.subnetId === subnetId).length;
    const { subnets } = group.settings;
    const open = subnets.filter((subnetId) => !group.avoided.has(subnetId));
    return (open.length > 0 ? open : subnets).reduce((best, each) =>
      count(each) < count(best) ? each : best,
    );
  }

  #because(group: Group): string {
    return group.request === undefined ? '' : `${group.request}  `;
  }

  #at(what: string): string {
    return `At ${secondOf(this.#platform.clock.now())} ${what}`;
  }
}

/**
 * The default termination policy: from the Availability Zone with most instances, of the oldest launch template version
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-instance-termination.html); then the oldest.
 */
function leastWanted(members: readonly Member[]): Member | undefined {
  const inZone = ({ place }: Member) =>
    members.filter((other) => other.place.availabilityZone === place.availabilityZone).length;
  return members
    .filter((member) => !isLeaving(member))
    .toSorted(
      (a, b) =>
        inZone(b) - inZone(a) || a.template.version - b.template.version || a.launch.number - b.launch.number,
    )[0];
}
