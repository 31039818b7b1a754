/**
 * What a change of the service item means to people: history items and messages are projections of it, each with an id
 * that a repeat gives again.
 */

import type { Plan } from '../deployment/plan.ts';
import { imageName } from '../fleet/generation.ts';
import type { Deployment, Hold, Intent, Pause, ServiceItem } from '../ledger/service-item.ts';
import { stopReason } from '../signals/latch.ts';
import { restoreCommand } from '../traffic/restore-command.ts';
import { asideIn, foundIn } from './aside-story.ts';
import { type Chapter, type ChapterKind, recordPrefix } from './chapter.ts';
import { aftermath, inFull } from './last-words.ts';

/** Kinds that ask for a person's word on what stands in the way. */
const asking: ReadonlySet<ChapterKind> = new Set(['held', 'needsHand', 'frozen', 'reminded']);

export function chaptersOf(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  return [...asideIn(before, after), ...deploymentIn(before, after), ...foundIn(before, after)];
}

/** What a deployment's story is told by; of one that has not begun, that nothing has come of it. */
type Standing = Pick<
  Deployment,
  | 'desired'
  | 'step'
  | 'reason'
  | 'hold'
  | 'pause'
  | 'imageNotKept'
  | 'stillReached'
  | 'lastWords'
  | 'quietAt'
  | 'outcome'
> & { readonly latch: Pick<Deployment['latch'], 'approvals'> };
const unbegun: Standing = {
  desired: null,
  step: -1,
  reason: null,
  hold: null,
  pause: null,
  latch: { approvals: [] },
  imageNotKept: null,
  stillReached: null,
  lastWords: null,
  quietAt: null,
  outcome: null,
};

/** `at`: undefined for when the write was made. */
interface Happening {
  readonly kind: ChapterKind;
  readonly at?: number | null | undefined;
  readonly intent?: Intent;
}

function deploymentIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const now = after.deployment;
  if (now === null) return [];
  const known = before?.deployment?.plan.deployment === now.plan.deployment;
  const old = known ? (before.deployment ?? unbegun) : unbegun;
  const intended = known ? before.intent : null;
  const happenings: readonly Happening[] = [
    ...(known ? [] : [{ kind: 'started', at: now.startedAt } as const]),
    ...(known || now.warnings.length === 0 ? [] : [{ kind: 'warned', at: now.startedAt } as const]),
    ...wayForwardIn(old, now, after),
    ...pauseIn(old, now),
    ...doneIn(intended, after.intent),
    ...turnIn(old, now, after),
    ...intendedIn(intended, after.intent),
    ...wayBackIn(old, now, after),
  ];
  const writtenAt = after.written?.at ?? latestInstant(before, after, now);
  return happenings.map(({ kind: of, at, intent: about = null }, index) =>
    chapter(after, now, index, { kind: of, at: at ?? writtenAt, intent: about }),
  );
}

function wayForwardIn(old: Standing, now: Standing, { weightsAt }: ServiceItem): readonly Happening[] {
  const happenings: Happening[] = [];
  if (now.desired !== null && old.desired === null) happenings.push({ kind: 'launched' });
  if (now.imageNotKept !== null && now.imageNotKept !== old.imageNotKept)
    happenings.push({ kind: 'imageNotKept' });
  if (now.step >= 0 && now.step !== old.step) happenings.push({ kind: 'shifted', at: weightsAt });
  return happenings;
}

/** A step that waits for a person's approval, what they said, and reminders. */
function pauseIn(old: Standing, { pause, latch }: Deployment): readonly Happening[] {
  const approval = latch.approvals.at(-1);
  if (approval !== undefined && latch.approvals.length > old.latch.approvals.length)
    return [{ kind: 'approved', at: approval.at }];
  if (pause === null) return [];
  if (old.pause?.step !== pause.step) return [{ kind: 'paused', at: pause.since }];
  return pause.reminders > old.pause.reminders ? [{ kind: 'reminded', at: pause.remindedAt }] : [];
}

function turnIn(old: Standing, now: Deployment, after: ServiceItem): readonly Happening[] {
  if (now.reason === null || old.reason !== null) return [];
  const givesWay = now.turned?.error === 'Cutover.Superseded';
  return [{ kind: givesWay ? 'givingWay' : 'goingBack', at: now.turned?.at ?? turnedAt(after) }];
}

function doneIn(old: Intent | null, now: Intent | null): readonly Happening[] {
  return old !== null && now === null ? [{ kind: 'done', intent: old }] : [];
}

function intendedIn(old: Intent | null, now: Intent | null): readonly Happening[] {
  return now === null || sameIntent(old, now) ? [] : [{ kind: 'intended', at: now.at, intent: now }];
}

/** The part of the story that goes back, up to its end; a deployment that went live ends here too. */
function wayBackIn(old: Standing, now: Deployment, { weightsAt }: ServiceItem): readonly Happening[] {
  const happenings: Happening[] = [];
  if (now.quietAt !== null && old.quietAt === null)
    happenings.push({ kind: 'weightsRestored', at: weightsAt });
  if (now.stillReached !== null && old.stillReached === null) happenings.push({ kind: 'stillReached' });
  if (now.lastWords !== null && old.lastWords === null) happenings.push({ kind: 'lastWords' });
  happenings.push(...handIn(old.hold, now));
  if (now.outcome !== null && old.outcome === null) happenings.push({ kind: now.outcome, at: now.endedAt });
  return happenings;
}

