/**
 * The new generation against the old one over the same minutes, from what the load balancer counts for their slots: no setting up
 * is needed. Two shares are compared, that of failed requests and that of slow ones, by one sequential test each.
 *
 * Failed are the requests that a target answered with 5xx, and those that none answered: what the balancer answers itself when a
 * target crashes or resets is counted for no target group
 * (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html).
 * Slow are those that take longer than nine of ten took of the old generation right before.
 */
import * as z from 'zod';
import { lastMinute, lateMs, type Minutes, minuteMs } from '../traffic/counted-minutes.ts';
import { type Counts, isEnough, mostEvidence, noCounts, requestsNeeded } from './sequential-test.ts';

const percent = z.number().min(0.1).max(50);

export const comparisonSettings = z.strictObject({
  failedPercent: percent
    .default(1)
    .describe('that many more of a hundred requests failing is what must be found out'),
  slowPercent: percent
    .nullable()
    .default(5)
    .describe('the same of slow requests; null: time is not compared'),
  falseAlarmPercent: z
    .number()
    .min(0.01)
    .max(10)
    .default(1)
    .describe('how many of a hundred equal generations may be taken back'),
  fewRequests: z
    .enum(['fail', 'pass'])
    .default('fail')
    .describe('what becomes of a generation that got too few requests for a comparison by then'),
});
export type ComparisonSettings = z.infer<typeof comparisonSettings>;

/** Since a weight is applied everywhere, one whole minute, which begins up to a minute later, and until it is counted. */
const settleSeconds = 30;
export const leastBakeSeconds = settleSeconds + (minuteMs + minuteMs + lateMs) / 1_000;
export const leastBakeInWords = `${leastBakeSeconds} s (${settleSeconds} until a weight is applied, up to 60 until a minute begins, 60 for that minute, 120 until it is counted)`;

/** How slow the old generation is, is learned from that many minutes before the first weight. */
const learnedMinutes = 15;

export function minutesBefore(shiftedAt: number): Minutes {
  const to = lastMinute(shiftedAt);
  return { from: to - learnedMinutes * minuteMs, to };
}

/** Nine of ten requests were faster. */
export const slowPercentile = 90;

/** One slot in one minute. */
export interface SlotMinute {
  /** When the minute began. */
  readonly at: number;
  readonly requests: number;
  /** Answers of targets with 2xx, 3xx or 4xx, and with 5xx: also to requests of the minute before. */
  readonly good: number;
  readonly bad: number;
  /** Answers of which the time is known. */
  readonly timed: number;
  /** Of those, slow; 0 when it is not known what slow is. */
  readonly slow: number;
}

export interface Seen {
  /** The old generation's slot before the first weight. */
  readonly before: readonly SlotMinute[];
  /** Since the first weight. */
  readonly old: readonly SlotMinute[];
  readonly fresh: readonly SlotMinute[];
  /** Above which a request counts as slow; undefined when nothing told how slow the old generation is. */
  readonly slowAboveSeconds: number | undefined;
}

export type Comparison =
  | { readonly comparison: 'worse'; readonly reasons: readonly string[] }
  /** With as many requests as are needed, nothing shows that it is worse. */
  | { readonly comparison: 'notWorse'; readonly words: string }
  | { readonly comparison: 'inconclusive'; readonly words: string };

interface Counted extends Counts {
  readonly at: number;
}

interface Share {
  readonly what: 'failed' | 'were slow';
  readonly of: (minutes: readonly SlotMinute[]) => readonly Counted[];
  /** 0 to 1. */
  readonly effect: number;
}

