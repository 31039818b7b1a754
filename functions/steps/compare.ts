/** Asks the load balancer's metrics whether the new generation answers worse than the old one. */

import type { Plan } from '../core/deployment/plan.ts';
import { compare, minutesBefore, type SlotMinute } from '../core/gates/comparison.ts';
import type { Verdict } from '../core/gates/verdict.ts';
import type { Deployment } from '../core/ledger/service-item.ts';
import { countedSince } from '../core/traffic/counted-minutes.ts';
import type { Requests } from '../ports/requests.ts';
import type { Now } from './clock.ts';

export interface ComparePorts {
  readonly requests: Pick<Requests, 'slowTime' | 'slotMinutes'>;
  readonly now: Now;
}

export interface Compared {
  readonly verdict: Verdict;
  /** How many requests it needs, and how many it had. */
  readonly words: string;
}

/**
 * Undefined where nothing can be compared: at 100 % the old generation has no requests. `isLastWord`: the bake is not extended any
 * more, so that few requests are what there is.
 */
export async function compareWithOld(
  { settings, from, to, steps }: Plan,
  { shiftedAt, step }: Deployment,
  isLastWord: boolean,
  { requests, now }: ComparePorts,
): Promise<Compared | undefined> {
  const { comparison, traffic } = settings;
  const percent = steps[step]?.weightPercent ?? 100;
  if (comparison === null || from === null || shiftedAt === null || percent === 100) return undefined;
  const learned = minutesBefore(shiftedAt);
  const slowAboveSeconds =
    comparison.slowPercent === null ? undefined : await requests.slowTime(traffic, from.slot, learned);
  const since = countedSince(shiftedAt, now());
  const seen = (await requests.slotMinutes(
    traffic,
    [from.slot, to.slot],
    { from: learned.from, to: Math.max(learned.to, since.to) },
    slowAboveSeconds,
  )) as readonly [readonly SlotMinute[], readonly SlotMinute[]];
  const [old, fresh] = seen.map((minutes) => minutes.filter(({ at }) => at >= since.from)) as [
    SlotMinute[],
    SlotMinute[],
  ];
  const before = seen[0].filter(({ at }) => at < learned.to);
  const result = compare(
    comparison,
    { before, old, fresh, slowAboveSeconds },
    { old: from.name, fresh: to.name },
  );
  switch (result.comparison) {
    case 'worse':
      return { verdict: { verdict: 'fail', reasons: result.reasons }, words: result.reasons.join('; ') };
    case 'notWorse':
      return { verdict: { verdict: 'pass' }, words: result.words };
    case 'inconclusive': {
      const passes = isLastWord && comparison.fewRequests === 'pass';
      const verdict: Verdict = passes ? { verdict: 'pass' } : { verdict: 'wait', missing: [result.words] };
      return { verdict, words: result.words };
    }
  }
}
