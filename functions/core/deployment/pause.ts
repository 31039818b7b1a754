/** A step that a person must approve before it is left. Meanwhile the gates watch, as in its bake. */
import { shortened } from '../errors.ts';
import { goingForward } from '../ledger/ownership.ts';
import type { Deployment, Pause, ServiceItem } from '../ledger/service-item.ts';
import { remindersDue } from '../messages/reminders.ts';
import type { Plan } from './plan.ts';

/** Asks for the approval; a repeat changes nothing, unless a reminder is due. `until`: when it goes back without one. */
export function pausing(item: ServiceItem, plan: Plan, until: number, now: number): ServiceItem {
  const current = goingForward(item, plan);
  if (approvalOf(current) !== undefined) return item;
  const next = pauseFor(current, until, now);
  return next === current.pause ? item : { ...item, deployment: { ...current, pause: next } };
}

function pauseFor({ pause, step }: Deployment, until: number, now: number): Pause {
  if (pause?.step !== step) return { step, since: now, until, reminders: 0, remindedAt: now };
  const reminders = remindersDue(now - pause.since);
  return reminders > pause.reminders ? { ...pause, reminders, remindedAt: now } : pause;
}

/** Who approved of leaving the step that stands; undefined while nobody has. */
export function approvalOf({
  latch,
  step,
}: Deployment): Deployment['latch']['approvals'][number] | undefined {
  return latch.approvals.find((each) => each.step === step);
}

/** Whether the step that stands has to be approved. */
export function mustBeApproved({ plan, step }: Deployment): boolean {
  return plan.steps[step]?.pause === true;
}

/** The first word counts. */
export function approved(
  deployment: Deployment,
  word: { by: string; reason: string; at: number },
): Deployment {
  if (approvalOf(deployment) !== undefined) return deployment;
  const { latch, step } = deployment;
  const approvals = [...latch.approvals, { step, ...word, reason: shortened(word.reason) }];
  return { ...deployment, latch: { ...latch, approvals } };
}
