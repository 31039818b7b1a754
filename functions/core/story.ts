/**
 * What a change of the service item means to people: history items and messages are projections of it, each with an id
 * that a repeat gives again.
 */
import * as z from 'zod';
import { type Generation, imageName } from './generation.ts';
import { stopReason } from './latch.ts';
import { growing } from './parse.ts';
import type { Plan } from './plan.ts';
import { restoreCommand } from './restore-command.ts';
import {
  type Deployment,
  type Hold,
  type Intent,
  intent,
  type Pause,
  type ServiceItem,
} from './service-item.ts';
import { waiverEnds } from './waiver.ts';
import { weightsSchema } from './weights.ts';
import { written } from './written.ts';

const chapterKind = z.enum([
  'refused',
  'queued',
  'started',
  'warned',
  'waived',
  /** What is about to be written to AWS; its `done` comes later, or never when it came to nothing. */
  'intended',
  'done',
  'launched',
  'shifted',
  'held',
  'resumed',
  'paused',
  'approved',
  'goingBack',
  'givingWay',
  'needsHand',
  'frozen',
  'reminded',
  'weightsRestored',
  'live',
  'restored',
  'superseded',
  'removed',
  'imageNotKept',
  'imageMissing',
  'orphaned',
  'stillReached',
]);
export type ChapterKind = z.infer<typeof chapterKind>;

/** Milliseconds since the epoch. */
const instant = z.number();

export const chapterSchema = growing({
  /**
   * Stable: the same change gives the same id. Those of a deployment begin with `deployment#ID#` and the version of the
   * service item that tells them, so that they sort in the order of its course.
   */
  id: z.string(),
  kind: chapterKind,
  service: z.string(),
  /** Null for a push that became no deployment. */
  direction: z.enum(['forward', 'back']).nullable(),
  /** The deployment it belongs to; null for a push that became none. */
  deployment: z.string().nullable(),
  image: z.string().nullable(),
  digest: z.string().nullable(),
  generation: z.string().nullable(),
  weights: weightsSchema.nullable(),
  reason: z.string().nullable(),
  at: instant,
  /** Seconds since the deployment started. */
  seconds: z.number().nullable(),
  /** Restores the traffic without Cutover; null when there is nothing to go back to, and for an intent and its end. */
  restore: z.string().nullable(),
  /** The push's event that asked for it; null for a rollback. */
  push: z.string().nullable().default(null),
  /** Who ordered the rollback, and why; null for a push. */
  order: growing({ by: z.string(), reason: z.string() }).nullable().default(null),
  /** Of `intended` and `done`: what, with the weights before and after, under which fence, and since when. */
  intent: intent.nullable().default(null),
  /** Index of the weight step that stands; -1 before the first, null where there is no deployment. */
  step: z.int().nullable().default(null),
  /** Tasks the new generation was launched with; null until then. */
  desired: z.int().nullable().default(null),
  /** The invocation that wrote the change; null in what older versions told. */
  written: written.nullable().default(null),
});
export type Chapter = z.infer<typeof chapterSchema>;

/** Kinds that a person wants to hear of; the rest only goes to the ledger. */
const spoken: ReadonlySet<ChapterKind> = new Set([
  'refused',
  'queued',
  'started',
  'warned',
  'waived',
  'shifted',
  'held',
  'resumed',
  'paused',
  'approved',
  'goingBack',
  'givingWay',
  'needsHand',
  'frozen',
  'reminded',
  'live',
  'restored',
  'superseded',
  'removed',
  'imageNotKept',
  'imageMissing',
  'orphaned',
  'stillReached',
]);

/** Kinds that ask for a person's word on what stands in the way. */
const asking: ReadonlySet<ChapterKind> = new Set(['held', 'needsHand', 'frozen', 'reminded']);

export function isSpoken(chapter: Chapter): boolean {
  return spoken.has(chapter.kind);
}

/** What all ids of a deployment's chapters begin with. */
export function recordPrefix(deployment: string): string {
  return `deployment#${deployment}#`;
}

export function chaptersOf(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  return [
    ...refusalIn(before, after),
    ...waiverIn(before, after),
    ...deploymentIn(before, after),
    ...foundIn(before, after),
    ...retentionIn(before, after),
  ];
}

function refusalIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const { intake } = after;
  if (intake === null || intake.admission === 'admitted' || sameIntake(before, after)) return [];
  return [
    {
      ...apart,
      id: `push#${new Date(intake.at).toISOString()}#${intake.id}`,
      kind: intake.admission === 'queued' ? 'queued' : 'refused',
      service: after.service,
      direction: intake.direction === 'back' ? 'back' : null,
      image: intake.image,
      reason: intake.reason,
      at: intake.at,
      push: intake.direction === 'forward' ? intake.id : null,
      written: after.written,
    },
  ];
}

