/**
 * The targets of all groups: registered, checked, drained, and told to the data plane. A group that no rule names is
 * not checked and its targets are `unused`; a group at weight 0 is checked like any other.
 */
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ProbeRequest, ProbeResult, RoutedGroup, RoutedTarget } from '../../balancer/protocol.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { Address } from '../../tasks/task.ts';
import { type Watch, watch } from './health-checks.ts';
import type { Resources, TargetGroupRecord } from './resources.ts';
import { CheckedHealth, draining, notInUse, notRegistered } from './target-health.ts';
import type { Target, Targets } from './targets.ts';

interface Draining {
  readonly drained: Promise<void>;
  /** Ends the drain now. */
  end(): void;
}

interface Registration {
  readonly target: Target;
  readonly address: Address;
  health: CheckedHealth;
  watch: Watch | undefined;
  draining: Draining | undefined;
  /** The data plane has heard that it drains: no new requests. */
  closed: boolean;
}

export interface RegistrationsOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly resources: Resources;
  /** How long the data plane takes to hear of a deregistration. */
  readonly propagationMs: number;
  readonly probe: (probe: ProbeRequest) => Promise<ProbeResult>;
  /** Tells the data plane a group's targets. */
  readonly publish: (group: RoutedGroup) => void;
}

export interface HostCounts {
  readonly healthy: number;
  readonly unhealthy: number;
  readonly registered: number;
}

export class TargetRegistrations implements Targets {
  readonly #options: RegistrationsOptions;
  readonly #groups = new Map<string, Map<string, Registration>>();

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  register(targetGroupArn: string, target: Target, address: Address): void {
    const group = this.#options.resources.targetGroup(targetGroupArn);
    const registrations = this.#of(targetGroupArn);
    const key = keyOf(target);
    const known = registrations.get(key);
    if (known !== undefined && known.draining === undefined) return;
    registrations.set(key, {
      target,
      address,
      health: new CheckedHealth(),
      watch: undefined,
      draining: undefined,
      closed: false,
    });
    // One that came back while it drained: who waits for its end is told, its connections stay.
    known?.draining?.end();
    this.#follow(group);
    this.#publish(group);
  }

  deregister(targetGroupArn: string, target: Target): Promise<void> {
    const group = this.#options.resources.targetGroup(targetGroupArn);
    const registration = this.#of(targetGroupArn).get(keyOf(target));
    if (registration === undefined) return Promise.resolve();
    registration.draining ??= this.#drain(group, registration);
    return registration.draining.drained;
  }

  health(targetGroupArn: string, target: Target): TargetHealth | undefined {
    const registration = this.#groups.get(targetGroupArn)?.get(keyOf(target));
    return registration === undefined ? undefined : this.#describe(targetGroupArn, registration);
  }

  isAssociated(targetGroupArn: string): boolean {
    return this.#options.resources.loadBalancerOf(targetGroupArn) !== undefined;
  }

  exists(targetGroupArn: string): boolean {
    return this.#options.resources.targetGroups.has(targetGroupArn);
  }

  /** The health of a target that may never have been registered. */
  healthOrUnused(targetGroupArn: string, target: Target): TargetHealth {
    return this.health(targetGroupArn, target) ?? notRegistered;
  }

