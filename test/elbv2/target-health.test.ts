import { beforeEach, describe, expect, test } from 'vitest';
import type { ProbeRequest, ProbeResult, RoutedGroup } from '../../local/balancer/protocol.ts';
import { defaultsOf, targetGroupAttributes } from '../../local/services/elbv2/attributes.ts';
import { Resources } from '../../local/services/elbv2/resources.ts';
import { CheckedHealth, matches } from '../../local/services/elbv2/target-health.ts';
import { TargetRegistrations } from '../../local/services/elbv2/target-registrations.ts';
import { ManualClock } from '../manual-clock.ts';

const answered = (status: number): ProbeResult => ({ kind: 'answered', status });
const results: Readonly<Record<string, ProbeResult>> = {
  ok: answered(200),
  '500': answered(500),
  '404': answered(404),
  late: { kind: 'timedOut' },
  cut: { kind: 'failed' },
};

describe('the checks of one target (2 failures, 3 passes)', () => {
  const thresholds = { healthy: 3, unhealthy: 2, matcher: '200-299' };
  const initial = 'initial Elb.InitialHealthChecking "Initial health checks in progress"';
  test.each<[string, string]>([
    ['', 'initial Elb.RegistrationInProgress "Target registration is in progress"'],
    ['ok', 'healthy'],
    ['500', initial],
    ['500 ok', 'healthy'],
    ['500 500', 'unhealthy Target.ResponseCodeMismatch "Health checks failed with these codes: [500]"'],
    ['500 404', 'unhealthy Target.ResponseCodeMismatch "Health checks failed with these codes: [404]"'],
    ['late late', 'unhealthy Target.Timeout "Request timed out"'],
    ['cut cut', 'unhealthy Target.FailedHealthChecks "Health checks failed"'],
    ['ok cut', 'healthy'],
    ['ok cut ok cut', 'healthy'],
    ['ok cut cut', 'unhealthy Target.FailedHealthChecks "Health checks failed"'],
    ['cut cut ok ok', 'unhealthy Target.FailedHealthChecks "Health checks failed"'],
    ['cut cut ok ok ok', 'healthy'],
    ['cut cut ok cut ok ok', 'unhealthy Target.FailedHealthChecks "Health checks failed"'],
  ])('%s: %s', (checks, expected) => {
    const health = new CheckedHealth();
    for (const check of checks.split(' ').filter(Boolean)) health.observe(results[check]!, thresholds);
    const { State, Reason, Description } = health.describe();
    expect([State, Reason, Description && `"${Description}"`].filter(Boolean).join(' ')).toBe(expected);
  });
});

test.each<[string, number, boolean]>([
  ['200', 200, true],
  ['200', 204, false],
  ['200,204', 204, true],
  ['200-299', 299, true],
  ['200-299,401', 401, true],
  ['200-299,401', 400, false],
])('matcher %s and status %d: %s', (matcher, status, expected) => {
  expect(matches(matcher, status)).toBe(expected);
});

