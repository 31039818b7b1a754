/** The course of a deployment as changes of the service item, one for each thing a step does. All are pure. */
import { CutoverError, type Failure, shortened } from '../errors.ts';
import { asking, takenBack } from '../hooks/hook.ts';
import { goingForward, owned, released, running } from '../ledger/ownership.ts';
import type { Deployment, Intent, Outcome, ServiceItem, Wait } from '../ledger/service-item.ts';
import { kept, type LastWords } from '../messages/last-words.ts';
import type { GenerationName } from '../names.ts';
import { stopReason } from '../signals/latch.ts';
import type { Weights } from '../traffic/weights.ts';
import type { Plan, PlanStep } from './plan.ts';
import { afterPromotion, type Retained } from './retention.ts';
import { turned } from './turn.ts';

/** Longest a function may run (its Lambda timeout), plus a margin for clocks: how long its last write may still be under way. */
const mutationMs = 60_000 + 30_000;

/**
 * Durable before the effect: what is about to be written to AWS, by whom, and until when it may be under way. Going
 * forward, a signal that was latched until this very write forbids it.
 */
export function intending(
  item: ServiceItem,
  plan: Plan,
  intent: Omit<Intent, 'fence' | 'at'>,
  now: number,
): ServiceItem {
  if (intent.kind !== 'restore' && intent.kind !== 'terminate') unstopped(item, plan);
  else running(item, plan);
  return { ...item, intent: { ...intent, fence: plan.fence, at: now }, mutatingUntil: now + mutationMs };
}

/** `before`: tasks that are wanted of the old generation; null when there is none. */
export function launched(
  item: ServiceItem,
  plan: Plan,
  desired: number,
  before: number | null = null,
): ServiceItem {
  const current = goingForward(item, plan);
  return withDeployment(settled(item), { ...current, desired, desiredBefore: before, phase: 'proving' });
}

/** The old generation is larger by now: the new one gets no more weight before it has grown to that. */
export function growing(item: ServiceItem, plan: Plan, now: number): ServiceItem {
  const current = goingForward(item, plan);
  return current.growingSince === null ? withDeployment(item, { ...current, growingSince: now }) : item;
}

/** ECS or Auto Scaling was told how large it must be. */
export function resized(item: ServiceItem, plan: Plan): ServiceItem {
  goingForward(item, plan);
  return settled(item);
}

/** `needed` of its tasks are healthy, as many as are wanted of the old generation. */
export function grown(item: ServiceItem, plan: Plan, needed: number): ServiceItem {
  const current = goingForward(item, plan);
  const desired = current.desired === null ? null : Math.max(current.desired, needed);
  return withDeployment(item, { ...current, desired, growingSince: null });
}

/** A slow invocation that comes after a later one changes nothing: the token that it brings is worth nothing any more. */
export function waiting(item: ServiceItem, plan: Plan, wait: Wait): ServiceItem {
  if (wait.for === 'hand') running(item, plan);
  else goingForward(item, plan);
  return item.wait !== null && item.wait.entered > wait.entered ? item : { ...item, wait };
}

export function shifted(
  item: ServiceItem,
  plan: Plan,
  step: PlanStep,
  index: number,
  now: number,
  tookOver = false,
): ServiceItem {
  const current = goingForward(item, plan);
  const reached = Math.max(index, current.step);
  const next = withDeployment(weighed(item, step.weights, now), {
    ...current,
    phase: 'baking',
    step: reached,
    shiftedAt: current.shiftedAt ?? now,
    tookOver: current.tookOver || tookOver,
  });
  return plan.direction === 'back' || !step.gates.includes('hooks')
    ? next
    : asking(next, plan, { stage: 'step', step: reached, generation: plan.to }, now);
}

/** The way back begins: the reason is durable before the first write. */
export function restoring(
  item: ServiceItem,
  plan: Plan,
  before: Weights,
  failure: Failure,
  now: number,
): ServiceItem {
  const current = turned(running(item, plan), failure, now);
  const next = intending(item, plan, { kind: 'restore', before, after: plan.weightsBefore }, now);
  // What barred it stays noted until the end: should it do so again, people know already. What they said to it is over.
  const hold = current.hold === null ? null : { ...current.hold, answer: null };
  const turning = withDeployment({ ...next, wait: null }, { ...current, phase: 'restoring', hold });
  return asking(turning, plan, { stage: 'restoring', generation: plan.to }, now);
}

/** What it left behind, noted once, before it is gone. */
export function remembering(item: ServiceItem, plan: Plan, words: LastWords): ServiceItem {
  const current = running(item, plan);
  return current.lastWords === null ? withDeployment(item, { ...current, lastWords: kept(words) }) : item;
}

/** Requests still reach what is to be ended, or it has not ended yet: noted once, so that people are told. */
export function stillReached(item: ServiceItem, plan: Plan, why: string): ServiceItem {
  const current = running(item, plan);
  return current.stillReached === null
    ? withDeployment(item, { ...current, stillReached: shortened(why) })
    : item;
}

/** `quietAt`: the new generation is not ended before; later than now when it had weight, which it lost just now. */
export function restoredWeights(item: ServiceItem, plan: Plan, quietAt: number, now: number): ServiceItem {
  const current = running(item, plan);
  const withdrawn = { quietAt, withdrawnAt: quietAt > now ? now : null };
  return withDeployment(weighed(item, plan.weightsBefore, now), {
    ...current,
    ...(current.quietAt === null && withdrawn),
  });
}

