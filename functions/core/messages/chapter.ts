/** One piece of a service's story, as the ledger keeps it and messages are made of it. */
import * as z from 'zod';
import { intent } from '../ledger/service-item.ts';
import { written } from '../ledger/written.ts';
import { growing } from '../parse.ts';
import { weightsSchema } from '../traffic/weights.ts';

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
  'hookPassed',
  'hookFailed',
  /** An instance ended without having been drained. */
  'undrained',
  /** What a generation that was taken back left behind, whole. */
  'lastWords',
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
  'hookFailed',
  'undrained',
]);

export function isSpoken(chapter: Chapter): boolean {
  return spoken.has(chapter.kind);
}

/** What all ids of a deployment's chapters begin with. */
export function recordPrefix(deployment: string): string {
  return `deployment#${deployment}#`;
}
