import { expect, test } from 'vitest';
import type { CountReport } from '../../local/balancer/protocol.ts';
import type { Observation } from '../../local/services/cloudwatch/metric-sink.ts';
import { LoadBalancerMetrics } from '../../local/services/elbv2/metrics.ts';
import { Resources } from '../../local/services/elbv2/resources.ts';
import { ManualClock } from '../manual-clock.ts';

const arn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012';
const balancer = `${arn}:loadbalancer/app/web/1`;
const blue = `${arn}:targetgroup/blue/2`;
const LoadBalancer = 'app/web/1';
const TargetGroup = 'targetgroup/blue/2';

function publishing() {
  const clock = new ManualClock(30_000);
  const resources = new Resources(Math.random);
  const observed: Observation[] = [];
  const actions = [
    { Type: 'forward' as const, ForwardConfig: { TargetGroups: [{ TargetGroupArn: blue, Weight: 1 }] } },
  ];
  const rule = { arn: 'rule', listenerArn: 'listener', priority: undefined, conditions: [], actions };
  resources.targetGroups.set(blue, { arn: blue, path: TargetGroup, settings: {}, attributes: new Map() });
  resources.rules.set('rule', rule);
  resources.listeners.set('listener', {
    arn: 'listener',
    loadBalancer: { arn: balancer, path: LoadBalancer, settings: {}, attributes: new Map() },
    settings: {},
    attributes: new Map(),
    defaultRule: rule,
    localPort: 0,
  });
  const hosts = { healthy: 2, unhealthy: 1, registered: 4 };
  const metrics = new LoadBalancerMetrics({
    clock,
    sink: { record: (observation) => observed.push(observation) },
    resources,
    hostCounts: () => hosts,
  });
  return { clock, observed, metrics, hosts };
}

const report: CountReport = {
  counts: [
    {
      loadBalancerArn: balancer,
      targetGroupArn: undefined,
      sums: { RequestCount: 6, HTTPCode_ELB_502_Count: 1 },
      responseTimes: [0.1],
    },
    { loadBalancerArn: balancer, targetGroupArn: blue, sums: { RequestCount: 6 }, responseTimes: [0.1] },
  ],
  connections: { [balancer]: 3 },
};

test('publishes counts by load balancer and by target group, at the time they are reported', () => {
  const { observed, metrics } = publishing();
  metrics.take(report);
  const at = 30_000;
  const namespace = 'AWS/ApplicationELB';
  expect(observed).toEqual([
    { namespace, at, unit: 'Count', metric: 'RequestCount', dimensions: { LoadBalancer }, values: [6] },
    {
      namespace,
      at,
      unit: 'Count',
      metric: 'HTTPCode_ELB_502_Count',
      dimensions: { LoadBalancer },
      values: [1],
    },
    {
      namespace,
      at,
      unit: 'Seconds',
      metric: 'TargetResponseTime',
      dimensions: { LoadBalancer },
      values: [0.1],
    },
    {
      namespace,
      at,
      unit: 'Count',
      metric: 'RequestCount',
      dimensions: { LoadBalancer, TargetGroup },
      values: [6],
    },
    {
      namespace,
      at,
      unit: 'Seconds',
      metric: 'TargetResponseTime',
      dimensions: { LoadBalancer, TargetGroup },
      values: [0.1],
    },
    {
      namespace,
      at,
      unit: 'Count',
      metric: 'RequestCountPerTarget',
      dimensions: { LoadBalancer, TargetGroup },
      values: [3],
    },
    {
      namespace,
      at,
      unit: 'Count',
      metric: 'RequestCountPerTarget',
      dimensions: { TargetGroup },
      values: [3],
    },
  ]);
  expect(metrics.requestsByTargetGroup.get(blue)).toBe(6);
});

test('publishes host counts each minute, and zeros only for a minute with traffic', async () => {
  const { clock, observed, metrics, hosts } = publishing();
  const told = () =>
    observed
      .splice(0)
      .map(
        (one) =>
          `${one.at} ${one.metric}${one.dimensions['TargetGroup'] ? ' blue' : ''} ${one.values.join()}`,
      );
  await clock.advance(30_000);
  expect(told()).toEqual(['59999 HealthyHostCount blue 2', '59999 UnHealthyHostCount blue 1']);
  metrics.take(report);
  told();
  await clock.advance(60_000);
  const second = told();
  expect(second).toContain('119999 HTTPCode_Target_5XX_Count blue 0');
  expect(second).toContain('119999 RequestCount 0');
  expect(second).toContain('119999 RequestCountPerTarget blue 0');
  expect(second).toContain('119999 ActiveConnectionCount 3');
  hosts.registered = 0;
  metrics.take({ counts: [], connections: {} });
  await clock.advance(60_000);
  expect(told()).toEqual([]);
  metrics.close();
});