export function compare(
  { failedPercent, slowPercent, falseAlarmPercent }: ComparisonSettings,
  seen: Seen,
  names: { readonly old: string; readonly fresh: string },
): Comparison {
  const timed = slowPercent !== null && seen.slowAboveSeconds !== undefined;
  const shares: readonly Share[] = [
    {
      what: 'failed',
      of: failures,
      effect: failedPercent / 100,
    },
    ...(timed
      ? [
          {
            what: 'were slow' as const,
            of: (minutes: readonly SlotMinute[]) =>
              minutes.map(({ at, timed: requests, slow }) => ({ at, requests, bad: slow })),
            effect: slowPercent / 100,
          },
        ]
      : []),
  ];
  // Each share may give a false alarm: together they must not give more of them.
  const falseAlarm = falseAlarmPercent / 100 / shares.length;
  const judged = shares.map((share) => judge(share, seen, falseAlarm));
  const reasons = judged.flatMap(({ what, old, fresh, isWorse }) =>
    isWorse
      ? [
          `more requests to ${names.fresh} ${what}: ${shareOf(fresh)}, against ${shareOf(old)} of ${names.old} in the same minutes${limitOf(what, seen)}. Between equal generations whose requests ${what === 'failed' ? 'fail' : 'are slow'} independently of each other that comes up in less than ${falseAlarmPercent} of 100 deployments`,
        ]
      : [],
  );
  if (reasons.length > 0) return { comparison: 'worse', reasons };
  const needed = Math.max(...judged.map((each) => each.needed));
  const requests = Math.min(...judged.map(({ fresh }) => fresh.requests));
  const words = `${amount(requests)} of ${amount(needed)} requests to ${names.fresh} that it takes to find out ${judged.map(({ what, effect }) => `whether ${round(effect * 100)} of 100 more ${what}`).join(' and ')}`;
  return requests >= needed
    ? { comparison: 'notWorse', words }
    : { comparison: 'inconclusive', words: `too few to compare: ${words}` };
}

function judge({ what, of, effect }: Share, { before, old, fresh }: Seen, falseAlarm: number) {
  const at = new Map(of(inOrder(old)).map((minute) => [minute.at, minute]));
  const pairs = of(inOrder(fresh))
    .map((minute) => ({ old: at.get(minute.at) ?? noCounts, fresh: minute }))
    // A minute in which only one of them had requests compares nothing.
    .filter((pair) => pair.old.requests > 0 && pair.fresh.requests > 0);
  const sums = {
    before: sum(of(inOrder(before))),
    old: sum(pairs.map((pair) => pair.old)),
    fresh: sum(pairs.map((pair) => pair.fresh)),
  };
  const known = sum([sums.before, sums.old]);
  const oldPerFresh = sums.fresh.requests === 0 ? 1 : sums.old.requests / sums.fresh.requests;
  return {
    what,
    effect,
    old: sums.old,
    fresh: sums.fresh,
    isWorse: isEnough(mostEvidence(pairs, sums.before, effect), falseAlarm),
    needed: requestsNeeded(known, { effect, falseAlarm, oldPerFresh }),
  };
}

function inOrder(minutes: readonly SlotMinute[]): readonly SlotMinute[] {
  return minutes.toSorted((one, other) => one.at - other.at);
}

/**
 * A request that is answered in the next minute is not one that nobody answered. So a minute's unanswered requests are those
 * that stay unanswered in all later minutes, and of the last minute none are known yet. What the first minute leaves open is taken for
 * what is always under way since traffic came: others take its place, and so it is never seen answered.
 */
function failures(minutes: readonly SlotMinute[]): readonly Counted[] {
  let open = 0;
  const opens = minutes.map(({ requests, good, bad }) => (open += requests - good - bad));
  let least = Infinity;
  const unanswered = opens.map(() => 0);
  for (let index = minutes.length - 1; index >= 0; index--) {
    least = Math.min(least, opens[index] ?? 0);
    unanswered[index] = least;
  }
  return minutes.map(({ at, requests, bad }, index) => {
    const isKnown = index > 0 && index < minutes.length - 1;
    const before = Math.max(0, unanswered[index - 1] ?? 0);
    const lost = isKnown ? Math.max(0, (unanswered[index] ?? 0) - before) : 0;
    return { at, requests, bad: Math.min(requests, bad + lost) };
  });
}

function sum(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (all, { requests, bad }) => ({ requests: all.requests + requests, bad: all.bad + bad }),
    noCounts,
  );
}

function limitOf(what: Share['what'], { slowAboveSeconds }: Seen): string {
  return what === 'were slow' && slowAboveSeconds !== undefined
    ? ` (slow is above ${round(slowAboveSeconds * 1_000)} ms, which nine of ten requests were not before)`
    : '';
}

function shareOf({ requests, bad }: Counts): string {
  return `${amount(bad)} of ${amount(requests)} (${round((bad / requests) * 100)} %)`;
}

function amount(count: number): string {
  return count.toLocaleString('en-US');
}

function round(value: number): number {
  return Number(value.toPrecision(2));
}
