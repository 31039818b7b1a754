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
  const seen = await requests.perMinute(traffic, green, start, start + 2 * minute);
  expect(seen.toSorted((one, other) => one.at - other.at)).toEqual([
    { at: start, inSlot: 5, elsewhere: 4 },
    { at: start + minute, inSlot: 0, elsewhere: 3 },
  ]);
});

it('are none of a balancer that had none', async () => {
  await clock.advance(5 * minute);
  expect(await requests.perMinute(traffic, blue, start, start + 2 * minute)).toEqual([]);
});

it('are unknown when CloudWatch answers in part', async () => {
  const GetMetricData = () => ({ MetricDataResults: [{ Id: 'all', StatusCode: 'PartialData' }] });
  const partial = await embedded({ cloudwatch: { GetMetricData } });
  try {
    const asking = new CloudWatchRequests(new CloudWatchClient(partial.client));
    await expect(asking.perMinute(traffic, blue, start, start + 2 * minute)).rejects.toMatchObject({
      name: 'Cutover.AwsUnavailable',
    });
  } finally {
    await partial.close();
  }
});
