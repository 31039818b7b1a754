/**
 * One instance's way: Pending → (Pending:Wait) → InService → Terminating → (Terminating:Wait) → Terminating:Proceed → gone;
 * through Pending:Proceed it comes at once. It is registered in the target groups before it is in service, and deregistered and drained
 * before its hooks run (https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html).
 */
import { AwsError } from '../../call.ts';
import type { LaunchedInstance } from '../ec2/instances.ts';
import { follow } from '../ecs/platform.ts';
import type { Activities, ActivityRecord } from './activities.ts';
import { announceStep } from './announcements.ts';
import { type Group, isLeaving, type Member, runs } from './group.ts';
import type { InstanceSpec } from './instances.ts';
import { launchable, specOf } from './launch-spec.ts';
import type { LifecycleActions } from './lifecycle-actions.ts';
import type { Platform } from './platform.ts';
import type { TrafficSources } from './traffic-sources.ts';

export interface LifecycleOptions {
  readonly platform: Platform;
  readonly activities: Activities;
  readonly actions: LifecycleActions;
  readonly sources: TrafficSources;
  /** Told of a group whose next look should be soon. */
  readonly onChange: (group: Group) => void;
}

/** What an instance has before EC2 answers. */
type Taken = Pick<Member, 'id' | 'subnetId' | 'place' | 'template' | 'shown'> & {
  readonly spec: InstanceSpec;
};

