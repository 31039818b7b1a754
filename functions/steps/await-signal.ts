/**
 * Begins a wait: writes the task token to the service item, then looks at once whether what it waits for is already so.
 * Changes nothing else. Each entry into a waiting state comes here with a new token, which replaces the old one.
 */
import * as z from 'zod';
import { waiting } from '../core/deployment/course.ts';
import { needingHand } from '../core/deployment/hold.ts';
import { approvalOf, mustBeApproved, pausing } from '../core/deployment/pause.ts';
import { type Plan, planSchema } from '../core/deployment/plan.ts';
import { failureSchema } from '../core/errors.ts';
import { unitOf } from '../core/fleet/unit.ts';
import { isSeenHealthy, lookedAt } from '../core/gates/seen-healthy.ts';
import type { Verdict } from '../core/gates/verdict.ts';
import { running } from '../core/ledger/ownership.ts';
import type { Deployment, ServiceItem } from '../core/ledger/service-item.ts';
import { stopReason, troubleInWords } from '../core/signals/latch.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Waits } from '../ports/waits.ts';
import type { Now } from './clock.ts';
import { askGates, type GatePorts } from './gates.ts';
import { look } from './look.ts';

const begun = {
  plan: planSchema,
  token: z.string().min(1),
  /** When the state was entered, in milliseconds since the epoch, plus a thousandth for each retry. */
  entered: z.number(),
};
const looking = z.object({
  ...begun,
  /** Milliseconds since the epoch. */
  deadline: z.number(),
  /** How soon the machine looks again by itself. */
  recheckSeconds: z.number(),
});
const hand = z.object({
  ...begun,
  for: z.literal('hand'),
  /** Milliseconds since the epoch; null on the way back, which ends when it works. */
  deadline: z.number().nullable(),
  /** What bars the way. */
  bar: failureSchema,
  /** Why the deployment goes back; null while it goes forward. */
  failure: failureSchema.nullable(),
});

export const awaitInput = z.discriminatedUnion('for', [
  looking.extend({ for: z.literal('healthy') }),
  looking.extend({
    for: z.literal('bake'),
    /** When the bake is over by the strategy, in milliseconds since the epoch. */
    due: z.number(),
    /** It is over, and a person must approve. */
    asking: z.boolean(),
  }),
  hand,
]);
type AwaitInput = z.infer<typeof awaitInput>;
type LookInput = z.infer<typeof looking>;
type BakeInput = Extract<AwaitInput, { for: 'bake' }>;
type HandInput = z.infer<typeof hand>;

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
  if (input.for === 'hand') return awaitHand(input, ports);
  const { plan, token, deadline, entered } = input;
  const { item } = await ports.ledger.change(plan.settings.service, (current) => ({
    item: waiting(current, plan, { token, for: input.for, deadline, entered }),
  }));
  if (item.wait?.token !== token) return overtaken;
  const deployment = running(item, plan);
  const stop = stopReason(deployment);
  if (stop !== undefined) {
    await ports.waits.fail(token, stop.error, stop.cause);
    return { remark: stop.cause };
  }
  return input.for === 'healthy' ? lookAtHealth(input, deployment, ports) : lookAtBake(input, item, ports);
}

const overtaken = { remark: 'a later look has begun; this one came too late' };

/** Asks people for their word, and reminds them. An abort goes back at once; what was said already is acted on. */
async function awaitHand(
  { plan, token, deadline, entered, bar, failure }: HandInput,
  { ledger, waits, now }: AwaitPorts,
) {
  const wait = { token, for: 'hand' as const, deadline, entered };
  const { item } = await ledger.change(plan.settings.service, (current) => {
    const next = waiting(current, plan, wait);
    return { item: next === current ? current : needingHand(next, plan, { bar, failure, deadline }, now()) };
  });
  if (item.wait?.token !== token) return overtaken;
  const deployment = running(item, plan);
  const { latch, hold } = deployment;
  const stop = stopReason(deployment);
  if (failure === null && latch.abort !== null && stop !== undefined) {
    await waits.fail(token, stop.error, stop.cause);
    return { remark: stop.cause };
  }
  if (hold?.answer != null) await waits.succeed(token);
  return {
    remark: hold?.answer == null ? `waits for a person's word: ${hold?.why}` : 'a person said to go on',
  };
}

async function lookAtHealth(
  { plan, token, deadline, recheckSeconds }: LookInput,
  deployment: Deployment,
  ports: AwaitPorts,
) {
  const { verdict: seen, allRunning, gone } = await look(plan, null, ports);
  const sinceLaunch = ports.now() - (deadline - plan.settings.healthDeadlineSeconds * 1_000);
  // ECS and Auto Scaling are eventually consistent: what was just made may not be seen yet.
  const verdict: Verdict =
    gone && sinceLaunch < visibleAfterMs
      ? { verdict: 'wait', missing: [`${plan.to.name} is not visible yet`] }
      : seen;
  const isLasting = await lasts(plan, verdict.verdict === 'pass', ports);
  if (verdict.verdict === 'pass' && isLasting) {
    await ports.waits.succeed(token);
    return { remark: 'healthy' };
  }
  if (verdict.verdict === 'fail') {
    const cause = verdict.reasons.join('; ');
    await ports.waits.fail(token, 'Cutover.Unhealthy', cause);
    return { remark: cause };
  }
  const missing =
    verdict.verdict === 'pass'
      ? `it must be seen healthy ${plan.settings.healthyLooks} times`
      : verdict.missing.join('; ');
  if (ports.now() >= deadline) {
    const cause = `${plan.to.name} did not become healthy within ${plan.settings.healthDeadlineSeconds} s: ${missing}${troubleInWords(deployment)}`;
    await ports.waits.fail(token, 'Cutover.Unhealthy', cause);
    return { remark: cause };
  }
  if (allRunning && recheckSeconds > plan.settings.healthIntervalSeconds) {
    // The event that the last task runs was lost or is late: from now on only target health is missing.
    await ports.waits.fail(token, 'Cutover.Woken', `all ${unitOf(plan.settings)}s run`);
  }
  return { remark: missing };
}

/** Whether it was seen healthy often enough; where once is enough nothing is written. */
async function lasts(plan: Plan, isHealthy: boolean, { ledger, now }: AwaitPorts): Promise<boolean> {
  if (plan.settings.healthyLooks === 1) return isHealthy;
  const { item } = await ledger.change(plan.settings.service, (current) => ({
    item: lookedAt(current, plan, isHealthy, now()),
  }));
  return isHealthy && isSeenHealthy(running(item, plan));
}

async function lookAtBake(
  { plan, token, deadline, due, asking }: BakeInput,
  item: ServiceItem,
  ports: AwaitPorts,
) {
  const deployment = running(item, plan);
  const end = mustBeApproved(deployment) && approvalOf(deployment) !== undefined ? due : deadline;
  if (ports.now() >= end) {
    await ports.waits.succeed(token);
    return { remark: 'the bake is over' };
  }
  if (asking) {
    await ports.ledger.change(plan.settings.service, (current) => ({
      item: pausing(current, plan, deadline, ports.now()),
    }));
  }
  const gates = await askGates(plan, item, false, ports);
  if (gates.verdict === 'fail') {
    await ports.waits.fail(token, gates.error, gates.cause);
    return { remark: gates.cause };
  }
  if (!gates.alone) return { remark: 'baking' };
  await ports.waits.succeed(token);
  return { remark: `${plan.from?.name} has no healthy target: the bake is cut short` };
}
