/**
 * Begins a wait: writes the task token to the service item, then looks at once whether what it waits for is already so.
 * Changes nothing else. Each entry into a waiting state comes here with a new token, which replaces the old one.
 */
import * as z from 'zod';
import { alarmVerdict } from '../core/alarms.ts';
import { waiting } from '../core/course.ts';
import { stopReason } from '../core/latch.ts';
import { running } from '../core/ownership.ts';
import { planSchema } from '../core/plan.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Waits } from '../ports/waits.ts';
import type { Now } from './clock.ts';
import { type LookPorts, look } from './look.ts';

export const awaitInput = z.object({
  plan: planSchema,
  for: z.enum(['healthy', 'bake']),
  /** Milliseconds since the epoch. */
  deadline: z.number(),
  /** How soon the machine looks again by itself. */
  recheckSeconds: z.number(),
  token: z.string().min(1),
});
type AwaitInput = z.infer<typeof awaitInput>;

export interface AwaitPorts extends LookPorts {
  readonly ledger: Ledger;
  readonly alarms: Alarms;
  readonly waits: Waits;
  readonly now: Now;
}

export async function awaitSignal(
  input: AwaitInput,
  ports: AwaitPorts,
): Promise<{ readonly remark: string }> {
  const { plan, token, deadline } = input;
  const { item } = await ports.ledger.change(plan.settings.service, (current) => ({
    item: waiting(current, plan, { token, for: input.for, deadline }),
  }));
  const stop = stopReason(running(item, plan).latch);
  if (stop !== undefined) {
    await ports.waits.fail(token, stop.error, stop.cause);
    return { remark: stop.cause };
  }
  return input.for === 'healthy' ? lookAtHealth(input, ports) : lookAtBake(input, ports);
}

async function lookAtHealth({ plan, token, deadline, recheckSeconds }: AwaitInput, ports: AwaitPorts) {
  const { verdict, allRunning } = await look(plan, ports);
  if (verdict.verdict === 'pass') {
    await ports.waits.succeed(token);
    return { remark: 'healthy' };
  }
  if (verdict.verdict === 'fail') {
    const cause = verdict.reasons.join('; ');
    await ports.waits.fail(token, 'Cutover.Unhealthy', cause);
    return { remark: cause };
  }
  const missing = verdict.missing.join('; ');
  if (ports.now() >= deadline) {
    const cause = `${plan.to.name} did not become healthy within ${plan.settings.healthDeadlineSeconds} s: ${missing}`;
    await ports.waits.fail(token, 'Cutover.Unhealthy', cause);
    return { remark: cause };
  }
  if (allRunning && recheckSeconds > plan.settings.healthIntervalSeconds) {
    // The event that the last task runs was lost or is late: from now on only target health is missing.
    await ports.waits.fail(token, 'Cutover.Woken', 'all tasks run');
  }
  return { remark: missing };
}

async function lookAtBake({ plan, token, deadline }: AwaitInput, ports: AwaitPorts) {
  const verdict = alarmVerdict(await ports.alarms.states(plan.settings.alarms));
  if (verdict.verdict === 'fail') {
    const cause = verdict.reasons.join('; ');
    await ports.waits.fail(token, 'Cutover.AlarmRed', cause);
    return { remark: cause };
  }
  if (ports.now() >= deadline) {
    await ports.waits.succeed(token);
    return { remark: 'the bake is over' };
  }
  return { remark: 'baking' };
}
