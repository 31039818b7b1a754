/**
 * Asks the hooks before the first weight, and says what came of them. Writes the service item, and the rule of a test listener
 * where there is one. A repeat asks nobody again.
 */

import type { Plan } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import { asking, hooksVerdict } from '../core/hooks/hook.ts';
import type { HookStage } from '../core/hooks/hook-settings.ts';
import { goingForward } from '../core/ledger/ownership.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import type { Now } from './clock.ts';
import { aimTestTraffic } from './test-traffic.ts';

/** Before the first weight: the one after the other, for what is launched may first have to be made ready. */
const beforeTraffic: readonly HookStage[] = ['launched', 'testTraffic'];

export interface HookPorts {
  readonly ledger: Ledger;
  readonly traffic: Pick<Traffic, 'weights' | 'shift'>;
  readonly now: Now;
}

/** Throws `Cutover.HookPending` until all have answered, and `Cutover.GateFailed` for what they refuse. */
export async function passHooks(plan: Plan, ports: HookPorts): Promise<void> {
  for (const stage of beforeTraffic) {
    if (stage === 'testTraffic') await aimTestTraffic(plan.settings, plan.to.slot, ports.traffic);
    if (!plan.settings.hooks.some((hook) => hook.stage === stage)) continue;
    const asked = { stage, generation: plan.to };
    const { item } = await ports.ledger.change(plan.settings.service, (current) => {
      goingForward(current, plan);
      return { item: asking(current, plan, asked, ports.now()) };
    });
    const verdict = hooksVerdict(item, plan, asked, ports.now());
    if (verdict.verdict === 'fail')
      throw new CutoverError(
        'Cutover.GateFailed',
        `${plan.to.name} gets no traffic: ${verdict.reasons.join('; ')}`,
      );
    if (verdict.verdict === 'wait')
      throw new CutoverError(
        'Cutover.HookPending',
        `${plan.to.name} gets no traffic yet: ${verdict.missing.join('; ')}`,
      );
  }
}
