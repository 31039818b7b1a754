/**
 * Whether requests still reach a slot that has no weight any more: AWS does not say how soon a rule's weights are applied
 * everywhere (users have seen more than 30 s, argo-rollouts#4595), and cookies, headers and other rules lead to it whatever
 * its weight. Shown by the requests that the load balancer counts in each minute.
 */

import type { Generation } from '../fleet/generation.ts';
import type { Unit } from '../fleet/unit.ts';
import { countedSince, lateMs, type Minutes, minuteMs, nextMinute } from './counted-minutes.ts';

/** How many minutes are looked at: the newest may have no requests at all. */
const windowMs = 5 * minuteMs;

/** Requests that the balancer counted in one minute. */
export interface Minute {
  /** When it began. */
  readonly at: number;
  readonly inSlot: number;
  readonly elsewhere: number;
}

/** From when on quiet can be judged of a slot that lost its weight at `since`: a whole minute later is over and counted. */
export function judgedFrom(since: number): number {
  return nextMinute(since) + minuteMs + lateMs;
}

/** The newest whole minutes since then that are counted. Not empty from `judgedFrom` on. */
export function countedMinutes(since: number, now: number): Minutes {
  const { from, to } = countedSince(since, now);
  return { from: Math.max(from, to - windowMs), to };
}

/**
 * Requests in the slot in the newest minute that tells anything. In a minute without any request nothing is counted, so of
 * a balancer without requests there is none, and the time that was waited has to do: 0.
 */
export function lingering(minutes: readonly Minute[]): number {
  const telling = minutes.filter(({ inSlot, elsewhere }) => inSlot + elsewhere > 0);
  return telling.toSorted((one, other) => other.at - one.at)[0]?.inSlot ?? 0;
}

/** How long requests, or an end, may go on before people are told, who alone can find out whose they are. */
const toldAfterMs = 1_800_000;

/** What people are told of a generation without weight that is not gone since then; null while that is young. */
export function endingInWords(
  { name }: Pick<Generation, 'name'>,
  unit: Unit,
  since: number,
  now: number,
  untilThen: string,
): string | null {
  if (now - since <= toldAfterMs) return null;
  return `${name} has no weight and was told to end, but not all of its ${unit}s are gone since ${new Date(since).toISOString()}: they drain, wait for the answer of a lifecycle hook, or are kept by somebody, as by protection from scale-in. Until they are gone ${untilThen}; it ends by itself then`;
}

/** What people are told of a generation without weight that requests have reached since then; null while that is young. */
export function reachedInWords({ name, slot }: Generation, since: number, now: number): string | null {
  if (now - since <= toldAfterMs) return null;
  return `${name} has no weight, but requests have reached it in ${slot} since ${new Date(since).toISOString()}, so it is not ended: by sticky sessions, by the header of its slot, or by another rule that forwards to the slot's target group. It goes by itself when they stop`;
}
