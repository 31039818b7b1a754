/** The values of a service's own metrics and expressions, for the generation in a slot. */
import type { CloudWatchClient, MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { Generation } from '../core/fleet/generation.ts';
import type { MetricGate } from '../core/gates/metric-gate.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Minutes } from '../core/traffic/counted-minutes.ts';
import type { MetricValues } from '../ports/metric-values.ts';
import { balancerOf, groupOf } from './alb-names.ts';
import { metricSeries, minuteStat } from './cloudwatch-metric-data.ts';

export class CloudWatchMetricGates implements MetricValues {
  readonly #client: CloudWatchClient;

  constructor(client: CloudWatchClient) {
    this.#client = client;
  }

  async values(
    settings: ServiceSettings,
    gate: MetricGate,
    generation: Generation,
    minutes: Minutes,
  ): Promise<readonly number[]> {
    const name = naming(settings, generation);
    const { expression } = gate;
    const whole = expression !== undefined;
    const queries: MetricDataQuery[] = gate.metrics.map(({ id, namespace, metricName, dimensions, stat }) =>
      minuteStat(
        id,
        { Namespace: namespace, MetricName: metricName },
        Object.fromEntries(Object.entries(dimensions).map(([key, value]) => [key, name(value)])),
        stat,
        !whole,
      ),
    );
    if (whole) queries.push({ Id: result, Expression: name(expression), Period: 60, ReturnData: true });
    const doing = `reading ${gate.name} of ${generation.name}`;
    const series = await metricSeries(this.#client, queries, minutes, doing);
    return [...series(whole ? result : (gate.metrics[0]?.id ?? '')).values()];
  }
}

/** Longer than any id that a metric may have. */
const result = 'cutover_value_of_the_whole';

function naming({ service, traffic }: ServiceSettings, { name, slot }: Generation) {
  const names: Readonly<Record<string, string>> = {
    generation: name,
    service,
    slot,
    targetGroup: groupOf(traffic, slot),
    loadBalancer: balancerOf(traffic),
  };
  return (text: string): string => text.replace(/\{(\w+)\}/g, (whole, key: string) => names[key] ?? whole);
}