/** What a person is waited for, what they said to it, and reminders. */
function handIn(old: Hold | null, { hold, latch }: Deployment): readonly Happening[] {
  if (hold === null) return [];
  if (old === null || old.since !== hold.since || old.kind !== hold.kind)
    return [{ kind: hold.kind, at: hold.since }];
  // An abort tells itself, by the way back.
  const aborted = hold.kind === 'held' && latch.abort !== null;
  if (hold.answer !== null && old.answer === null)
    return aborted ? [] : [{ kind: 'resumed', at: hold.answer.at }];
  return hold.reminders > old.reminders ? [{ kind: 'reminded', at: hold.remindedAt }] : [];
}

/** `index`: among the chapters that the same write tells. */
function chapter(
  item: ServiceItem,
  deployment: Deployment,
  index: number,
  of: Pick<Chapter, 'kind' | 'at' | 'intent'>,
): Chapter {
  const { plan, push, order, step, desired, startedAt } = deployment;
  const ended = of.kind === deployment.outcome;
  const wayBack = !ended && of.intent === null && plan.from !== null;
  const version = String(item.version).padStart(8, '0');
  return {
    ...of,
    id: `${recordPrefix(plan.deployment)}${version}-${index}-${of.kind}`,
    service: item.service,
    direction: plan.direction,
    deployment: plan.deployment,
    image: imageName(plan.to),
    digest: plan.to.digest,
    generation: plan.to.name,
    weights: item.weights,
    reason: reasonFor(of.kind, item.service, deployment),
    seconds: Math.max(0, Math.round((of.at - startedAt) / 1_000)),
    restore: wayBack ? restoreCommand(plan.settings.traffic, plan.weightsBefore) : null,
    push: push?.eventId ?? null,
    order,
    step,
    desired,
    written: item.written,
  };
}

function reasonFor(kind: ChapterKind, service: string, deployment: Deployment): string | null {
  const { hold, latch, pause, plan } = deployment;
  if (hold !== null && asking.has(kind)) return handInWords(service, hold, stopReason(deployment)?.cause);
  if (pause !== null && (kind === 'paused' || kind === 'reminded')) return pauseInWords(service, plan, pause);
  const approval = latch.approvals.at(-1);
  if (approval !== undefined && kind === 'approved') return `${approval.by}: ${approval.reason}`;
  if (hold?.answer != null && kind === 'resumed') return `${hold.answer.by}: ${hold.answer.reason}`;
  if (kind === 'warned') return deployment.warnings.join('; ');
  if (kind === 'imageNotKept') return deployment.imageNotKept;
  if (kind === 'stillReached') return deployment.stillReached;
  if (kind === 'lastWords') return deployment.lastWords === null ? null : inFull(deployment.lastWords);
  const reason = deployment.reason ?? orderOf(deployment);
  return kind === 'restored' || kind === 'removed' ? endInWords(deployment, reason) : reason;
}

/** Why it was taken back, what it left behind, and what to do next: on a phone, so short. */
function endInWords(deployment: Deployment, reason: string | null): string | null {
  const words = [reason, aftermath(deployment)].filter((each) => each !== null && each !== '');
  return words.length === 0 ? null : words.join('. ');
}

/** What is asked of a person, and how they say it: complete, for it may be all that they see of it on a phone. */
function handInWords(service: string, { kind, why, until }: Hold, stop: string | undefined): string {
  const say = (signal: string) => JSON.stringify({ service, signal, by: 'you', reason: 'why' });
  if (kind !== 'held') {
    return `${why}. Both generations stay up, and the way back is tried again and again. To have it tried at once, from what the rule has by then, invoke the signal function with ${say('resume')}`;
  }
  const meanwhile = stop === undefined ? '' : ` Meanwhile: ${stop}, so to resume goes back too.`;
  const end = until === null ? '' : ` Without a word it goes back at ${new Date(until).toISOString()}.`;
  return `${why}. It stays where it is. To go on (the weights of its step are written again, and bake anew) invoke the signal function with ${say('resume')}; to go back, with ${say('abort')}.${end}${meanwhile}`;
}

function pauseInWords(service: string, { deployment, steps, to }: Plan, { step, until }: Pause): string {
  const say = (signal: string) => JSON.stringify({ service, signal, deployment, by: 'you', reason: 'why' });
  const percent = steps[step]?.weightPercent;
  return `${to.name} has baked at ${percent} % and the gates have nothing against it; they go on watching. To go on invoke the signal function with ${say('approve')}; to go back, with ${say('abort')}. Without a word it goes back at ${new Date(until).toISOString()}`;
}

/** Who asked for a rollback, and why. */
function orderOf({ order }: Deployment): string | null {
  return order === null ? null : `${order.by}: ${order.reason}`;
}

/** A deployment turns when its way back is intended, or when its owner died and another took it over. */
function turnedAt({ intent: intends, owner }: ServiceItem): number | undefined {
  return intends?.kind === 'restore' ? intends.at : owner?.since;
}

/** A try of the same step again is another intent: it has its own time. */
function sameIntent(one: Intent | null, other: Intent): boolean {
  return one?.kind === other.kind && one.fence === other.fence && one.at === other.at;
}

/** What was intended last happened just now, for the write that says so takes the intent away. */
function latestInstant(before: ServiceItem | null, item: ServiceItem, deployment: Deployment): number {
  return Math.max(
    deployment.startedAt,
    deployment.endedAt ?? 0,
    item.intent?.at ?? before?.intent?.at ?? 0,
    item.weightsAt ?? 0,
  );
}
