/**
 * What a change of the service item means to people: history items and messages are projections of it, each with an id
 * that a repeat gives again.
 */
import { imageName } from './generation.ts';
import { shortDigest } from './names.ts';
import { restoreCommand } from './restore-command.ts';
import type { Deployment, ServiceItem } from './service-item.ts';
import { inWords, type Weights } from './weights.ts';

type ChapterKind =
  | 'refused'
  | 'queued'
  | 'started'
  | 'launched'
  | 'shifted'
  | 'goingBack'
  | 'needsHand'
  | 'weightsRestored'
  | 'live'
  | 'restored'
  | 'removed'
  | 'stillReached';

export interface Chapter {
  /** Stable: the same change gives the same id. Those of a deployment sort in the order of its course. */
  readonly id: string;
  readonly kind: ChapterKind;
  readonly service: string;
  /** Null for a push that became no deployment. */
  readonly direction: 'forward' | 'back' | null;
  /** The deployment it belongs to; null for a push that became none. */
  readonly deployment: string | null;
  readonly image: string | null;
  readonly digest: string | null;
  readonly generation: string | null;
  readonly weights: Weights | null;
  readonly reason: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Seconds since the deployment started. */
  readonly seconds: number | null;
  /** Restores the traffic without Cutover; null when there is nothing to go back to. */
  readonly restore: string | null;
}

/** Kinds that a person wants to hear of; the rest only goes to the ledger. */
const spoken: ReadonlySet<ChapterKind> = new Set([
  'refused',
  'queued',
  'started',
  'shifted',
  'goingBack',
  'needsHand',
  'live',
  'restored',
  'removed',
  'stillReached',
]);

export function isSpoken(chapter: Chapter): boolean {
  return spoken.has(chapter.kind);
}

export function chaptersOf(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  return [...refusalIn(before, after), ...deploymentIn(before, after), ...retentionIn(before, after)];
}

function refusalIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const { intake } = after;
  if (intake === null || intake.admission === 'admitted' || sameIntake(before, after)) return [];
  return [
    {
      id: `push#${new Date(intake.at).toISOString()}#${intake.id}`,
      kind: intake.admission === 'queued' ? 'queued' : 'refused',
      service: after.service,
      direction: intake.direction === 'back' ? 'back' : null,
      deployment: null,
      image: intake.image,
      digest: null,
      generation: null,
      weights: null,
      reason: intake.reason,
      at: intake.at,
      seconds: null,
      restore: null,
    },
  ];
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
        id: `retained#${generation.name}#${new Date(reachedSince).toISOString()}`,
        kind: 'stillReached',
        service: after.service,
        direction: null,
        deployment: null,
        image: imageName(generation),
        digest: generation.digest,
        generation: generation.name,
        weights: null,
        reason: remark,
        at: before?.intent?.at ?? reachedSince,
        seconds: null,
        restore: null,
      },
    ];
  });
}

/** A deployment before it began. */
const unbegun = { desired: null, step: -1, reason: null, needsHand: null, outcome: null } as const;

function deploymentIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const now = after.deployment;
  if (now === null) return [];
  const known = before?.deployment?.plan.deployment === now.plan.deployment;
  const old = known ? (before.deployment ?? unbegun) : unbegun;
  const { weightsAt } = after;
  const at = latestInstant(before, after, now);
  const chapters: Chapter[] = [];
  const tell = (kind: ChapterKind, key: string, when: number | null | undefined): void => {
    chapters.push(chapter(after, now, kind, key, when ?? at));
  };

  if (!known) tell('started', '1-started', now.startedAt);
  if (now.desired !== null && old.desired === null) tell('launched', '2-launched', at);
  if (now.step >= 0 && now.step !== old.step)
    tell('shifted', `3-shifted-${String(now.step).padStart(2, '0')}`, weightsAt);
  chapters.push(...wayBackIn(before, after, now, old, at));
  return chapters;
}

/** The part of the story that goes back, up to its end; a deployment that went live ends here too. */
function wayBackIn(
  before: ServiceItem | null,
  after: ServiceItem,
  now: Deployment,
  old: Pick<Deployment, 'reason' | 'needsHand' | 'outcome'>,
  at: number,
): readonly Chapter[] {
  const { weightsAt } = after;
  const chapters: Chapter[] = [];
  const tell = (kind: ChapterKind, key: string, when: number | null | undefined): void => {
    chapters.push(chapter(after, now, kind, key, when ?? at));
  };
  if (now.reason !== null && old.reason === null) tell('goingBack', '4-going-back', turnedAt(after));
  const rewritten = weightsAt !== null && weightsAt !== before?.weightsAt;
  if (now.phase === 'restoring' && rewritten) tell('weightsRestored', '5-weights-restored', weightsAt);
  if (now.needsHand !== null && now.needsHand !== old.needsHand)
    tell('needsHand', `5-needs-hand-${after.version}`, at);
  if (now.outcome !== null && old.outcome === null) tell(now.outcome, `6-${now.outcome}`, now.endedAt);
  return chapters;
}

