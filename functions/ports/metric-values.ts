import type { Generation } from '../core/fleet/generation.ts';
import type { MetricGate } from '../core/gates/metric-gate.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Minutes } from '../core/traffic/counted-minutes.ts';

/** Metrics that a service's declaration names. */
export interface MetricValues {
  /** One for each minute that has one, with the generation's names put in. */
  values(
    settings: ServiceSettings,
    gate: MetricGate,
    generation: Generation,
    minutes: Minutes,
  ): Promise<readonly number[]>;
}