export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #platform: Platform;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#platform = options.platform;
  }

  launch(group: Group, subnetId: string, cause: string): void {
    const { compute, chance, clock, instances } = this.#platform;
    const zone = compute.zoneOf(subnetId) ?? '';
    const activity = this.#options.activities.begin(group, {
      description: 'Launching a new EC2 instance',
      cause,
      status: 'PreInService',
      place: { 'Subnet ID': subnetId, 'Availability Zone': zone },
    });
    const taken = this.#take(group, subnetId);
    if (typeof taken === 'string') {
      this.#failed(group, activity, taken);
      return;
    }
    const { spec, ...kept } = taken;
    const member: Member = {
      ...kept,
      launch: activity,
      state: 'Pending',
      healthy: true,
      exited: false,
      inServiceAt: undefined,
      departure: undefined,
      running: undefined,
    };
    group.members.set(member.id, member);
    const launched = instances
      .launch(spec, () => this.#exited(group, member))
      .then(
        (running) => ({ running }),
        (thrown: unknown) => ({ refusal: thrown instanceof Error ? thrown.message : String(thrown) }),
      );
    follow(clock, launched, (outcome) => {
      if ('refusal' in outcome) {
        member.shown.forget();
        this.#forget(group, member);
        this.#failed(group, activity, outcome.refusal);
        return;
      }
      const { running } = outcome;
      member.running = running;
      member.shown.answered(() => running.console?.() ?? '');
      activity.description = `Launching a new EC2 instance: ${member.id}`;
      group.failures = 0;
      group.avoided.clear();
      clock.after(chance.within(this.#platform.delays.launching), () => this.#isRunning(group, member));
    });
  }

  /** `abruptly`: without draining and hooks, as when its group is deleted by force. */
  terminate(group: Group, member: Member, cause: string, { abruptly = false } = {}): void {
    if (isLeaving(member)) {
      if (abruptly) this.#end(group, member);
      return;
    }
    member.departure = this.#options.activities.begin(group, {
      description: `Terminating EC2 instance: ${member.id}`,
      cause,
      status: 'InProgress',
      place: member.launch.place,
    });
    if (member.launch.endedAt === undefined) this.#options.activities.end(member.launch, 'Cancelled');
    this.#leave(group, member, abruptly || member.exited);
  }

  #take(group: Group, subnetId: string): Taken | string {
    const { compute, chance } = this.#platform;
    try {
      const template = launchable(compute, group.settings.template);
      const place = compute.address(subnetId);
      if (place !== undefined) {
        const named = { id: `i-0${chance.hex().slice(0, 16)}`, subnetId, place, template };
        const spec = specOf(group, named);
        return { ...named, spec, shown: this.#launch(spec, named) };
      }
      return `There are not enough free addresses in subnet '${subnetId}' to satisfy the requested number of instances.`;
    } catch (thrown) {
      if (thrown instanceof AwsError) return thrown.message;
      throw thrown;
    }
  }

  #launch(spec: InstanceSpec, { place, template }: Pick<Member, 'place' | 'template'>): LaunchedInstance {
    const { compute } = this.#platform;
    try {
      return compute.launch({ ...spec, address: place, template: template.content });
    } catch (thrown) {
      compute.release(place.eniId);
      throw thrown;
    }
  }

  /**
   * "If the attempt fails, … attempts to launch the instances in another Availability Zone until it succeeds"
   * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html).
   */
  #failed(group: Group, activity: ActivityRecord, why: string): void {
    const { clock, chance, delays } = this.#platform;
    this.#options.activities.end(
      activity,
      'Failed',
      `${why.replace(/\.?$/, '.')} Launching EC2 instance failed.`,
    );
    announceStep(this.#platform, group, 'Launch', activity, undefined);
    group.avoided.add(activity.place['Subnet ID']);
    if (group.settings.subnets.some((subnetId) => !group.avoided.has(subnetId))) {
      this.#options.onChange(group);
      return;
    }
    group.avoided.clear();
    group.retryAt =
      clock.now() + Math.min(delays.retryAtMost, chance.within(delays.retry) * 2 ** group.failures);
    group.failures += 1;
  }

  #isRunning(group: Group, member: Member): void {
    if (isLeaving(member)) return;
    member.shown.become('running');
    const waits = this.#options.actions.begin(
      group,
      member,
      'autoscaling:EC2_INSTANCE_LAUNCHING',
      (abandoned) =>
        abandoned === undefined ? this.#enter(group, member) : this.#abandon(group, member, abandoned),
    );
    if (!waits) {
      this.#enter(group, member);
      return;
    }
    member.state = 'Pending:Wait';
    member.launch.status = 'MidLifecycleAction';
  }

  #enter(group: Group, member: Member): void {
    if (runs(group, 'AddToLoadBalancer')) this.#options.sources.register(group, member);
    member.state = 'InService';
    member.inServiceAt = this.#platform.clock.now();
    this.#options.activities.end(member.launch, 'Successful');
    announceStep(this.#platform, group, 'Launch', member.launch, member.id);
  }

  /** "If the result is ABANDON … the instance is terminated", and another one launched. */
  #abandon(group: Group, member: Member, why: string): void {
    this.#options.activities.end(member.launch, 'Cancelled', why);
    announceStep(this.#platform, group, 'Launch', member.launch, member.id);
    this.#leave(group, member, true);
    this.#options.onChange(group);
  }

  #leave(group: Group, member: Member, abruptly: boolean): void {
    const { clock } = this.#platform;
    this.#options.actions.cancel(member);
    member.state = 'Terminating';
    const drained = this.#options.sources.deregister(group, member);
    if (abruptly) {
      if (drained !== undefined) follow(clock, drained, () => undefined);
      this.#end(group, member);
    } else if (drained === undefined) this.#runHooks(group, member);
    else {
      if (member.departure !== undefined) {
        member.departure.status = 'WaitingForELBConnectionDraining';
        member.departure.description = `Terminating EC2 instance: ${member.id} - Waiting For ELB Connection Draining.`;
        member.departure.progress = 50;
      }
      follow(clock, drained, () => this.#runHooks(group, member));
    }
  }

  #runHooks(group: Group, member: Member): void {
    // Deleted by force meanwhile.
    if (member.state !== 'Terminating') return;
    // Abandoned or not, it is terminated.
    const end = () => this.#end(group, member);
    if (!this.#options.actions.begin(group, member, 'autoscaling:EC2_INSTANCE_TERMINATING', end)) {
      end();
      return;
    }
    member.state = 'Terminating:Wait';
    if (member.departure !== undefined) member.departure.status = 'MidLifecycleAction';
  }

  #end(group: Group, member: Member): void {
    if (member.state === 'Terminating:Proceed') return;
    const { clock, chance, delays } = this.#platform;
    const { departure } = member;
    this.#options.actions.cancel(member);
    member.state = 'Terminating:Proceed';
    member.shown.become('shutting-down');
    if (departure !== undefined) {
      departure.status = 'InProgress';
      departure.description = `Terminating EC2 instance: ${member.id}`;
    }
    const wait = member.exited ? 0 : chance.within(delays.terminating);
    clock.after(wait, () =>
      follow(clock, member.running?.terminate() ?? Promise.resolve(), () => {
        member.shown.become('terminated');
        this.#forget(group, member);
        if (departure !== undefined) {
          this.#options.activities.end(departure, 'Successful');
          announceStep(this.#platform, group, 'Terminate', departure, member.id);
        }
        this.#options.onChange(group);
      }),
    );
  }

  #exited(group: Group, member: Member): void {
    member.exited = true;
    member.shown.become('terminated');
    if (!isLeaving(member)) this.#options.onChange(group);
  }

  #forget(group: Group, member: Member): void {
    group.members.delete(member.id);
    this.#platform.compute.release(member.place.eniId);
  }
}
