/** Asks the hooks of a stage that is waited for, and says what came of them. Writes only the service item; a repeat asks nobody again. */
import { CutoverError } from '../core/errors.ts';
import { asking, hooksVerdict } from '../core/hook.ts';
import type { HookStage } from '../core/hook-settings.ts';
import { goingForward } from '../core/ownership.ts';
import type { Plan } from '../core/plan.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

/** Before the first weight: the one after the other, for what is launched may first have to be made ready. */
const beforeTraffic: readonly HookStage[] = ['launched', 'testTraffic'];

export interface HookPorts {
  readonly ledger: Ledger;
  readonly now: Now;
}

/** Throws `Cutover.HookPending` until all have answered, and `Cutover.GateFailed` for what they refuse. */
export async function passHooks(plan: Plan, ports: HookPorts): Promise<void> {
  for (const stage of beforeTraffic) {
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
