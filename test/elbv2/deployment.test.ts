import { expect, test } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import type { Observation } from '../../local/services/cloudwatch/metric-sink.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import { app } from '../balancer/app.ts';

/** The whole service with real targets, on a clock that runs fast: what a deployment does to it. */
test('a new generation becomes healthy at weight zero, takes the traffic, and the old one drains away', async () => {
  const failures: unknown[] = [];
  const observed: Observation[] = [];
  const clock = new FastForwardClock({ speed: 50, onFailure: (failure) => failures.push(failure) });
  const elb = new ElasticLoadBalancing({
    clock,
    metrics: { record: (observation) => observed.push(observation) },
    onFailure: (failure) => failures.push(failure),
    propagationMs: 1000,
  });
  const [old, fresh] = [
    await app((_request, response) => response.end('old')),
    await app((_request, response) => response.end('fresh')),
  ];
  const group = (Name: string) =>
    elb.operations.CreateTargetGroup({
      Name,
      Protocol: 'HTTP',
      Port: 80,
      VpcId: 'vpc-1',
      TargetType: 'ip',
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
    }).TargetGroups![0]!.TargetGroupArn!;
  const [blue, green] = [group('blue'), group('green')];
  const { LoadBalancers } = elb.operations.CreateLoadBalancer({
    Name: 'web',
    Subnets: ['subnet-a', 'subnet-b'],
  });
  const { Listeners } = await elb.operations.CreateListener({
    LoadBalancerArn: LoadBalancers![0]!.LoadBalancerArn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
  });
  const listenerArn = Listeners![0]!.ListenerArn!;
  const weights = (one: number, other: number) => [
    {
      Type: 'forward' as const,
      ForwardConfig: {
        TargetGroups: [
          { TargetGroupArn: blue, Weight: one },
          { TargetGroupArn: green, Weight: other },
        ],
      },
    },
  ];
  const { Rules } = await elb.operations.CreateRule({
    ListenerArn: listenerArn,
    Priority: 1,
    Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
    Actions: weights(1, 0),
  });
  const [one, other] = [
    { id: '10.0.0.1', port: 80 },
    { id: '10.0.0.2', port: 80 },
  ];
  const healthy = async (arn: string, target: typeof one) => {
    while (elb.health(arn, target)?.State !== 'healthy') await clock.sleep(500);
  };
  const ask = async () => (await fetch(elb.endpointOf(listenerArn))).text();
  try {
    elb.register(blue, one, old.address);
    await healthy(blue, one);
    elb.register(green, other, fresh.address);
    await healthy(green, other);
    await clock.sleep(2_000);
    expect(await ask()).toBe('old');

    const shiftedAt = clock.now();
    await elb.operations.ModifyRule({ RuleArn: Rules![0]!.RuleArn, Actions: weights(0, 1) });
    while ((await ask()) !== 'fresh') expect(clock.now() - shiftedAt).toBeLessThan(60_000);

    elb.operations.ModifyTargetGroupAttributes({
      TargetGroupArn: blue,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '20' }],
    });
    const drainedFrom = clock.now();
    const drained = elb.deregister(blue, one);
    expect(elb.health(blue, one)?.State).toBe('draining');
    await drained;
    expect(clock.now() - drainedFrom).toBeGreaterThanOrEqual(20_000);
    expect(await ask()).toBe('fresh');

    // Two minutes: the host counts of each, and the counts of all requests.
    while (!observed.some((one) => one.metric === 'HealthyHostCount')) await clock.sleep(5_000);
    while (!elb.requestsByTargetGroup().has(green)) await clock.sleep(5_000);
    expect(elb.requestsByTargetGroup().get(blue)).toBeGreaterThanOrEqual(1);
    expect(failures).toEqual([]);
  } finally {
    await elb.close();
    clock.stop();
    await Promise.all([old.close(), fresh.close()]);
  }
});
