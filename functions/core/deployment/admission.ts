/** Whether a push becomes a deployment, waits, or comes to nothing. */

import { CutoverError, shortened } from '../errors.ts';
import { imageName } from '../fleet/generation.ts';
import { type Freeze, frozenAt } from '../gates/freeze.ts';
import { waiverFor } from '../gates/waiver.ts';
import { isHandingOver } from '../hooks/hook.ts';
import { isFinding } from '../images/finding.ts';
import { isOlder, type Push } from '../images/push.ts';
import { lackingLabel, notRunnable, type RegistryImage } from '../images/registry-image.ts';
import type { Intake, ServiceItem } from '../ledger/service-item.ts';
import { type Digest, shortDigest } from '../names.ts';
import { type Objection, onlyRedAlarms, refusalIn, waived, warningsIn } from '../preflight/objection.ts';
import { type Latched, mayBeSuperseded, stopReason, supersede } from '../signals/latch.ts';
import type { Weights } from '../traffic/weights.ts';
import {
  type Beginning,
  begin,
  chooseSlot,
  type Execution,
  nextGeneration,
  noSlotFree,
  unfitRule,
} from './deployment-start.ts';
import { waitsForHand } from './hold.ts';
import type { Plan } from './plan.ts';
import { isOver, type Retained } from './retention.ts';

export type Admission =
  | { readonly admission: 'admitted'; readonly plan: Plan; readonly reason: string; readonly notBefore: null }
  /** The deployment of an execution that died is taken over, to go back; nothing is written before `notBefore` (ISO time). */
  | {
      readonly admission: 'recover';
      readonly plan: Plan;
      readonly reason: string;
      readonly notBefore: string;
    }
  | {
      readonly admission: 'queued' | 'nothing' | 'superseded' | 'rejected';
      readonly plan: null;
      readonly reason: string;
      readonly notBefore: null;
    };

/** What comes of it, with the item that records it. */
export interface Decided {
  readonly item: ServiceItem;
  readonly admission: Admission;
  /** To be thrown when the item is written: the same is worth another try in a moment. */
  readonly retry?: CutoverError;
  /** The wait to end when the item is written: of the deployment whose place a newer push takes. */
  readonly end?: Latched['end'];
  /** To be asked of the registry first, whether they can still be pulled; then it is decided again. */
  readonly ask?: readonly Digest[];
}

export interface Offer extends Omit<Beginning, 'weights'> {
  readonly push: Push;
  /** The production rule as it is now; null when it could not be read, which is among the objections. */
  readonly weights: Weights | null;
  /** What was found to stand against a launch. */
  readonly objections: readonly Objection[];
  /** What was pushed, as the registry has it now; undefined when it does not (yet, or any more). */
  readonly image: RegistryImage | undefined;
}

/** How many event ids are remembered: EventBridge retries for 24 hours, and a service has few pushes in a day. */
const remembered = 100;

/** How many answered pushes are remembered: the newest is what matters, and each change of the item writes them all. */
const seenKept = 50;

