/** What is asked while a generation bakes, at each look and at the end. */

import type { Plan } from '../core/deployment/plan.ts';
import type { GateName } from '../core/deployment/strategy.ts';
import type { ErrorName } from '../core/errors.ts';
import { foreignCounts } from '../core/fleet/capacity.ts';
import { alarmVerdict } from '../core/gates/alarms.ts';
import { together } from '../core/gates/verdict.ts';
import { excusedBefore } from '../core/gates/waiver.ts';
import { hooksVerdict } from '../core/hooks/hook.ts';
import { running } from '../core/ledger/ownership.ts';
import type { Deployment, ServiceItem } from '../core/ledger/service-item.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Fleet } from '../ports/fleet.ts';
import { type ComparePorts, compareWithOld } from './compare.ts';
import { type LookPorts, lookAgain, oldIsDead, wantedOfOld } from './look.ts';
import { askMetrics, type MetricPorts } from './metrics.ts';

export interface GatePorts extends LookPorts, ComparePorts, MetricPorts {
  readonly fleet: Pick<Fleet, 'observe' | 'wanted'>;
  readonly alarms: Alarms;
  readonly sleep: (ms: number) => Promise<void>;
}

export type GatesVerdict =
  | { readonly verdict: 'fail'; readonly error: ErrorName; readonly cause: string }
  | {
      readonly verdict: 'pass';
      /**
       * Nothing healthy is left of the old generation. To bake on would show nothing and lose its share of the requests, so the
       * new one, which is whole, takes the rest at once.
       */
      readonly alone: boolean;
      /** What a gate still needs before it can say yes. */
      readonly missing: readonly string[];
      /** What was compared, in words. */
      readonly words: readonly string[];
    };

/** The first gate that says no, in words. Going back, only health is asked: all else is red because of what is live. */
export async function askGates(
  plan: Plan,
  item: ServiceItem,
  isLastWord: boolean,
  ports: GatePorts,
): Promise<GatesVerdict> {
  const deployment = running(item, plan);
  const asks = (gate: GateName): boolean =>
    plan.direction === 'forward' && (plan.steps[deployment.step]?.gates.includes(gate) ?? true);
  const [alarms, { verdict }, wanted, alone, compared, metrics] = await Promise.all([
    ports.alarms.states(asks('alarms') ? plan.settings.alarms : []),
    lookAgain(plan, deployment.desired, ports),
    wantedOfOld(plan, ports),
    hasMoreToTake(plan, deployment) && oldIsDead(plan, ports),
    asks('comparison') ? compareWithOld(plan, deployment, isLastWord, ports) : undefined,
    asks('metrics') ? askMetrics(plan, deployment, ports) : undefined,
  ]);
  const foreign = foreignCounts(plan, deployment, wanted);
  if (foreign !== undefined) return fails('Cutover.ForeignCounts', foreign);
  const red = alarmVerdict(alarms, plan.settings.alarmPolicy, excusedBefore(deployment));
  if (red.verdict === 'fail') return fails('Cutover.AlarmRed', red.reasons.join('; '));
  if (verdict.verdict !== 'pass') {
    const words = verdict.verdict === 'fail' ? verdict.reasons : verdict.missing;
    return fails('Cutover.Unhealthy', `${plan.to.name} did not stay healthy: ${words.join('; ')}`);
  }
  const hooks = asks('hooks')
    ? hooksVerdict(
        item,
        plan,
        { stage: 'step', step: deployment.step, generation: plan.to },
        ports.now(),
        isLastWord,
      )
    : undefined;
  const judged = together([hooks, compared?.verdict, metrics].filter((each) => each !== undefined));
  if (judged.verdict === 'fail') return fails('Cutover.GateFailed', judged.reasons.join('; '));
  return {
    verdict: 'pass',
    alone,
    missing: judged.verdict === 'wait' ? judged.missing : [],
    words: compared === undefined ? [] : [compared.words],
  };
}

/** With all weight on the new generation by its strategy, the old one's death costs nothing: the last bake is still a bake. */
function hasMoreToTake({ steps }: Plan, { step, tookOver }: Deployment): boolean {
  return tookOver || step < steps.length - 1;
}

function fails(error: ErrorName, cause: string): GatesVerdict {
  return { verdict: 'fail', error, cause };
}
