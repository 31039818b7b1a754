/** Generations that no alarm watches, judged by what the load balancer counts of them and of the old one, under load. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { comparisonSettings, leastBakeSeconds } from '../../functions/core/gates/comparison.ts';
import { World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await World.create();
  await world.changeSettings({
    alarms: [],
    // Time is compared where it is what differs: on a machine that is busy with other tests, requests are slow for no fault of theirs.
    comparison: comparisonSettings.parse({ failedPercent: 2, slowPercent: null }),
    strategy: {
      kind: 'custom',
      steps: [
        { weightPercent: 50, bakeSeconds: leastBakeSeconds + 60 },
        { weightPercent: 100, bakeSeconds: 0 },
      ],
    },
  });
  await world.goLive('v1', 'steady');
  world.traffic(4);
  // So long the old generation's times are learned.
  await world.clock.sleep(180_000);
}, 120_000);
afterAll(() => world.close());

it('one that fails two of a hundred requests is taken back by the comparison alone, in words with both counts', async () => {
  const { outcome, reason } = await world.deploy('v2', 'flaky');
  expect(outcome).toBe('restored');
  expect(reason).toMatch(
    /^more requests to web-g0002 failed: \d+ of [\d,]+ \([\d.]+ %\), against 0 of [\d,]+ \(0 %\) of web-g0001 in the same minutes/,
  );
}, 120_000);

it('one that is a fifth slower is taken back by the comparison alone, and what slow is is said', async () => {
  await world.changeSettings({ comparison: comparisonSettings.parse({ failedPercent: 2, slowPercent: 20 }) });
  const { outcome, reason } = await world.deploy('v3', 'slower');
  expect(outcome).toBe('restored');
  expect(reason).toMatch(/^more requests to web-g0003 were slow: .* \(slow is above 1\d\d ms/);
}, 120_000);

it('one that is equal is promoted', async () => {
  expect(await world.deploy('v4', 'steady')).toMatchObject({ outcome: 'live' });
}, 120_000);