/** Decides on a push. The item returned records the decision, whatever it is. */
export function admit(item: ServiceItem, offer: Offer): Decided {
  const again = admittedBefore(item, offer.execution);
  if (again !== undefined) return { item, admission: again };

  const refusal = refuse(item, offer);
  if (refusal !== undefined) return refusedPush(item, offer, refusal);
  if (item.owner !== null) return whileBusy(item, offer, item.owner.execution);
  const waiver = waiverFor(item, offer.now);
  const freeze = waiver === null ? frozenAt(offer.settings.freeze, offer.now) : undefined;
  if (freeze !== undefined) return whileFrozen(item, offer, freeze);
  const objections =
    waiver === null ? offer.objections : offer.objections.map((each) => waived(each, waiver.by));
  const objection = refusalIn(objections);
  const { push, settings, weights } = offer;
  if (objection !== undefined || weights === null)
    return objected(item, offer, objections, objection ?? `the rule ${settings.traffic.rule} was not read`);
  const beginning = { ...offer, weights };
  const slot = chooseSlot(item, beginning);
  if (slot === undefined) return withoutSlot(item, beginning);

  const to = nextGeneration(item, settings, slot, push);
  const reason = `${imageName(push)} becomes ${to.name} in ${slot}`;
  const begun = begin(
    item,
    beginning,
    { direction: 'forward', to, kept: false, copyOf: null, strategy: settings.strategy },
    {
      push: { eventId: push.eventId, at: push.at },
      order: null,
      waiver,
      warnings: warningsIn(objections).map(shortened),
    },
  );
  return {
    admission: { admission: 'admitted', plan: begun.plan, reason, notBefore: null },
    item: {
      ...recorded(answered(begun.item, push.eventId), offer, { admission: 'admitted', reason }),
      waiver: null,
      lastPush: { eventId: push.eventId, at: push.at },
      admitted: [...item.admitted, push.eventId].slice(-remembered),
    },
  };
}

function refusedPush(item: ServiceItem, offer: Offer, refusal: Refusal): Decided {
  const { push } = offer;
  return {
    item: recorded(answered(overtaking(item, push), push.eventId), offer, refusal),
    admission: { ...refusal, plan: null, notBefore: null },
  };
}

/** Only the newest push waits; the one that gives way to it is named. That it waits is told once. */
function queued(item: ServiceItem, offer: Offer, why: string): Decided {
  const reason = why + givingWay(item, offer);
  const admission = { admission: 'queued', plan: null, reason, notBefore: null } as const;
  if (item.pending?.eventId === offer.push.eventId) return { item, admission };
  return { item: recorded(waiting(item, offer.push), offer, { admission: 'queued', reason }), admission };
}

function givingWay({ pending }: ServiceItem, { push }: Offer): string {
  return pending === null || pending.eventId === push.eventId
    ? ''
    : `. ${imageName(pending)}, which waited, is superseded by it`;
}

function waiting(
  item: ServiceItem,
  { eventId, at, repository, tag, digest }: Push,
  notBefore: number | null = null,
): ServiceItem {
  const known = item.pending?.eventId === eventId;
  if (known && item.pending?.notBefore === notBefore) return item;
  return { ...item, pending: { eventId, at, repository, tag, digest, notBefore } };
}

/** A window may be declared, or end sooner, while a push waits: it is offered again before long, and told anew what changed. */
const freezeLookMs = 3_600_000;

function whileFrozen(item: ServiceItem, offer: Offer, { until, reason: why }: Freeze): Decided {
  const frozen = `nothing is deployed until ${iso(until)} (${why}); it waits`;
  const reason = `${frozen}${givingWay(item, offer)}`;
  const admission = { admission: 'queued', plan: null, reason, notBefore: null } as const;
  const waits = waiting(item, offer.push, Math.min(until, offer.now + freezeLookMs));
  const { intake, pending } = item;
  const { eventId } = offer.push;
  const told = pending?.eventId === eventId && intake?.id === eventId && intake.reason.startsWith(frozen);
  return { item: told ? waits : recorded(waits, offer, { admission: 'queued', reason }), admission };
}

/** A push that waited and was looked at waits no more, whatever came of it. */
export function answered(item: ServiceItem, eventId: string): ServiceItem {
  return item.pending?.eventId === eventId ? { ...item, pending: null } : item;
}

/** A push of what is live asks for nothing, but an older one that comes after it must not replace it. */
function overtaking(item: ServiceItem, push: Push): ServiceItem {
  return item.live?.digest === push.digest ? overtaken(item, push) : item;
}

function overtaken(item: ServiceItem, { eventId, at }: Push): ServiceItem {
  return at <= (item.lastPush?.at ?? 0) ? item : { ...item, lastPush: { eventId, at } };
}

