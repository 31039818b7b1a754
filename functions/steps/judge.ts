/**
 * Asks every gate at the end of a bake. Returns when all pass; throws what failed, or `Cutover.NotYet` while the bake goes on.
 * Changes nothing.
 */
import * as z from 'zod';
import { alarmVerdict } from '../core/alarms.ts';
import { CutoverError } from '../core/errors.ts';
import { stopReason } from '../core/latch.ts';
import { running } from '../core/ownership.ts';
import { planSchema } from '../core/plan.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';
import { type LookPorts, look } from './look.ts';

export const judgeInput = z.object({
  plan: planSchema,
  /** Milliseconds since the epoch. */
  deadline: z.number(),
});

export interface JudgePorts extends LookPorts {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly alarms: Alarms;
  readonly now: Now;
}

export async function judge(
  { plan, deadline }: z.infer<typeof judgeInput>,
  ports: JudgePorts,
): Promise<{ readonly verdict: 'pass' }> {
  const item = await ports.ledger.read(plan.settings.service);
  const stop = stopReason(running(item, plan).latch);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);

  const [alarms, { verdict }] = await Promise.all([
    ports.alarms.states(plan.settings.alarms),
    look(plan, ports),
  ]);
  const red = alarmVerdict(alarms);
  if (red.verdict === 'fail') throw new CutoverError('Cutover.AlarmRed', red.reasons.join('; '));
  if (verdict.verdict !== 'pass') {
    const words = verdict.verdict === 'fail' ? verdict.reasons : verdict.missing;
    throw new CutoverError('Cutover.Unhealthy', `${plan.to.name} did not stay healthy: ${words.join('; ')}`);
  }
  const remaining = deadline - ports.now();
  if (remaining > 0) {
    throw new CutoverError(
      'Cutover.NotYet',
      `nothing speaks against ${plan.to.name}, the bake goes on for ${Math.ceil(remaining / 1_000)} s`,
    );
  }
  return { verdict: 'pass' };
}