function chapter(
  item: ServiceItem,
  deployment: Deployment,
  kind: ChapterKind,
  key: string,
  at: number,
): Chapter {
  const { plan } = deployment;
  const ended = kind === 'live' || kind === 'restored' || kind === 'removed';
  return {
    id: `deployment#${plan.deployment}#${key}`,
    kind,
    service: item.service,
    direction: plan.direction,
    deployment: plan.deployment,
    image: imageName(plan.to),
    digest: plan.to.digest,
    generation: plan.to.name,
    weights: item.weights,
    reason: (kind === 'needsHand' ? deployment.needsHand : deployment.reason) ?? orderOf(deployment),
    at,
    seconds: Math.max(0, Math.round((at - deployment.startedAt) / 1_000)),
    restore: ended || plan.from === null ? null : restoreCommand(plan.settings.traffic, plan.weightsBefore),
  };
}

/** Who asked for a rollback, and why. */
function orderOf({ order }: Deployment): string | null {
  return order === null ? null : `${order.by}: ${order.reason}`;
}

/** A deployment turns when its way back is intended, or when its owner died and another took it over. */
function turnedAt({ intent, owner }: ServiceItem): number | undefined {
  return intent?.kind === 'restore' ? intent.at : owner?.since;
}

function sameIntake(before: ServiceItem | null, after: ServiceItem): boolean {
  return before?.intake?.id === after.intake?.id && before?.intake?.at === after.intake?.at;
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

export interface Message {
  readonly id: string;
  /** Less than 100 ASCII characters, one line: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
  readonly subject: string;
  readonly text: string;
}

/** The chapter as a person reads it on a phone. */
export function messageOf(chapter: Chapter): Message {
  const subject = subjectOf(chapter);
  const lines = [subject];
  if (chapter.reason !== null) lines.push(`Why: ${chapter.reason}`);
  if (chapter.weights !== null && chapter.kind !== 'refused')
    lines.push(`Weights: ${inWords(chapter.weights)}`);
  if (chapter.deployment !== null) lines.push(`Deployment: ${chapter.deployment}`);
  if (chapter.digest !== null)
    lines.push(`Digest: ${shortDigest(chapter.digest as Parameters<typeof shortDigest>[0])}`);
  if (chapter.restore !== null) lines.push(`To restore the traffic without Cutover: ${chapter.restore}`);
  return { id: chapter.id, subject: asciiLine(subject), text: lines.map(harmless).join('\n') };
}

function subjectOf(chapter: Chapter): string {
  return chapter.direction === 'back' ? subjectOfRollback(chapter) : subjectOfPush(chapter);
}

function subjectOfPush(chapter: Chapter): string {
  const { service, image, generation, seconds } = chapter;
  switch (chapter.kind) {
    case 'queued':
      return `${service}: ${image ?? 'a push'} waits`;
    case 'refused':
      return `${service}: ${image ?? 'an event'} starts no deployment`;
    case 'started':
      return `${service}: ${image} is being deployed as ${generation}`;
    case 'launched':
      return `${service}: ${generation} is launched and must prove itself healthy`;
    case 'shifted':
      return `${service}: ${generation} takes traffic`;
    case 'goingBack':
      return `${service}: ${generation} (${image}) failed, going back`;
    case 'needsHand':
      return `${service}: ${generation} cannot go back by itself and needs your hand`;
    case 'weightsRestored':
      return `${service}: the weights are back`;
    case 'live':
      return `${service}: ${image} is live as ${generation} after ${seconds} s`;
    case 'restored':
      return `${service}: ${image} was taken back after ${seconds} s, the old generation serves`;
    case 'removed':
      return `${service}: ${image} was removed after ${seconds} s, there was nothing to go back to`;
    case 'stillReached':
      return `${service}: ${generation} (${image}) still gets requests and is kept`;
  }
}

function subjectOfRollback(chapter: Chapter): string {
  const { service, image, generation, seconds } = chapter;
  switch (chapter.kind) {
    case 'started':
      return `${service}: going back to ${generation} (${image})`;
    case 'live':
      return `${service}: back on ${generation} (${image}) after ${seconds} s`;
    case 'goingBack':
      return `${service}: the rollback to ${generation} (${image}) failed`;
    case 'restored':
    case 'removed':
      return `${service}: the rollback to ${generation} failed, all is as before it, after ${seconds} s`;
    case 'refused':
      return `${service}: the order to go back is refused`;
    case 'queued':
    case 'launched':
    case 'shifted':
    case 'needsHand':
    case 'weightsRestored':
    case 'stillReached':
      return subjectOfPush(chapter);
  }
}

function asciiLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 99);
}

/** Words from outside (stop reasons, tags) may hold control characters or colours of a terminal. */
function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