/**
 * The same image under another tag, most likely: to have it wait would try it again by itself when it fails. While another push
 * waits it is the newer one of the two, and takes its place; of what goes back already it is another try.
 */
function isUnderWay({ owner, deployment, pending }: ServiceItem, { digest }: Pick<Push, 'digest'>): boolean {
  return (
    owner !== null &&
    pending === null &&
    deployment?.outcome === null &&
    deployment.plan.to.digest === digest &&
    mayBeSuperseded(deployment) &&
    stopReason(deployment) === undefined
  );
}

/** Plan may run twice in one execution: the second time it finds what it did. */
export function admittedBefore(item: ServiceItem, execution: Execution): Admission | undefined {
  const own = item.owner?.execution === execution.arn && item.owner.redrives === execution.redrives;
  if (!own || item.deployment === null) return undefined;
  return { admission: 'admitted', plan: item.deployment.plan, reason: 'admitted before', notBefore: null };
}

type Refusal = Pick<Intake, 'reason'> & { readonly admission: 'nothing' | 'superseded' | 'rejected' };

function refuse(item: ServiceItem, offer: Offer): Refusal | undefined {
  const { push, image } = offer;
  const repeat = repeatOf(item, push);
  if (repeat !== undefined) return { admission: 'nothing', reason: repeat };
  const unfitImage = image === undefined ? undefined : notRunnable(image);
  if (unfitImage !== undefined)
    return { admission: 'nothing', reason: `${imageName(push)} cannot be deployed: ${unfitImage}` };
  const lacking = lackingIn(offer);
  if (lacking !== undefined)
    return { admission: 'nothing', reason: `${imageName(push)} is not deployed: ${lacking}` };
  const newer = [item.lastPush, item.pending].find((other) => other !== null && isOlder(push, other));
  if (newer !== undefined && newer !== null) {
    return {
      admission: 'superseded',
      reason: `a newer push (${iso(newer.at)}) was taken before this one (${iso(push.at)})`,
    };
  }
  const lost = lostTie(item, push, image);
  if (lost !== undefined) return { admission: 'superseded', reason: lost };
  const holding = item.held.find(({ digest }) => digest === push.digest);
  if (holding !== undefined) {
    return {
      admission: 'nothing',
      reason: `${shortDigest(push.digest)} is held since ${holding.by} went back from ${holding.generation} (${holding.reason}); push another image, or release it: {"service":"${item.service}","signal":"release","by":"…"}`,
    };
  }
  if (item.owner !== null) return undefined;
  if (item.live?.digest === push.digest) {
    return {
      admission: 'nothing',
      reason: `${item.live.name} is already live with ${shortDigest(push.digest)}`,
    };
  }
  const { weights } = offer;
  const unfit = weights === null ? undefined : unfitRule(item, { ...offer, weights });
  return unfit === undefined ? undefined : { admission: 'rejected', reason: unfit };
}

/** Undefined too when the registry does not show the image: nothing is known of it then. */
function lackingIn({ image, settings }: Pick<Offer, 'image' | 'settings'>): string | undefined {
  return image === undefined ? undefined : lackingLabel(image, settings.labels);
}

/** The same push was answered before: its event came twice, or the sweep found it before its event came. */
function repeatOf(item: ServiceItem, { eventId, at, tag, digest }: Push): string | undefined {
  const last = item.seen.findLast((each) => each.tag === tag);
  const same = last?.digest === digest ? last : undefined;
  if (isFinding(eventId)) {
    const known = same !== undefined || (item.pending?.tag === tag && item.pending.digest === digest);
    return known ? `the push of ${tag} was answered before the sweep looked for it` : undefined;
  }
  if (item.admitted.includes(eventId))
    return `event ${eventId} started a deployment before; EventBridge delivered it again`;
  // A push that is made after the finding is another one, even of the same digest: somebody wants it tried again.
  return same !== undefined && isFinding(same.eventId) && at <= same.at
    ? `the sweep found the push of ${tag} before its event came`
    : undefined;
}