/** The commit was made, also when its answer was lost and the next deployment has begun since. */
export function committed({ live, fence, deployment }: ServiceItem, plan: Plan): boolean {
  if (live?.name !== plan.to.name) return false;
  return fence > plan.fence || deployment?.outcome === 'live';
}

/** The commit: from here on the new generation is live and the old one is kept for its retention. A repeat changes nothing. */
export function promoted(item: ServiceItem, plan: Plan, now: number): ServiceItem {
  if (committed(item, plan)) return item;
  const current = unstopped(item, plan);
  const asked = asking(takenBack(item, plan.to), plan, { stage: 'promoted', generation: plan.to }, now);
  return {
    ...withDeployment(released(asked), ended(current, 'live', now)),
    live: plan.to,
    retained: afterPromotion(item.retained, plan, now),
    proven: proven(item, plan),
    held: plan.direction === 'back' ? holding(item, plan, current, now) : item.held,
  };
}

/** The new generation is gone and the old one serves, or nothing does when there was none. A repeat changes nothing. */
export function restored(item: ServiceItem, plan: Plan, now: number): ServiceItem {
  const current = owned(item, plan);
  if (current.outcome !== null) return item;
  return withDeployment(released(item), ended(current, wayBackOf(current), now));
}

function wayBackOf({ plan, turned: by }: Deployment): Outcome {
  if (plan.from === null) return 'removed';
  return by?.error === 'Cutover.Superseded' ? 'superseded' : 'restored';
}

/** The generation that a rollback was to go to is gone: the next order launches it anew. */
export function forgotten(item: ServiceItem, plan: Plan): ServiceItem {
  goingForward(item, plan);
  return {
    ...item,
    retained: item.retained.filter(({ generation }) => generation.name !== plan.to.name),
  };
}

/** Takes the service for ending what is due. Only when nobody has it; a repeat of the same execution is adopted. */
export function retiring(item: ServiceItem, execution: string, now: number): ServiceItem {
  if (item.owner?.execution === execution) return item;
  if (item.owner !== null) {
    throw new CutoverError(
      'Cutover.Busy',
      `${item.owner.execution} holds the service; retiring waits for its end`,
    );
  }
  return {
    ...item,
    fence: item.fence + 1,
    owner: { execution, redrives: 0, since: now },
    intent: { kind: 'retire', before: null, after: null, fence: item.fence + 1, at: now },
    mutatingUntil: now + mutationMs,
  };
}

/** `gone` are ended, `stayed` are as they became; the service is free again. */
export function retired(
  item: ServiceItem,
  execution: string,
  gone: readonly GenerationName[],
  stayed: readonly Retained[] = [],
): ServiceItem {
  if (item.owner?.execution !== execution) {
    throw new CutoverError(
      'Cutover.FencedOut',
      `${execution} does not hold ${item.service} any more; nothing more may be changed`,
    );
  }
  return {
    ...released(item),
    retained: item.retained
      .filter(({ generation }) => !gone.includes(generation.name))
      .map((each) => stayed.find(({ generation }) => generation.name === each.generation.name) ?? each),
  };
}

/** Goes forward, and no signal speaks against it: one that came after the last look is not lost. */
function unstopped(item: ServiceItem, plan: Plan): Deployment {
  const current = goingForward(item, plan);
  const stop = stopReason(current);
  if (stop !== undefined) throw new CutoverError(stop.error, stop.cause);
  return current;
}

/** How many are remembered: a rollback beyond that many releases is no rollback any more. */
const provenKept = 20;

/** What a rollback left comes first, as if it were the oldest: it is gone back to only when nothing else is there. */
function proven({ proven: known }: ServiceItem, { direction, from, to }: Plan): ServiceItem['proven'] {
  const left = known.filter(({ name }) => direction === 'back' && name === from?.name);
  const others = known.filter((each) => each.name !== to.name && !left.includes(each));
  const room = provenKept - 1 - left.length;
  // Launched anew it runs where the settings say then.
  return [...left, ...others.slice(-room), { ...to, fleet: null }];
}

/** What a rollback left is not deployed again by any event, until a person releases it. */
function holding(
  { held }: ServiceItem,
  { from, to }: Plan,
  { order }: Deployment,
  now: number,
): ServiceItem['held'] {
  // An older generation of the same image: it is what serves now.
  if (from === null || from.digest === to.digest) return held;
  const { by, reason } = order ?? { by: 'somebody', reason: 'no reason given' };
  const others = held.filter(({ digest }) => digest !== from.digest);
  return [...others, { digest: from.digest, generation: from.name, by, reason, at: now }];
}

function ended(deployment: Deployment, outcome: Outcome, now: number): Deployment {
  return { ...deployment, phase: 'ended', hold: null, outcome, endedAt: now };
}

function weighed(item: ServiceItem, weights: Weights, now: number): ServiceItem {
  return { ...settled(item), weights, weightsAt: now };
}

function settled(item: ServiceItem): ServiceItem {
  return { ...item, intent: null };
}

function withDeployment(item: ServiceItem, deployment: Deployment): ServiceItem {
  return { ...item, deployment };
}
