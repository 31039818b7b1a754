/** What is asked while a generation bakes, at each look and at the end. */
import { alarmVerdict } from '../core/alarms.ts';
import { foreignCounts } from '../core/capacity.ts';
import type { ErrorName } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Deployment } from '../core/service-item.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Fleet } from '../ports/fleet.ts';
import { type LookPorts, look, oldIsDead, wantedOfOld } from './look.ts';

export interface GatePorts extends LookPorts {
  readonly fleet: Pick<Fleet, 'observe' | 'wanted'>;
  readonly alarms: Alarms;
}

export type GatesVerdict =
  | { readonly verdict: 'fail'; readonly error: ErrorName; readonly cause: string }
  /**
   * `alone`: nothing healthy is left of the old generation. To bake on would show nothing and lose its share of the requests,
   * so the new one, which is whole, takes the rest at once.
   */
  | { readonly verdict: 'pass'; readonly alone: boolean };

/** The first gate that says no, in words. Going back, alarms are red because of what is live: they are not asked. */
export async function askGates(plan: Plan, deployment: Deployment, ports: GatePorts): Promise<GatesVerdict> {
  const names = plan.direction === 'forward' ? plan.settings.alarms : [];
  const [alarms, { verdict }, wanted, alone] = await Promise.all([
    ports.alarms.states(names),
    look(plan, deployment.desired, ports),
    wantedOfOld(plan, ports),
    hasMoreToTake(plan, deployment) && oldIsDead(plan, ports),
  ]);
  const foreign = foreignCounts(plan, deployment, wanted);
  if (foreign !== undefined) return fails('Cutover.ForeignCounts', foreign);
  const red = alarmVerdict(alarms);
  if (red.verdict === 'fail') return fails('Cutover.AlarmRed', red.reasons.join('; '));
  if (verdict.verdict === 'pass') return { verdict: 'pass', alone };
  const words = verdict.verdict === 'fail' ? verdict.reasons : verdict.missing;
  return fails('Cutover.Unhealthy', `${plan.to.name} did not stay healthy: ${words.join('; ')}`);
}

/** With all weight on the new generation by its strategy, the old one's death costs nothing: the last bake is still a bake. */
function hasMoreToTake({ steps }: Plan, { step, tookOver }: Deployment): boolean {
  return tookOver || step < steps.length - 1;
}

function fails(error: ErrorName, cause: string): GatesVerdict {
  return { verdict: 'fail', error, cause };
}
