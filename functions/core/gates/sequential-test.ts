/**
 * Whether requests to the new generation go wrong more often than requests to the old one in the same minutes: a test that may
 * be looked at after every minute, and stopped at any, without raising its rate of false alarms.
 *
 * The evidence is an e-process: for each minute the likelihood of both counts if the new one were worse by an effect, over their
 * likelihood if both shared one rate, multiplied over the minutes. With rates that were learned before the minute its
 * expectation is at most 1 whatever the shared rate is, also when it changes from minute to minute; so it exceeds 1/a in all
 * minutes together with a probability of a at most (Ville's inequality). R. Turner, A. Ly, P. Grünwald, "Generic E-variables for exact
 * sequential k-sample tests that allow for optional stopping", https://arxiv.org/abs/2106.02693. It takes requests as independent
 * given the minute's rate. What is measured of it, and of requests that are not: docs/adr/0012-comparison.md.
 */

export interface Counts {
  readonly requests: number;
  /** Of these, how many failed, or were slow. */
  readonly bad: number;
}

/** What both generations answered in the same minute. */
export interface Pair {
  readonly old: Counts;
  readonly fresh: Counts;
}

export const noCounts: Counts = { requests: 0, bad: 0 };

/** Multiples of the effect that are looked for at once: one that fails every tenth request is found after a few dozen of them. */
const multiples = [1, 4, 16];

/** Rates that a likelihood is taken of stay inside, so that what never happened yet is not impossible. */
const leastRate = 1e-4;
const mostRate = 0.99;

/**
 * Log of the most evidence that there ever was, at the end of some minute, against "not worse".
 * `before`: what the old generation answered before the first minute; `effect`: a difference of rates, 0 to 1.
 */
export function mostEvidence(pairs: readonly Pair[], before: Counts, effect: number): number {
  const logs = multiples.map(() => 0);
  let known = before;
  let most = 0;
  for (const { old, fresh } of pairs) {
    const base = rateOf(known, effect);
    multiples.forEach((multiple, index) => {
      logs[index] = (logs[index] ?? 0) + gain(old, fresh, base, worse(base, multiple * effect));
    });
    most = Math.max(most, logOfMean(logs));
    known = { requests: known.requests + old.requests, bad: known.bad + old.bad };
  }
  return most;
}

/** Whether that much evidence comes by chance less often than `falseAlarm`. */
export function isEnough(evidence: number, falseAlarm: number): boolean {
  return evidence >= Math.log(1 / falseAlarm);
}

/** The normal distribution's for 90 %. */
const powerQuantile = 1.2816;

/**
 * Requests to the new generation after which one that is worse by `effect` has been found out with a probability of 90 %: where
 * the evidence, taken as normal with the mean and variance that one request adds, is enough.
 * `oldPerFresh`: requests to the old one for each to the new one.
 */
export function requestsNeeded(
  { requests, bad }: Counts,
  { effect, falseAlarm, oldPerFresh }: { effect: number; falseAlarm: number; oldPerFresh: number },
): number {
  const base = rateOf({ requests, bad }, effect);
  const rate = worse(base, effect);
  const shared = (oldPerFresh * base + rate) / (oldPerFresh + 1);
  const mean = divergence(rate, shared) + oldPerFresh * divergence(base, shared);
  const variance = spread(rate, shared) + oldPerFresh * spread(base, shared);
  const target = Math.log(multiples.length / falseAlarm);
  const root =
    (powerQuantile * Math.sqrt(variance) + Math.sqrt(powerQuantile ** 2 * variance + 4 * mean * target)) /
    (2 * mean);
  return Math.ceil(root ** 2);
}

/** As if one more request had been seen, that went wrong with the effect's probability. */
function rateOf({ requests, bad }: Counts, effect: number): number {
  return clamped((bad + effect) / (requests + 1));
}

function worse(base: number, effect: number): number {
  return clamped(base + effect);
}

function clamped(rate: number): number {
  return Math.min(mostRate, Math.max(leastRate, rate));
}

/** What one minute adds to the log of the evidence. */
function gain(old: Counts, fresh: Counts, base: number, rate: number): number {
  const requests = old.requests + fresh.requests;
  if (requests === 0) return 0;
  const shared = (old.requests * base + fresh.requests * rate) / requests;
  return likelihood(old, base, shared) + likelihood(fresh, rate, shared);
}

/** Log of how much likelier the counts are at `rate` than at `shared`. */
function likelihood({ requests, bad }: Counts, rate: number, shared: number): number {
  return bad * Math.log(rate / shared) + (requests - bad) * Math.log((1 - rate) / (1 - shared));
}

/** What one request at `rate` is expected to add. */
function divergence(rate: number, shared: number): number {
  return rate * Math.log(rate / shared) + (1 - rate) * Math.log((1 - rate) / (1 - shared));
}

/** The variance of that. */
function spread(rate: number, shared: number): number {
  const odds = Math.log(rate / shared) - Math.log((1 - rate) / (1 - shared));
  return rate * (1 - rate) * odds ** 2;
}

function logOfMean(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0) / logs.length);
}
