/**
 * Begins a wait: writes the task token to the service item, then looks at once whether what it waits for is already so.
 * Changes nothing else. Each entry into a waiting state comes here with a new token, which replaces the old one.
 */
import * as z from 'zod';
import { waiting } from '../core/course.ts';
import { stopReason } from '../core/latch.ts';
import { running } from '../core/ownership.ts';
import { planSchema } from '../core/plan.ts';
import type { Deployment } from '../core/service-item.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Waits } from '../ports/waits.ts';
import type { Now } from './clock.ts';
import { type GatePorts, gateFailure } from './gates.ts';
import { look } from './look.ts';

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

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html advises to allow for a few minutes at worst. */
const visibleAfterMs = 60_000;

export interface AwaitPorts extends GatePorts {
  readonly ledger: Ledger;
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
  const deployment = running(item, plan);
  const stop = stopReason(deployment.latch);
  if (stop !== undefined) {
    await ports.waits.fail(token, stop.error, stop.cause);
    return { remark: stop.cause };
  }
  return input.for === 'healthy' ? lookAtHealth(input, ports) : lookAtBake(input, deployment, ports);
}

async function lookAtHealth({ plan, token, deadline, recheckSeconds }: AwaitInput, ports: AwaitPorts) {
  const { verdict: seen, allRunning, gone } = await look(plan, null, ports);
  const sinceLaunch = ports.now() - (deadline - plan.settings.healthDeadlineSeconds * 1_000);
  // ECS and Auto Scaling are eventually consistent: what was just made may not be seen yet.
  const verdict: Verdict =
    gone && sinceLaunch < visibleAfterMs
      ? { verdict: 'wait', missing: [`${plan.to.name} is not visible yet`] }
      : seen;
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

async function lookAtBake({ plan, token, deadline }: AwaitInput, deployment: Deployment, ports: AwaitPorts) {
  if (ports.now() >= deadline) {
    await ports.waits.succeed(token);
    return { remark: 'the bake is over' };
  }
  const failure = await gateFailure(plan, deployment, ports);
  if (failure === undefined) return { remark: 'baking' };
  await ports.waits.fail(token, failure.error, failure.cause);
  return { remark: failure.cause };
}
