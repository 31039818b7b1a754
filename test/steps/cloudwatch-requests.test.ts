/** Requests by minute, through the real client and the embedded CloudWatch. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CloudWatchRequests } from '../../functions/aws/cloudwatch-requests.ts';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { blue, green, rule, settingsOf, start } from '../core/examples.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

const minute = 60_000;
const { traffic } = settingsOf({
  traffic: {
    rule: rule.replace('app/main/1', 'app/main/0123'),
    slots: settingsOf().traffic.slots,
  },
});
const LoadBalancer = 'app/main/0123';

let clock: ManualClock;
let cloudwatch: CloudWatch;
let aws: Awaited<ReturnType<typeof embedded>>;
let requests: CloudWatchRequests;
beforeEach(async () => {
  clock = new ManualClock(start);
  cloudwatch = new CloudWatch({ clock, emit: () => undefined, publish: () => undefined });
  aws = await embedded({ cloudwatch: cloudwatch.operations });
  requests = new CloudWatchRequests(new CloudWatchClient(aws.client));
});
afterEach(() => aws.close());

function count(at: number, values: readonly number[], slot?: string): void {
  const dimensions = {
    LoadBalancer,
    ...(slot !== undefined && { TargetGroup: `targetgroup/web-${slot}/0123456789abcdef` }),
  };
  cloudwatch.record({
    namespace: 'AWS/ApplicationELB',
    metric: 'RequestCount',
    dimensions,
    unit: 'Count',
    at,
    values,
  });
}

it('are those of the slot, and those of the rest of the balancer, in the whole minutes that are asked for', async () => {
  count(start - 1, [99]);
  count(start - 1, [99], 'green');
  count(start + 1_000, [5, 4]);
  count(start + 1_000, [4], 'blue');
  count(start + 2_000, [5], 'green');
  count(start + minute, [3]);
  count(start + minute, [3], 'blue');
  count(start + 2 * minute, [77]);
  await clock.advance(5 * minute);
  const seen = await requests.perMinute(traffic, green, { from: start, to: start + 2 * minute });
  expect(seen.toSorted((one, other) => one.at - other.at)).toEqual([
    { at: start, inSlot: 5, elsewhere: 4 },
    { at: start + minute, inSlot: 0, elsewhere: 3 },
  ]);
});

it('are none of a balancer that had none', async () => {
  await clock.advance(5 * minute);
  expect(await requests.perMinute(traffic, blue, { from: start, to: start + 2 * minute })).toEqual([]);
});

it('are unknown when CloudWatch answers in part', async () => {
  const GetMetricData = () => ({ MetricDataResults: [{ Id: 'all', StatusCode: 'PartialData' }] });
  const partial = await embedded({ cloudwatch: { GetMetricData } });
  try {
    const asking = new CloudWatchRequests(new CloudWatchClient(partial.client));
    await expect(
      asking.perMinute(traffic, blue, { from: start, to: start + 2 * minute }),
    ).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
    });
  } finally {
    await partial.close();
  }
});

/** What the balancer reports of a slot in one minute: so many answers by class, and so many without one; times in seconds. */
function answers(
  at: number,
  slot: string,
  { statuses, unanswered = 0, times }: { statuses: object; unanswered?: number; times: readonly number[] },
): void {
  const dimensions = { LoadBalancer, TargetGroup: `targetgroup/web-${slot}/0123456789abcdef` };
  const record = (metric: string, values: readonly number[], unit: 'Count' | 'Seconds' = 'Count') =>
    cloudwatch.record({ namespace: 'AWS/ApplicationELB', metric, dimensions, unit, at, values });
  let answered = 0;
  for (const [status, number] of Object.entries(statuses)) {
    answered += Number(number);
    record(`HTTPCode_Target_${status}_Count`, [Number(number)]);
  }
  record('RequestCount', [answered + unanswered]);
  record('TargetResponseTime', times, 'Seconds');
}

it('are split by their answers, with those that are timed and those that are slow, for each slot', async () => {
  const times = [...Array.from({ length: 9 }, () => 0.1), 0.4];
  answers(start, 'blue', { statuses: { '2XX': 6, '3XX': 3, '4XX': 1 }, times });
  answers(start, 'green', {
    statuses: { '2XX': 5, '5XX': 2 },
    unanswered: 3,
    times: [0.3, 0.5, 1, 0.1, 0.1, 0.1, 0.1],
  });
  await clock.advance(5 * minute);
  const minutes = { from: start, to: start + 2 * minute };
  expect(await requests.slotMinutes(traffic, [blue, green], minutes, 0.3)).toEqual([
    [{ at: start, requests: 10, good: 10, bad: 0, timed: 10, slow: 1 }],
    [{ at: start, requests: 10, good: 5, bad: 2, timed: 7, slow: 2 }],
  ]);
  expect(await requests.slotMinutes(traffic, [green], minutes, undefined)).toEqual([
    [{ at: start, requests: 10, good: 5, bad: 2, timed: 0, slow: 0 }],
  ]);
});

it('tell how slow a slot is by its typical minute, and nothing without any', async () => {
  for (const [index, time] of [0.2, 9, 0.3].entries())
    answers(start + index * minute, 'blue', { statuses: { '2XX': 2 }, times: [time, time] });
  await clock.advance(5 * minute);
  const minutes = { from: start, to: start + 3 * minute };
  expect(await requests.slowTime(traffic, blue, minutes)).toBeCloseTo(0.3, 1);
  expect(await requests.slowTime(traffic, green, minutes)).toBeUndefined();
});

it('of no whole minute are not asked for', async () => {
  const nowhere = new CloudWatchRequests(
    new CloudWatchClient({ ...aws.client, endpoint: 'http://127.0.0.1:1' }),
  );
  expect(await nowhere.slotMinutes(traffic, [blue], { from: start, to: start }, 0.3)).toEqual([[]]);
});