describe('registered targets', () => {
  const arn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/blue/1';
  const listenerArn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/1/2';
  const target = { id: '10.0.0.1', port: 80 };
  const address = { host: '127.0.0.1', port: 12_345 };
  let clock: ManualClock;
  let resources: Resources;
  let registrations: TargetRegistrations;
  let probes: { at: number; probe: ProbeRequest }[];
  let answer: ProbeResult;
  let published: RoutedGroup[];

  beforeEach(() => {
    clock = new ManualClock(0);
    resources = new Resources(Math.random);
    probes = [];
    published = [];
    answer = answered(200);
    resources.targetGroups.set(arn, {
      arn,
      path: 'targetgroup/blue/1',
      settings: { HealthCheckIntervalSeconds: 10, UnhealthyThresholdCount: 2, HealthyThresholdCount: 3 },
      attributes: defaultsOf(targetGroupAttributes),
    });
    registrations = new TargetRegistrations({
      clock,
      random: () => 0.3,
      resources,
      propagationMs: 1000,
      probe: (probe) => {
        probes.push({ at: clock.now(), probe });
        return Promise.resolve(answer);
      },
      publish: (group) => published.push(group),
    });
  });

  function use(weight: number): void {
    const actions = [
      {
        Type: 'forward' as const,
        ForwardConfig: { TargetGroups: [{ TargetGroupArn: arn, Weight: weight }] },
      },
    ];
    const rule = { arn: 'rule', listenerArn, priority: 1, conditions: [], actions };
    const loadBalancer = { arn: 'balancer', path: 'app/web/1', settings: {}, attributes: new Map() };
    resources.listeners.set(listenerArn, {
      arn: listenerArn,
      loadBalancer,
      settings: {},
      attributes: new Map(),
      defaultRule: rule,
      localPort: 0,
    });
    resources.rules.set('rule', rule);
    registrations.refresh();
  }

  const state = () => {
    const health = registrations.health(arn, target);
    return health && [health.State, health.Reason].filter(Boolean).join(' ');
  };
  const routed = () => published.at(-1)?.targets.map((one) => one.state);

  test('are unused and unchecked while no rule names the group', async () => {
    registrations.register(arn, target, address);
    await clock.advance(60_000);
    expect(state()).toBe('unused Target.NotInUse');
    expect(probes).toEqual([]);
    expect(registrations.isAssociated(arn)).toBe(false);
  });

  test('are checked at weight zero, first at a random phase, then once per interval', async () => {
    use(0);
    registrations.register(arn, target, address);
    expect(state()).toBe('initial Elb.RegistrationInProgress');
    await clock.advance(2_999);
    expect(probes).toEqual([]);
    await clock.advance(20_001);
    expect(probes.map((one) => one.at)).toEqual([3_000, 13_000, 23_000]);
    expect(probes[0]?.probe).toEqual({ address, path: '/', timeoutMs: 5000, host: '10.0.0.1:80' });
    expect(state()).toBe('healthy');
    expect(routed()).toEqual(['healthy']);
    expect(registrations.hostCounts(arn)).toEqual({ healthy: 1, unhealthy: 0, registered: 1 });
  });

  test('begin anew when the group comes into use again', async () => {
    use(1);
    registrations.register(arn, target, address);
    await clock.advance(5_000);
    resources.rules.clear();
    registrations.refresh();
    expect(state()).toBe('unused Target.NotInUse');
    await clock.advance(60_000);
    expect(probes).toHaveLength(1);
    use(1);
    expect(state()).toBe('initial Elb.RegistrationInProgress');
    await clock.advance(3_000);
    expect(state()).toBe('healthy');
  });

  test('become unhealthy after the threshold and follow changed settings', async () => {
    use(1);
    registrations.register(arn, target, address);
    await clock.advance(3_000);
    answer = answered(500);
    await clock.advance(10_000);
    expect(state()).toBe('healthy');
    await clock.advance(10_000);
    expect(state()).toBe('unhealthy Target.ResponseCodeMismatch');
    expect(routed()).toEqual(['unhealthy']);
    Object.assign(resources.targetGroup(arn).settings, {
      Matcher: { HttpCode: '500' },
      HealthyThresholdCount: 2,
    });
    await clock.advance(20_000);
    expect(state()).toBe('healthy');
  });

  test('drain for the whole delay, take no new requests once the data plane knows, then are gone', async () => {
    use(1);
    registrations.register(arn, target, address);
    await clock.advance(5_000);
    let gone = false;
    void registrations.deregister(arn, target).then(() => {
      gone = true;
    });
    expect(state()).toBe('draining Target.DeregistrationInProgress');
    expect(routed()).toEqual(['healthy']);
    await clock.advance(1_000);
    expect(routed()).toEqual(['draining']);
    await clock.advance(298_999);
    expect(gone).toBe(false);
    await clock.advance(1);
    expect(gone).toBe(true);
    expect(routed()).toEqual([]);
    expect(state()).toBeUndefined();
    expect(registrations.healthOrUnused(arn, target).Reason).toBe('Target.NotRegistered');
    expect(probes).toHaveLength(1);
  });

  test('that come back while they drain are registered as new', async () => {
    use(1);
    registrations.register(arn, target, address);
    await clock.advance(5_000);
    const drained = registrations.deregister(arn, target);
    await clock.advance(2_000);
    registrations.register(arn, target, address);
    await drained;
    expect(state()).toBe('initial Elb.RegistrationInProgress');
    await clock.advance(300_000);
    expect(state()).toBe('healthy');
  });

  test('of a group that is not in use are gone at once', async () => {
    registrations.register(arn, target, address);
    await registrations.deregister(arn, target);
    expect(state()).toBeUndefined();
    await registrations.deregister(arn, target);
  });

  test('are registered once', async () => {
    use(1);
    registrations.register(arn, target, address);
    await clock.advance(5_000);
    registrations.register(arn, target, address);
    expect(state()).toBe('healthy');
    await clock.advance(10_000);
    expect(probes).toHaveLength(2);
  });
});