function waiverIn(
  before: ServiceItem | null,
  { service, waiver, written: by }: ServiceItem,
): readonly Chapter[] {
  if (waiver === null || before?.waiver?.at === waiver.at) return [];
  return [
    {
      ...apart,
      id: `waived#${new Date(waiver.at).toISOString()}`,
      kind: 'waived',
      service,
      reason: `${waiver.by}: ${waiver.reason}. Red alarms and freezes do not keep the next push until ${new Date(waiverEnds(waiver)).toISOString()}`,
      at: waiver.at,
      written: by,
    },
  ];
}

/** Of a chapter that belongs to no deployment. */
const apart = {
  direction: null,
  deployment: null,
  image: null,
  digest: null,
  generation: null,
  weights: null,
  seconds: null,
  restore: null,
  push: null,
  order: null,
  intent: null,
  step: null,
  desired: null,
} as const;

/** What the sweep found. */
function foundIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const { service } = after;
  const known = new Set(before?.imagesMissing.map(({ generation }) => generation.name));
  const missing = after.imagesMissing
    .filter(({ generation }) => !known.has(generation.name))
    .map(
      ({ generation, at }): Chapter => ({
        ...apart,
        id: `found#image-missing#${generation.name}`,
        kind: 'imageMissing',
        service,
        image: imageName(generation),
        digest: generation.digest,
        generation: generation.name,
        reason: withoutImage(after, generation),
        at,
        written: after.written,
      }),
    );
  const [first, ...more] = after.orphans.filter(
    ({ name }) => before?.orphans.some((each) => each.name === name) !== true,
  );
  if (first === undefined) return missing;
  const names = [first, ...more].map(({ name, runs }) => (runs ? name : `${name} (no longer running)`));
  const orphaned: Chapter = {
    ...apart,
    id: `found#orphaned#${first.name}`,
    kind: 'orphaned',
    service,
    reason: `nothing references ${names.join(', ')}. To have what is orphaned ended, invoke the signal function with {"service":"${service}","signal":"collect","by":"…"}`,
    at: first.at,
    written: after.written,
  };
  return [...missing, orphaned];
}

function withoutImage({ live }: ServiceItem, { name, repository }: Generation): string {
  return live?.name === name
    ? `${name} is live, but its image is not in ${repository} any more: a task that is replaced cannot start. Push the image again, or deploy another one`
    : `${name} may be gone back to, but its image is not in ${repository} any more: push the image again`;
}

/** A generation that is kept beyond its time, for requests still reach it. */
function retentionIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const known = new Set(
    before?.retained.flatMap(({ generation, remark }) => (remark === null ? [] : [generation.name])),
  );
  return after.retained.flatMap(({ generation, reachedSince, remark }): Chapter[] => {
    if (remark === null || reachedSince === null || known.has(generation.name)) return [];
    return [
      {
        ...apart,
        id: `retained#${generation.name}#${new Date(reachedSince).toISOString()}`,
        kind: 'stillReached',
        service: after.service,
        image: imageName(generation),
        digest: generation.digest,
        generation: generation.name,
        reason: remark,
        at: before?.intent?.at ?? reachedSince,
        written: after.written,
      },
    ];
  });
}

/** What a deployment's story is told by; of one that has not begun, that nothing has come of it. */
type Standing = Pick<
  Deployment,
  'desired' | 'step' | 'reason' | 'hold' | 'pause' | 'imageNotKept' | 'stillReached' | 'quietAt' | 'outcome'
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
  if (hold !== null && asking.has(kind)) return handInWords(service, hold, stopReason(latch)?.cause);
  if (pause !== null && (kind === 'paused' || kind === 'reminded')) return pauseInWords(service, plan, pause);
  const approval = latch.approvals.at(-1);
  if (approval !== undefined && kind === 'approved') return `${approval.by}: ${approval.reason}`;
  if (hold?.answer != null && kind === 'resumed') return `${hold.answer.by}: ${hold.answer.reason}`;
  if (kind === 'warned') return deployment.warnings.join('; ');
  if (kind === 'imageNotKept') return deployment.imageNotKept;
  if (kind === 'stillReached') return deployment.stillReached;
  return deployment.reason ?? orderOf(deployment);
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

function sameIntake(before: ServiceItem | null, after: ServiceItem): boolean {
  return before?.intake?.id === after.intake?.id && before?.intake?.at === after.intake?.at;
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