  /** All targets of the group, draining ones included. */
  targets(targetGroupArn: string): Target[] {
    return [...(this.#groups.get(targetGroupArn)?.values() ?? [])].map((registration) => registration.target);
  }

  hostCounts(targetGroupArn: string): HostCounts {
    const registrations = [...(this.#groups.get(targetGroupArn)?.values() ?? [])];
    const registered = registrations.filter((registration) => registration.draining === undefined);
    const inState = (state: string) => registered.filter((one) => one.health.state === state).length;
    return { healthy: inState('healthy'), unhealthy: inState('unhealthy'), registered: registered.length };
  }

  /** Call when rules have changed: begins or ends the checks of groups that came into use or went out of it. */
  refresh(): void {
    for (const [targetGroupArn, registrations] of this.#groups) {
      const group = this.#options.resources.targetGroups.get(targetGroupArn);
      if (group !== undefined && registrations.size > 0 && this.#follow(group)) this.#publish(group);
    }
  }

  /** Call when the group's attributes have changed. */
  refreshGroup(group: TargetGroupRecord): void {
    this.#publish(group);
  }

  /** Forgets a deleted group; what drains in it is drained. */
  forget(targetGroupArn: string): void {
    for (const registration of this.#groups.get(targetGroupArn)?.values() ?? []) {
      registration.watch?.stop();
      registration.draining?.end();
    }
    this.#groups.delete(targetGroupArn);
  }

  close(): void {
    for (const targetGroupArn of this.#groups.keys()) this.forget(targetGroupArn);
  }

  #of(targetGroupArn: string): Map<string, Registration> {
    let registrations = this.#groups.get(targetGroupArn);
    if (registrations === undefined) {
      registrations = new Map();
      this.#groups.set(targetGroupArn, registrations);
    }
    return registrations;
  }

  #describe(targetGroupArn: string, registration: Registration): TargetHealth {
    if (registration.draining !== undefined) return draining;
    return this.isAssociated(targetGroupArn) ? registration.health.describe() : notInUse;
  }

  /** Sees that exactly the targets of a group in use are checked; true when that changed anything. */
  #follow(group: TargetGroupRecord): boolean {
    const inUse = this.isAssociated(group.arn);
    let changed = false;
    for (const registration of this.#of(group.arn).values()) {
      if (registration.draining !== undefined) continue;
      if (inUse && registration.watch === undefined) {
        registration.watch = this.#watch(group, registration);
        changed = true;
      } else if (!inUse && registration.watch !== undefined) {
        registration.watch.stop();
        registration.watch = undefined;
        registration.health = new CheckedHealth();
        changed = true;
      }
    }
    return changed;
  }

  #watch(group: TargetGroupRecord, registration: Registration): Watch {
    const { settings } = group;
    return watch(this.#options.clock, this.#options.random, {
      intervalMs: () => (settings.HealthCheckIntervalSeconds ?? 30) * 1000,
      probe: () => this.#probe(group, registration),
      onResult: (result) => {
        const changed = registration.health.observe(result, {
          healthy: settings.HealthyThresholdCount ?? 5,
          unhealthy: settings.UnhealthyThresholdCount ?? 2,
          matcher: settings.Matcher?.HttpCode ?? '200',
        });
        if (changed) this.#publish(group);
      },
    });
  }

  async #probe(group: TargetGroupRecord, registration: Registration): Promise<ProbeResult> {
    const { settings } = group;
    const { target } = registration;
    const address = checkedAddress(registration, settings.HealthCheckPort);
    if (address === undefined) return { kind: 'failed' };
    return this.#options.probe({
      address: plain(address),
      path: settings.HealthCheckPath ?? '/',
      timeoutMs: (settings.HealthCheckTimeoutSeconds ?? 5) * 1000,
      host: `${target.id}:${target.port}`,
    });
  }

  /** Draining lasts the whole delay, in flight or not; a group that is not in use has nothing to drain. */
  #drain(group: TargetGroupRecord, registration: Registration): Draining {
    registration.watch?.stop();
    const { clock, propagationMs } = this.#options;
    const delayMs = this.isAssociated(group.arn)
      ? Number(group.attributes.get('deregistration_delay.timeout_seconds')) * 1000
      : 0;
    const timers: Timer[] = [];
    const { promise: drained, resolve } = Promise.withResolvers<void>();
    const end = () => {
      for (const timer of timers) timer.cancel();
      const registrations = this.#groups.get(group.arn);
      if (registrations?.get(keyOf(registration.target)) === registration) {
        registrations.delete(keyOf(registration.target));
        this.#publish(group);
      }
      resolve();
    };
    const close = () => {
      registration.closed = true;
      this.#publish(group);
    };
    if (delayMs === 0) {
      end();
      return { drained, end };
    }
    if (propagationMs === 0) close();
    else timers.push(clock.after(propagationMs, close));
    timers.push(clock.after(delayMs, end));
    return { drained, end };
  }

  #publish(group: TargetGroupRecord): void {
    const prefix = 'target_group_health.unhealthy_state_routing.minimum_healthy_targets';
    const percentage = Number(group.attributes.get(`${prefix}.percentage`));
    this.#options.publish({
      targetGroupArn: group.arn,
      targets: [...this.#of(group.arn).values()].map(routed),
      leastOutstandingRequests:
        group.attributes.get('load_balancing.algorithm.type') === 'least_outstanding_requests',
      minimumHealthy: {
        count: Number(group.attributes.get(`${prefix}.count`)),
        percentage: Number.isNaN(percentage) ? 0 : percentage,
      },
    });
  }
}

function keyOf(target: Target): string {
  return `${target.id}:${target.port}`;
}

function routed(registration: Registration): RoutedTarget {
  const open = registration.health.state === 'healthy' ? 'healthy' : 'unhealthy';
  return {
    key: keyOf(registration.target),
    address: plain(registration.address),
    state: registration.closed ? 'draining' : open,
  };
}

/** Only what the contract has: the address goes to another thread. */
function plain(address: Address): Address {
  return 'socketPath' in address
    ? { socketPath: address.socketPath }
    : { host: address.host, port: address.port };
}

/**
 * Where a check connects to. Another port than the traffic port can be reached only on a target whose address is its
 * real one; a task's other ports lead nowhere outside its own network.
 */
function checkedAddress(registration: Registration, port: string | undefined): Address | undefined {
  const { address, target } = registration;
  if (port === undefined || port === 'traffic-port' || Number(port) === target.port) return address;
  if ('host' in address && address.port === target.port) return { host: address.host, port: Number(port) };
  return undefined;
}
