/** Canaries as their load balancer would count them, drawn from a seed. */
import type { Seen, SlotMinute } from '../functions/core/gates/comparison.ts';
import { minuteMs } from '../functions/core/traffic/counted-minutes.ts';
import { poisson } from './poisson.ts';

/** How requests that go wrong depend on each other. Only the first two are what the comparison presumes. */
type Dependence =
  | 'none'
  /** The rates of both generations rise and fall together from minute to minute: a fault or a load that they share. */
  | 'rates wander together'
  /** Each generation's rates rise and fall for themselves, with the same mean. */
  | 'rates wander apart'
  /** What fails fails five at a time, and so does what is slow: one fault, five requests. */
  | 'five at a time';

export interface Setting {
  /** To both generations. */
  readonly requestsPerMinute: number;
  /** The new generation's. */
  readonly weightPercent: number;
  readonly failedPercent: number;
  readonly minutes: number;
  readonly dependence: Dependence;
}

/** How much worse the new generation is, in points of a hundred requests. */
export interface Difference {
  readonly name: string;
  readonly failedPoints: number;
  readonly slowPoints: number;
  /** It is what the settings say that must be found out. */
  readonly isEffect?: boolean;
}

/** By what slow means: see `slowPercentile`. */
const slowPercent = 10;

/** Minutes of the old generation alone. */
const minutesBefore = 15;

/** Of the wandering: the rates' standard deviation over their mean, and what is left of a deviation a minute later. */
const deviation = 0.3;
const memory = 0.9;

interface Rates {
  readonly requests: number;
  readonly failed: number;
  readonly slow: number;
}

export function drawCanary(setting: Setting, difference: Difference, random: () => number): Seen {
  const { requestsPerMinute, weightPercent, failedPercent, minutes, dependence } = setting;
  const together = dependence === 'rates wander together' ? new Wandering(random) : undefined;
  const [ofOld, ofFresh] =
    dependence === 'rates wander apart'
      ? [new Wandering(random), new Wandering(random)]
      : [together, together];
  const good = { failed: failedPercent / 100, slow: slowPercent / 100 };
  const worse = {
    failed: good.failed + difference.failedPoints / 100,
    slow: good.slow + difference.slowPoints / 100,
  };
  const share = weightPercent / 100;
  const size = dependence === 'five at a time' ? 5 : 1;
  const draw = (minute: number, rates: Rates, factor: number): SlotMinute =>
    drawMinute(minute * minuteMs, rates, { size, factor, random });
  const seen = { before: [] as SlotMinute[], old: [] as SlotMinute[], fresh: [] as SlotMinute[] };
  for (let minute = -minutesBefore; minute < minutes; minute++) {
    const factorOfOld = ofOld?.next() ?? 1;
    const factorOfFresh = ofFresh === ofOld ? factorOfOld : (ofFresh?.next() ?? 1);
    if (minute < 0) {
      seen.before.push(draw(minute, { requests: requestsPerMinute, ...good }, factorOfOld));
      continue;
    }
    seen.old.push(draw(minute, { requests: requestsPerMinute * (1 - share), ...good }, factorOfOld));
    seen.fresh.push(draw(minute, { requests: requestsPerMinute * share, ...worse }, factorOfFresh));
  }
  return { ...seen, slowAboveSeconds: 0.25 };
}

interface Chance {
  /** How many go wrong at once. */
  readonly size: number;
  /** Of the rates. */
  readonly factor: number;
  readonly random: () => number;
}

/** Requests come as a Poisson process, of which those that fail, those that are slow and the rest are independent parts. */
function drawMinute(
  at: number,
  { requests, failed, slow }: Rates,
  { size, factor, random }: Chance,
): SlotMinute {
  const wrong = (rate: number): number => size * poisson((requests * rate * factor) / size, random);
  const bad = wrong(failed);
  const late = wrong(slow);
  const all = bad + late + poisson(requests * Math.max(0, 1 - (failed + slow) * factor), random);
  return { at, requests: all, good: all - bad, bad, timed: all, slow: late };
}

/** A factor around 1 that remembers where it was: the exponential of an autoregressive process. */
class Wandering {
  readonly #random: () => number;
  #state: number;

  constructor(random: () => number) {
    this.#random = random;
    this.#state = normal(random);
  }

  next(): number {
    this.#state = memory * this.#state + Math.sqrt(1 - memory ** 2) * normal(this.#random);
    return Math.exp(deviation * this.#state - deviation ** 2 / 2);
  }
}

/** By Box and Muller. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
