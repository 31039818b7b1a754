/** Many canaries of one kind, each judged by Cutover and by Kayenta's judge on the same minutes. */
import {
  compare,
  comparisonSettings,
  type Seen,
  type SlotMinute,
} from '../functions/core/gates/comparison.ts';
import { requestsNeeded } from '../functions/core/gates/sequential-test.ts';
import { seededRandom } from '../local/simulated/seeded-random.ts';
import { type Difference, drawCanary, type Setting } from './canaries.ts';
import { MannWhitneyJudge } from './mann-whitney.ts';
import { sum } from './measure.ts';

/** What a service gets that sets nothing. */
const settings = comparisonSettings.parse({});
const names = { old: 'old', fresh: 'new' };

/** Each share is tested at its part of the rate of false alarms, as `compare` does. */
const falseAlarm = settings.falseAlarmPercent / 100 / 2;

/** Below five minutes Kayenta's interval does not exist. */
const firstReading = 5;

export interface Trials {
  readonly count: number;
  /** Of so many canaries the new generation was taken back as worse, at the end of some minute. */
  readonly worse: number;
  /** Of so many it could not be said at the end: the bake goes on. */
  readonly unclear: number;
  /** What the core says that it takes to find it out, by what the old generation answered in each canary. */
  readonly needed: readonly number[];
  /** Taken back within the minute in which it had as many. */
  readonly worseByNeeded: number;
  /** The requests that it had when it was taken back. */
  readonly requests: readonly number[];
  readonly kayenta: {
    /** High in one reading, of the whole bake. */
    readonly atEnd: number;
    /** High in some reading, one after each minute. */
    readonly eachMinute: number;
  };
}

export function judgeCanaries(
  setting: Setting,
  difference: Difference,
  { count, seed }: { readonly count: number; readonly seed: number },
): Trials {
  const random = seededRandom(seed);
  const requests: number[] = [];
  const needed: number[] = [];
  const kayenta = { atEnd: 0, eachMinute: 0 };
  let [unclear, worseByNeeded] = [0, 0];
  for (let trial = 0; trial < count; trial++) {
    const seen = drawCanary(setting, difference, random);
    const decided = decideCanary(seen);
    const takes = neededFor(seen, setting, difference);
    needed.push(takes);
    if (decided.verdict === 'worse') {
      requests.push(requestsIn(seen.fresh.slice(0, decided.minutes)));
      if (requestsIn(seen.fresh.slice(0, decided.minutes - 1)) < takes) worseByNeeded += 1;
    }
    if (decided.verdict === 'inconclusive') unclear += 1;
    const { atEnd, eachMinute } = readByKayenta(seen);
    if (atEnd) kayenta.atEnd += 1;
    if (eachMinute) kayenta.eachMinute += 1;
  }
  return { count, worse: requests.length, unclear, needed, worseByNeeded, requests, kayenta };
}

/**
 * What the deployment comes to when it is looked at after every minute. What was worse after one minute is worse after all later
 * ones, so the first such minute is found by halves instead of one after the other: the same answer, from fewer looks.
 */
export function decideCanary(seen: Seen): {
  readonly verdict: 'worse' | 'notWorse' | 'inconclusive';
  /** After so many. */
  readonly minutes: number;
} {
  const verdict = verdictAfter(seen, seen.fresh.length);
  if (verdict !== 'worse') return { verdict, minutes: seen.fresh.length };
  let [before, minutes] = [0, seen.fresh.length];
  while (minutes - before > 1) {
    const middle = (before + minutes) >> 1;
    if (verdictAfter(seen, middle) === 'worse') minutes = middle;
    else before = middle;
  }
  return { verdict, minutes };
}

/** What the comparison says at the end of that minute. */
export function verdictAfter(seen: Seen, minutes: number): 'worse' | 'notWorse' | 'inconclusive' {
  const [old, fresh] = [seen.old.slice(0, minutes), seen.fresh.slice(0, minutes)];
  return compare(settings, { ...seen, old, fresh }, names).comparison;
}

/** For the share that the difference is of, and the effect that the settings look for. */
function neededFor({ before, old }: Seen, { weightPercent }: Setting, { slowPoints }: Difference): number {
  const minutes = [...before, ...old];
  const known = {
    requests: requestsIn(minutes),
    bad: sum(minutes.map(({ bad, slow }) => (slowPoints > 0 ? slow : bad))),
  };
  const effectPercent = slowPoints > 0 ? (settings.slowPercent ?? 0) : settings.failedPercent;
  return requestsNeeded(known, {
    effect: effectPercent / 100,
    falseAlarm,
    oldPerFresh: 100 / weightPercent - 1,
  });
}

/** Both shares are metrics of one canary, and one that is High is enough to fail it, as with its usual scores for passing. */
function readByKayenta({ old, fresh }: Seen): { readonly atEnd: boolean; readonly eachMinute: boolean } {
  const metrics = [(minute: SlotMinute) => minute.bad, (minute: SlotMinute) => minute.slow].map((wrong) => ({
    judge: new MannWhitneyJudge(fresh.length),
    percent: (minute: SlotMinute) => (100 * wrong(minute)) / minute.requests,
  }));
  const isHigh = (): boolean => metrics.some(({ judge }) => judge.isHigh());
  let eachMinute = false;
  fresh.forEach((minute, index) => {
    const beside = old[index];
    for (const { judge, percent } of metrics) {
      // A share of nothing is no number, and is removed.
      if (minute.requests > 0) judge.addFresh(percent(minute));
      if (beside !== undefined && beside.requests > 0) judge.addOld(percent(beside));
    }
    if (!eachMinute && index + 1 >= firstReading) eachMinute = isHigh();
  });
  return { atEnd: isHigh(), eachMinute };
}

function requestsIn(minutes: readonly SlotMinute[]): number {
  return sum(minutes.map(({ requests }) => requests));
}
