/** Whether a generation is healthy, judged by its own targets: never by the group's, which may hold another's or fail open. */
import type { Unit } from '../fleet/unit.ts';
import type { Verdict } from './verdict.ts';

export interface TargetState {
  /** The task's IP address or the instance's id. */
  readonly id: string;
  readonly state: 'initial' | 'healthy' | 'unhealthy' | 'unused' | 'draining' | 'unavailable';
  /** AWS's reason code, such as `Target.ResponseCodeMismatch`. */
  readonly reason?: string | undefined;
  readonly description?: string | undefined;
}

export interface FleetState {
  readonly desired: number;
  readonly running: number;
  /** Ids of the generation's own targets, as the load balancer names them. */
  readonly own: readonly string[];
}

/** A wiring fault never heals: no rule forwards to the group, or the zone is not one of the balancer's. */
const wiringFaults = new Set(['Target.NotInUse', 'Target.InvalidState', 'Target.IpUnusable']);

/** `least`: as many as must be healthy; what is wanted beyond them may still be starting. Default: all that are wanted. */
export function healthVerdict(
  fleet: FleetState,
  targets: readonly TargetState[],
  least: number = fleet.desired,
  unit: Unit = 'task',
): Verdict {
  const own = ownTargets(fleet, targets);
  const miswired = own.filter(
    ({ state, reason }) => state === 'unused' && reason !== undefined && wiringFaults.has(reason),
  );
  if (miswired.length > 0) {
    return {
      verdict: 'fail',
      reasons: [
        `${some(miswired)}: waiting cannot mend this. Check that a rule forwards to the slot's target group and that the balancer has the targets' zones`,
      ],
    };
  }

  const missing: string[] = [];
  // Nothing is missing of nothing; weight on it would go nowhere.
  if (fleet.desired === 0) missing.push(`it is scaled to 0 ${unit}s`);
  const needed = Math.min(least, fleet.desired);
  if (fleet.running < needed) missing.push(`${fleet.running} of ${needed} ${unit}s run`);
  const healthy = healthyOf(fleet, targets);
  if (healthy < needed) missing.push(`${healthy} of ${needed} targets are healthy${whyNot(own)}`);
  return missing.length === 0 ? { verdict: 'pass' } : { verdict: 'wait', missing };
}

/** How many of the generation's own targets are healthy. */
export function healthyOf(fleet: FleetState, targets: readonly TargetState[]): number {
  return ownTargets(fleet, targets).filter(({ state }) => state === 'healthy').length;
}

/** All the generation's tasks run, so the only thing to wait for is what AWS never announces: target health. */
export function allRunning(fleet: FleetState): boolean {
  return fleet.desired > 0 && fleet.running >= fleet.desired;
}

/** What forbids any weight on the slot: targets that are not draining and not the generation's own. */
export function strangersIn(fleet: FleetState, targets: readonly TargetState[]): readonly TargetState[] {
  const own = new Set(fleet.own);
  return targets.filter(({ id, state }) => state !== 'draining' && !own.has(id));
}

function ownTargets(fleet: FleetState, targets: readonly TargetState[]): readonly TargetState[] {
  const own = new Set(fleet.own);
  return targets.filter(({ id, state }) => own.has(id) && state !== 'draining');
}

function whyNot(own: readonly TargetState[]): string {
  const not = own.filter(({ state }) => state !== 'healthy');
  return not.length === 0 ? '' : `; ${some(not)}`;
}

/** The first three: a fleet may have thousands of targets, and a reason is read on a phone. */
function some(targets: readonly TargetState[]): string {
  const rest = targets.length - 3;
  return [...targets.slice(0, 3).map(inWords), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

function inWords({ id, state, reason, description }: TargetState): string {
  return `${id} is ${state}${reason === undefined ? '' : ` (${reason}${description === undefined ? '' : `: ${description}`})`}`;
}
