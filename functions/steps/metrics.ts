/** Asks the metrics that a service's declaration names. */

import type { Plan } from '../core/deployment/plan.ts';
import { comparesWithOld, metricVerdict } from '../core/gates/metric-gate.ts';
import { together, type Verdict } from '../core/gates/verdict.ts';
import type { Deployment } from '../core/ledger/service-item.ts';
import { countedSince } from '../core/traffic/counted-minutes.ts';
import type { MetricValues } from '../ports/metric-values.ts';
import type { Now } from './clock.ts';

export interface MetricPorts {
  readonly metrics: MetricValues;
  readonly now: Now;
}

/** Over the minutes since the first weight. What compares with the old generation is not asked where there is none. */
export async function askMetrics(
  { settings, from, to }: Plan,
  { shiftedAt }: Deployment,
  { metrics, now }: MetricPorts,
): Promise<Verdict> {
  if (shiftedAt === null) return { verdict: 'pass' };
  const minutes = countedSince(shiftedAt, now());
  const verdicts = await Promise.all(
    settings.metrics
      .filter((gate) => from !== null || !comparesWithOld(gate))
      .map(async (gate) => {
        const [fresh, old] = await Promise.all([
          metrics.values(settings, gate, to, minutes),
          from !== null && comparesWithOld(gate) ? metrics.values(settings, gate, from, minutes) : [],
        ]);
        return metricVerdict(gate, { fresh, old });
      }),
  );
  return together(verdicts);
}
