/** A fresh look at the new generation's health: its own targets, nobody else's. */

import type { Plan } from '../core/deployment/plan.ts';
import type { Size } from '../core/fleet/capacity.ts';
import { unitOf } from '../core/fleet/unit.ts';
import { allRunning, healthVerdict, healthyOf, strangersIn, type TargetState } from '../core/gates/health.ts';
import type { Verdict } from '../core/gates/verdict.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Traffic } from '../ports/traffic.ts';

export interface LookPorts {
  readonly fleet: Pick<Fleet, 'observe'>;
  readonly traffic: Pick<Traffic, 'targets'>;
}

export interface Look {
  readonly verdict: Verdict;
  /** There is no such generation, or none to be seen. */
  readonly gone: boolean;
  /** Only target health is left to wait for. */
  readonly allRunning: boolean;
  /** Targets in the slot that are not the generation's own. */
  readonly strangers: readonly TargetState[];
  readonly size: Size;
}

/** A no is asked again after so long, before it takes traffic away: what AWS shows may be older than what it showed before. */
const againMs = 300;

/** As `look`, of a generation that was seen healthy before. */
export async function lookAgain(
  plan: Plan,
  least: number | null,
  ports: LookPorts & { readonly sleep: (ms: number) => Promise<void> },
): Promise<Look> {
  const first = await look(plan, least, ports);
  if (first.verdict.verdict === 'pass' && first.strangers.length === 0) return first;
  await ports.sleep(againMs);
  return look(plan, least, ports);
}

/** `least`: as many as must be healthy; null: all that are wanted. */
export async function look(plan: Plan, least: number | null, { fleet, traffic }: LookPorts): Promise<Look> {
  const state = await fleet.observe(plan.settings, plan.to);
  if (state === undefined) {
    const reasons = [`${plan.to.name} does not exist (any more): somebody deleted it`];
    return {
      verdict: { verdict: 'fail', reasons },
      gone: true,
      allRunning: false,
      strangers: [],
      size: { desired: 0, healthy: 0 },
    };
  }
  const targets = await traffic.targets(plan.settings.traffic, plan.to.slot);
  return {
    verdict: healthVerdict(state, targets, least ?? state.desired, unitOf(plan.settings)),
    gone: false,
    allRunning: allRunning(state),
    strangers: strangersIn(state, targets),
    size: { desired: state.desired, healthy: healthyOf(state, targets) },
  };
}

/** Tasks or instances that are wanted of the old generation now; undefined when there is none (any more). */
export async function wantedOfOld(
  { settings, from }: Plan,
  { fleet }: { readonly fleet: Pick<Fleet, 'wanted'> },
): Promise<number | undefined> {
  return from === null ? undefined : fleet.wanted(settings, from);
}

/** Going forward: no target of the old generation is healthy. */
export async function oldIsDead(
  { settings, from, direction }: Plan,
  { traffic }: Pick<LookPorts, 'traffic'>,
): Promise<boolean> {
  if (from === null || direction === 'back') return false;
  const targets = await traffic.targets(settings.traffic, from.slot);
  return !targets.some(({ state }) => state === 'healthy');
}
