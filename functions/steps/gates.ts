/** What is asked while a generation bakes, at each look and at the end. */
import { alarmVerdict } from '../core/alarms.ts';
import { foreignCounts } from '../core/capacity.ts';
import type { ErrorName } from '../core/errors.ts';
import type { Plan } from '../core/plan.ts';
import type { Deployment } from '../core/service-item.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Fleet } from '../ports/fleet.ts';
import { type LookPorts, look, wantedOfOld } from './look.ts';

export interface GatePorts extends LookPorts {
  readonly fleet: Pick<Fleet, 'observe' | 'wanted'>;
  readonly alarms: Alarms;
}

/** The first gate that says no, in words; undefined when none does. Going back, alarms are red because of what is live: they are not asked. */
export async function gateFailure(
  plan: Plan,
  deployment: Deployment,
  ports: GatePorts,
): Promise<{ readonly error: ErrorName; readonly cause: string } | undefined> {
  const names = plan.direction === 'forward' ? plan.settings.alarms : [];
  const [alarms, { verdict }, wanted] = await Promise.all([
    ports.alarms.states(names),
    look(plan, deployment.desired, ports),
    wantedOfOld(plan, ports),
  ]);
  const foreign = foreignCounts(plan, deployment, wanted);
  if (foreign !== undefined) return { error: 'Cutover.ForeignCounts', cause: foreign };
  const red = alarmVerdict(alarms);
  if (red.verdict === 'fail') return { error: 'Cutover.AlarmRed', cause: red.reasons.join('; ') };
  if (verdict.verdict === 'pass') return undefined;
  const words = verdict.verdict === 'fail' ? verdict.reasons : verdict.missing;
  return { error: 'Cutover.Unhealthy', cause: `${plan.to.name} did not stay healthy: ${words.join('; ')}` };
}
