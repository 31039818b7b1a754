/**
 * The actions that hooks have outstanding: an instance waits until all of a transition's hooks are completed, or one is
 * abandoned (https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html).
 */
import type { Timer } from '../../clock.ts';
import { announceAction } from './announcements.ts';
import { type Group, type Hook, invalid, type Member, type Result, type Transition } from './group.ts';
import type { Platform } from './platform.ts';

interface Action {
  readonly token: string;
  readonly group: Group;
  readonly member: Member;
  readonly hook: Hook;
  /** When no heartbeat helps any more. */
  readonly lastAt: number;
  timer: Timer;
  /** Told the result and, in AWS's words, how it came about. */
  readonly complete: (result: Result, how: string) => void;
}

/** How requests name an action. */
export interface ActionName {
  readonly AutoScalingGroupName: string | undefined;
  readonly LifecycleHookName: string | undefined;
  readonly LifecycleActionToken?: string | undefined;
  readonly InstanceId?: string | undefined;
}

/** "The maximum is 172800 seconds (48 hours) or 100 times HeartbeatTimeout, whichever is smaller." */
export function globalSeconds({ heartbeatSeconds }: Hook): number {
  return Math.min(172_800, 100 * heartbeatSeconds);
}

export class LifecycleActions {
  readonly #platform: Platform;
  readonly #actions = new Map<string, Action>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** False when no hook is there to wait for. `abandoned` is undefined when all hooks say to continue. */
  begin(
    group: Group,
    member: Member,
    transition: Transition,
    done: (abandoned: string | undefined) => void,
  ): boolean {
    const hooks = [...group.hooks.values()].filter((hook) => hook.transition === transition);
    const waiting = new Set(hooks);
    const { clock, chance } = this.#platform;
    for (const hook of hooks) {
      const token = chance.uuid();
      const complete = (result: Result, how: string) => {
        this.#drop(token);
        waiting.delete(hook);
        if (result === 'CONTINUE' && waiting.size > 0) return;
        this.cancel(member);
        done(result === 'CONTINUE' ? undefined : abandonment(token, how));
      };
      const action = {
        token,
        group,
        member,
        hook,
        complete,
        lastAt: clock.now() + globalSeconds(hook) * 1000,
      };
      this.#actions.set(token, { ...action, timer: this.#timeout(action) });
      announceAction(this.#platform, group, hook, { token, instanceId: member.id });
    }
    return hooks.length > 0;
  }

  complete(named: ActionName, result: Result): void {
    this.#named(named).complete(result, `Lifecycle Action Completed with ${result} Result`);
  }

  /** Starts the hook's timeout anew. */
  heartbeat(named: ActionName): void {
    const action = this.#named(named);
    action.timer.cancel();
    action.timer = this.#timeout(action);
  }

  /** A hook that is deleted completes what waits for it: "ABANDON for launching instances, CONTINUE for terminating instances". */
  completeAll(group: Group, hook: Hook): void {
    const result = hook.transition === 'autoscaling:EC2_INSTANCE_LAUNCHING' ? 'ABANDON' : 'CONTINUE';
    for (const action of this.#actions.values())
      if (action.group === group && action.hook.name === hook.name)
        action.complete(result, `Lifecycle Action Completed with ${result} Result`);
  }

  /** Nobody waits any more for what the instance's hooks say. */
  cancel(member: Member): void {
    for (const action of this.#actions.values()) if (action.member === member) this.#drop(action.token);
  }

  #timeout({ hook, lastAt, complete }: Pick<Action, 'hook' | 'lastAt' | 'complete'>): Timer {
    const { clock } = this.#platform;
    const ms = Math.min(hook.heartbeatSeconds * 1000, lastAt - clock.now());
    return clock.after(ms, () => complete(hook.defaultResult, 'Heartbeat Timeout'));
  }

  #drop(token: string): void {
    this.#actions.get(token)?.timer.cancel();
    this.#actions.delete(token);
  }

  /** Words: https://github.com/convox/rack/issues/2432 and https://github.com/spacelift-io/terraform-aws-spacelift-workerpool-on-ec2/pull/197 */
  #named({
    AutoScalingGroupName,
    LifecycleHookName,
    LifecycleActionToken: token,
    InstanceId: id,
  }: ActionName): Action {
    const found = [...this.#actions.values()].find(
      (action) =>
        action.group.name === AutoScalingGroupName &&
        action.hook.name === LifecycleHookName &&
        (token === undefined ? action.member.id === id : action.token === token),
    );
    if (found === undefined)
      throw invalid(
        `No active Lifecycle Action found with ${token === undefined ? `instance ID ${id}` : `token ${token}`}`,
      );
    return found;
  }
}

/** As in https://github.com/Jaeminst/devops-01-Final-TeamG/issues/90. */
function abandonment(token: string, how: string): string {
  return `Instance failed to complete user's Lifecycle Action: Lifecycle Action with token ${token} was abandoned: ${how}`;
}
