/** A chapter of the story as people read it: on a phone, in a chat, in a mail. */

import type { Intent } from '../ledger/service-item.ts';
import { shortDigest } from '../names.ts';
import { inWords } from '../traffic/weights.ts';
import type { Chapter, ChapterKind } from './chapter.ts';

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
  if (chapter.weights !== null && !othersMayStand.has(chapter.kind))
    lines.push(`Weights: ${inWords(chapter.weights)}`);
  if (chapter.deployment !== null) lines.push(`Deployment: ${chapter.deployment}`);
  if (chapter.digest !== null)
    lines.push(`Digest: ${shortDigest(chapter.digest as Parameters<typeof shortDigest>[0])}`);
  if (chapter.restore !== null) lines.push(`To restore the traffic without Cutover: ${chapter.restore}`);
  return { id: chapter.id, subject: asciiLine(subject), text: lines.map(harmless).join('\n') };
}

/** The rule may have other weights then than those that Cutover wrote: the reason tells. */
const othersMayStand: ReadonlySet<ChapterKind> = new Set([
  'refused',
  'held',
  'resumed',
  'needsHand',
  'frozen',
  'reminded',
]);

type Subject = (of: Chapter) => string;

const subjects: Readonly<Record<ChapterKind, Subject>> = {
  queued: (of) => `${of.service}: ${of.image ?? 'a push'} waits`,
  refused: (of) => `${of.service}: ${of.image ?? 'an event'} starts no deployment`,
  started: (of) => `${of.service}: ${of.image} is being deployed as ${of.generation}`,
  warned: (of) => `${of.service}: ${of.generation} is launched in spite of what was found`,
  waived: (of) => `${of.service}: somebody answers for the next push`,
  intended: (of) => `${of.service}: ${intentOf(of)} is about to be written`,
  done: (of) => `${of.service}: ${intentOf(of)} is done`,
  launched: (of) => `${of.service}: ${of.generation} is launched and must prove itself healthy`,
  shifted: (of) => `${of.service}: ${of.generation} takes traffic`,
  goingBack: (of) => `${of.service}: ${of.generation} (${of.image}) failed, going back`,
  held: (of) => `${of.service}: ${of.generation} is held, for somebody changed what it was doing`,
  resumed: (of) => `${of.service}: ${of.generation} goes on: its step's weights are written again`,
  paused: (of) => `${of.service}: ${of.generation} waits for your approval to go on`,
  approved: (of) => `${of.service}: ${of.generation} is approved and goes on`,
  givingWay: (of) => `${of.service}: ${of.generation} (${of.image}) gives way to a newer push, going back`,
  needsHand: (of) => `${of.service}: ${of.generation} cannot go back by itself and needs your hand`,
  frozen: (of) => `${of.service}: ${of.generation} is frozen, AWS refuses the way on and the way back`,
  reminded: (of) =>
    `${of.service}: ${of.generation} still waits for your hand, ${of.seconds} s after it began`,
  weightsRestored: (of) => `${of.service}: the weights are back`,
  live: (of) => `${of.service}: ${of.image} is live as ${of.generation} after ${of.seconds} s`,
  restored: (of) =>
    `${of.service}: ${of.image} was taken back after ${of.seconds} s, the old generation serves`,
  superseded: (of) =>
    `${of.service}: ${of.image} gave way to a newer push after ${of.seconds} s, the old generation serves`,
  removed: (of) =>
    `${of.service}: ${of.image} was removed after ${of.seconds} s, there was nothing to go back to`,
  hookPassed: (of) => `${of.service}: a hook lets ${of.generation} go on`,
  hookFailed: (of) => `${of.service}: a hook says no to ${of.generation}`,
  undrained: (of) => `${of.service}: an instance of ${of.generation} ended without having been drained`,
  lastWords: (of) => `${of.service}: what ${of.generation} (${of.image}) left behind`,
  imageNotKept: (of) => `${of.service}: ${of.image} is not kept from expiring`,
  imageMissing: (of) => `${of.service}: the image ${of.image} of ${of.generation} is gone`,
  orphaned: (of) => `${of.service}: something stands that nothing references`,
  stillReached: (of) => `${of.service}: ${of.generation} (${of.image}) is not ended yet`,
};

const rollbackFailed: Subject = (of) =>
  `${of.service}: the rollback to ${of.generation} failed, all is as before it, after ${of.seconds} s`;

/** Where a rollback is told in other words. */
const subjectsOfRollback: Readonly<Partial<Record<ChapterKind, Subject>>> = {
  started: (of) => `${of.service}: going back to ${of.generation} (${of.image})`,
  launched: (of) => `${of.service}: ${of.generation} (${of.image}) must prove itself healthy`,
  live: (of) => `${of.service}: back on ${of.generation} (${of.image}) after ${of.seconds} s`,
  goingBack: (of) => `${of.service}: the rollback to ${of.generation} (${of.image}) failed`,
  restored: rollbackFailed,
  removed: rollbackFailed,
  refused: (of) => `${of.service}: the order to go back is refused`,
};

function subjectOf(chapter: Chapter): string {
  const { kind, direction } = chapter;
  const subject = (direction === 'back' ? subjectsOfRollback[kind] : undefined) ?? subjects[kind];
  return subject(chapter);
}

const nouns: Readonly<Record<Intent['kind'], string>> = {
  launch: 'launch',
  shift: 'shift',
  restore: 'restore',
  promote: 'promotion',
  terminate: 'end',
  retire: 'retirement',
  resize: 'growth',
};

/** `the shift of web-g0002 (blue 100 -> blue 90, green 10)` */
function intentOf({ intent: about, generation }: Chapter): string {
  if (about === null) return `a change of ${generation}`;
  const { kind: what, before, after } = about;
  const weights = before === null || after === null ? '' : ` (${inWords(before)} -> ${inWords(after)})`;
  return `the ${nouns[what]} of ${generation}${weights}`;
}

function asciiLine(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 99);
}

/** Words from outside (stop reasons, tags) may hold control characters or colours of a terminal. */
function harmless(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}
