/**
 * What only a person can mend or decide: the deployment stops where it is, people are told what for, and reminded ever more
 * rarely. It goes on by their word, or, on the way back, once what barred it is gone.
 */
import { type ErrorName, type Failure, reasonOf, shortened } from '../errors.ts';
import { goingForward, running } from '../ledger/ownership.ts';
import type { Deployment, Hold, ServiceItem } from '../ledger/service-item.ts';
import { remindersDue } from '../messages/reminders.ts';
import type { Weights } from '../traffic/weights.ts';
import type { Plan } from './plan.ts';
import { turned } from './turn.ts';

/** What is not AWS's doing. When one takes the other's place people are told anew; how AWS words a refusal may vary. */
const ofPeople: ReadonlySet<string> = new Set<ErrorName>([
  'Cutover.ForeignWeights',
  'Cutover.ForeignCounts',
  'Cutover.RuleNotOurs',
  'Cutover.Guarded',
]);

/** AWS did not do, or did not answer, what it was asked: `Lambda.…`, `States.Timeout` and the like, and ours for it. */
const ofAws = /^(?:Cutover\.Aws|Lambda\.|Sandbox\.|Runtime\.|States\.)/;

export interface Bar {
  /** What bars the way. */
  readonly bar: Failure;
  /** Why the deployment goes back; null while it goes forward. */
  readonly failure: Failure | null;
  /** Milliseconds since the epoch; null on the way back. */
  readonly deadline: number | null;
}

/** Stops for a person's word. A repeat changes nothing, unless a reminder is due, or nobody answered until the deadline. */
export function needingHand(item: ServiceItem, plan: Plan, bar: Bar, now: number): ServiceItem {
  const current =
    bar.failure === null
      ? goingForward(item, plan)
      : { ...turned(running(item, plan), bar.failure, now), phase: 'restoring' as const };
  const hold = holdFor(current, bar, now);
  const { deadline } = bar;
  if (deadline === null || now < deadline || hold.answer !== null) return holding(item, current, hold);
  const seconds = plan.settings.handDeadlineSeconds;
  const answer = {
    by: 'Cutover',
    reason: shortened(`nobody answered within ${seconds} s; ${hold.why}`),
    at: now,
  };
  const latch = { ...current.latch, abort: current.latch.abort ?? answer };
  return holding(item, { ...current, latch }, { ...hold, answer });
}

function holdFor(current: Deployment, { bar, deadline }: Bar, now: number): Hold {
  const kind = kindOf(bar, current.turned);
  const told = { kind, error: bar.Error, why: shortened(reasonOf(bar)) };
  const known = current.hold;
  if (known?.kind !== kind || !sameBar(known.error, bar.Error)) {
    return { ...told, since: now, until: deadline, reminders: 0, remindedAt: now, answer: null };
  }
  // Who was answered asks no more.
  if (known.answer !== null) return known;
  const reminders = remindersDue(now - known.since);
  if (reminders > known.reminders) return { ...known, ...told, reminders, remindedAt: now };
  return known.error === told.error && known.why === told.why ? known : { ...known, ...told };
}

function kindOf(bar: Failure, by: Deployment['turned']): Hold['kind'] {
  if (by === null) return 'held';
  return ofAws.test(bar.Error) && ofAws.test(by.error) ? 'frozen' : 'needsHand';
}

function sameBar(one: string, other: string): boolean {
  return one === other || !(ofPeople.has(one) || ofPeople.has(other));
}

function holding(item: ServiceItem, deployment: Deployment, hold: Hold): ServiceItem {
  const known = item.deployment;
  const same = known?.hold === hold && known.phase === deployment.phase && known.turned === deployment.turned;
  return same ? item : { ...item, deployment: { ...deployment, hold } };
}

/** Whether a person's word is waited for. Once the way back is being written there is nothing left to say. */
export function waitsForHand({ wait, deployment }: ServiceItem): boolean {
  return wait?.for === 'hand' && deployment?.hold != null;
}

/** The person's word, remembered until the next step takes it. The first one counts. */
export function answered(deployment: Deployment, answer: NonNullable<Hold['answer']>): Deployment {
  const { hold } = deployment;
  if (hold === null || hold.answer !== null) return deployment;
  return { ...deployment, hold: { ...hold, answer } };
}

/**
 * Takes the person's word, once: weights that they changed, and that the rule has now, count as written by us. What is
 * changed after that holds again.
 */
export function accepting(item: ServiceItem, plan: Plan, weights: Weights): ServiceItem {
  const current = running(item, plan);
  const { hold } = current;
  if (hold === null || hold.answer === null) return item;
  return {
    ...item,
    weights: hold.error === 'Cutover.ForeignWeights' ? weights : item.weights,
    wait: null,
    deployment: { ...current, hold: null },
  };
}