/**
 * Why the other one of two pushes within one second is the newer; undefined when this one is, or nobody can tell: then the
 * one that comes later is taken.
 */
function lostTie(item: ServiceItem, push: Push, image: RegistryImage | undefined): string | undefined {
  const tied = [item.pending, item.lastPush].find(
    (other) => other !== null && other.at === push.at && other.eventId !== push.eventId,
  );
  const other = item.seen.findLast(({ eventId }) => eventId === tied?.eventId);
  if (image === undefined || other === undefined || other.digest === push.digest) return undefined;
  if (other.tag === push.tag) {
    if (image.tags.includes(push.tag)) return undefined;
    return `${push.tag} was pushed twice within one second, and it names another digest than ${shortDigest(push.digest)} now`;
  }
  if (other.pushedAt === null || other.pushedAt <= image.pushedAt) return undefined;
  return `${other.tag} was pushed within the same second, and its image is the newer one`;
}

function whileBusy(item: ServiceItem, offer: Offer, owner: string): Decided {
  const running = item.deployment;
  if (running === null || running.outcome !== null) return whileRetiring(item, offer, owner);
  const what = `${running.plan.deployment} (${imageName(running.plan.to)})`;
  if (isUnderWay(item, offer.push)) {
    return refusedPush(overtaken(item, offer.push), offer, {
      admission: 'nothing',
      reason: `${what} deploys ${shortDigest(offer.push.digest)} already; should it go back, push it again to have it tried again`,
    });
  }
  const stop = `{"service":"${item.service}","signal":"abort","by":"…"}`;
  // To end it would say nothing new to what goes back: it ends when the last of it is gone.
  const goesBack = running.phase === 'restoring';
  const waits = goesBack
    ? `it waits for ${what} to end, which goes back already`
    : `it waits for ${what} to end; to end that now, invoke the signal function with ${stop}`;
  switch (offer.settings.whenBusy) {
    case 'queueLatest':
      return queued(item, offer, waits);
    case 'supersede': {
      // To go back for a push that may not be deployed yet would gain nothing.
      if (!mayBeSuperseded(running) || frozenAt(offer.settings.freeze, offer.now) !== undefined)
        return queued(item, offer, waits);
      const first = waitsForHand(item)
        ? `which is held for a person's word: it goes back first when that comes, at once with ${stop}`
        : 'which goes back first';
      const decided = queued(item, offer, `it takes the place of ${what}, ${first}`);
      return { ...decided, ...supersede(decided.item, imageName(offer.push), offer.now) };
    }
    case 'reject':
      return refusedPush(item, offer, {
        admission: 'rejected',
        reason: `${what} holds the service${goesBack ? ' and goes back already' : ''}; push it under another tag when it has ended${goesBack ? '' : `, or stop it with the signal function: ${stop}`}. It runs as ${owner}`,
      });
  }
}

/** Nothing is launched. That alarms are red may be waived, and a push that waited may go on waiting for it. */
function objected(
  item: ServiceItem,
  offer: Offer,
  objections: readonly Objection[],
  objection: string,
): Decided {
  const red = onlyRedAlarms(objections);
  if (red !== undefined && item.pending?.eventId === offer.push.eventId) return whileRed(item, offer, red);
  const fixForward =
    red === undefined
      ? ''
      : `. Should this push be what mends it, answer for it by invoking the signal function with {"service":"${item.service}","signal":"waive","by":"…","reason":"…"}, and push it again`;
  const reason = `before anything was launched: ${objection}${fixForward}`;
  return refusedPush(item, offer, { admission: 'rejected', reason });
}

