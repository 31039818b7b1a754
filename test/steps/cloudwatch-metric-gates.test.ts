/** A service's own metrics, through the real client and the embedded CloudWatch. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CloudWatchMetricGates } from '../../functions/aws/cloudwatch-metric-gates.ts';
import { metricGate } from '../../functions/core/gates/metric-gate.ts';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { generationOf, settingsOf, start } from '../core/examples.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

const minute = 60_000;
const minutes = { from: start, to: start + 2 * minute };
const limit = { kind: 'atMost', value: 1 };

let clock: ManualClock;
let cloudwatch: CloudWatch;
let aws: Awaited<ReturnType<typeof embedded>>;
let gates: CloudWatchMetricGates;
beforeEach(async () => {
  clock = new ManualClock(start);
  cloudwatch = new CloudWatch({ clock, emit: () => undefined, publish: () => undefined });
  aws = await embedded({ cloudwatch: cloudwatch.operations });
  gates = new CloudWatchMetricGates(new CloudWatchClient(aws.client));
});
afterEach(() => aws.close());

function record(metric: string, generation: string, at: number, values: readonly number[]): void {
  const dimensions = { Generation: generation };
  cloudwatch.record({ namespace: 'Shop', metric, dimensions, unit: 'None', at, values });
}

const metric = (id: string, metricName: string) => ({
  id,
  namespace: 'Shop',
  metricName,
  dimensions: { Generation: '{generation}' },
  stat: 'Average',
});

it('one metric has its value of the generation that is named in its dimensions, minute by minute', async () => {
  record('Depth', 'web-g0001', start, [4]);
  record('Depth', 'web-g0002', start, [1, 3]);
  record('Depth', 'web-g0002', start + minute, [6]);
  record('Depth', 'web-g0002', start + 2 * minute, [99]);
  await clock.advance(5 * minute);
  const gate = metricGate.parse({ name: 'depth', metrics: [metric('depth', 'Depth')], limit });
  const seen = await gates.values(settingsOf(), gate, generationOf(2), minutes);
  expect(new Set(seen)).toEqual(new Set([2, 6]));
});

it('an expression makes one value of several metrics', async () => {
  record('Errors', 'web-g0002', start, [5]);
  record('Jobs', 'web-g0002', start, [50]);
  await clock.advance(5 * minute);
  const gate = metricGate.parse({
    name: 'failed jobs',
    metrics: [metric('errors', 'Errors'), metric('jobs', 'Jobs')],
    expression: '100 * errors / jobs',
    limit,
  });
  expect(await gates.values(settingsOf(), gate, generationOf(2), minutes)).toEqual([10]);
});