/** A push that waited, a fix it may be, is not refused because what it came after left an alarm red. Told once. */
function whileRed(item: ServiceItem, offer: Offer, alarms: readonly string[]): Decided {
  const named = alarms.length === 1 ? `the alarm ${alarms[0]}` : `the alarms ${alarms.join(', ')}`;
  const reason = `it waits for ${named} to turn green, and is offered again every few minutes`;
  const known = item.intake;
  const told = known?.id === offer.push.eventId && known.reason === shortened(reason);
  return {
    item: told ? item : recorded(item, offer, { admission: 'queued', reason }),
    admission: { admission: 'queued', plan: null, reason, notBefore: null },
  };
}

/**
 * A push that cannot be decided on now, because AWS does not answer, waits: should the tries run out, it is offered again.
 * One that was answered before, or is older than one that was taken, does not.
 */
export function undecided(item: ServiceItem, push: Push): ServiceItem {
  const newer = [item.lastPush, item.pending].some((other) => other !== null && isOlder(push, other));
  const known = item.admitted.includes(push.eventId) || item.pending?.eventId === push.eventId;
  return newer || known ? item : waiting(item, push);
}

/** Retiring holds a service for seconds, unless it died: worth another try, and the push waits should the tries run out. */
function whileRetiring(item: ServiceItem, { push }: Offer, owner: string): Decided {
  const retry = retiring(owner);
  return {
    item: waiting(item, push),
    admission: { admission: 'queued', plan: null, reason: retry.message, notBefore: null },
    retry,
  };
}

/** A slot that is due to be free soon is worth waiting for. */
function withoutSlot(item: ServiceItem, offer: Offer & Beginning): Decided {
  const reason = noSlotFree(item, offer);
  const goes = (each: Retained): boolean => isOver(each, offer.now) || isHandingOver(item, each.generation);
  const soon = offer.settings.whenBusy !== 'reject' && item.retained.some(goes);
  return soon
    ? queued(item, offer, `it waits for a slot; ${reason}`)
    : refusedPush(item, offer, { admission: 'rejected', reason });
}

/** Another execution has the service for a moment. */
export function retiring(execution: string): CutoverError {
  return new CutoverError(
    'Cutover.Busy',
    `${execution} is retiring a generation of this service; try again in a moment`,
  );
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

function recorded(
  item: ServiceItem,
  offer: Offer,
  decision: Pick<Intake, 'admission' | 'reason'>,
): ServiceItem {
  // An AMI may get its tags only after it was announced, as Packer's do: the sweep looks at it again.
  const known = lackingIn(offer) === undefined ? seen(item, offer) : item;
  return recordIntake(known, {
    id: offer.push.eventId,
    direction: 'forward',
    at: offer.now,
    image: imageName(offer.push),
    execution: offer.execution.arn,
    ...decision,
  });
}

/** Remembers that the push was answered, for the sweep: a finding each time that its tag comes to name the digest again. */
export function seen(
  item: ServiceItem,
  { push, image, now }: Pick<Offer, 'push' | 'image' | 'now'>,
): ServiceItem {
  const { eventId, tag, digest } = push;
  const known = isFinding(eventId)
    ? item.seen.findLast((each) => each.tag === tag)?.eventId === eventId
    : item.seen.some((each) => each.eventId === eventId);
  if (known) return item;
  const answer = { eventId, tag, digest, pushedAt: image?.pushedAt ?? null, at: now };
  return { ...item, seen: [...item.seen, answer].slice(-seenKept) };
}

/**
 * Notes what came of something that was looked at; events that were no push at all come here too. Plan may run twice in one
 * execution: what it noted before is not noted, and told, again.
 */
export function recordIntake(item: ServiceItem, intake: Intake): ServiceItem {
  const known = item.intake;
  const reason = shortened(intake.reason);
  const again =
    known?.id === intake.id &&
    known.execution === intake.execution &&
    known.admission === intake.admission &&
    known.reason === reason;
  return again ? item : { ...item, intake: { ...intake, reason } };
}
