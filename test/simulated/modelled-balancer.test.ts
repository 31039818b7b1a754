import type { Rule } from '@aws-sdk/client-elastic-load-balancing-v2';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Observation } from '../../local/services/cloudwatch/metric-sink.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import type { Target } from '../../local/services/elbv2/targets.ts';
import { type Behaviour, wellBehaved } from '../../local/simulated/behaviour.ts';
import { ModelledBalancer } from '../../local/simulated/modelled-balancer.ts';
import { ModelledTasks } from '../../local/simulated/modelled-tasks.ts';
import { seededRandom } from '../../local/simulated/seeded-random.ts';
import type { RunningTask } from '../../local/tasks/task.ts';
import { ManualClock } from '../manual-clock.ts';

const lagMs = 5_000;
const healthIntervalMs = 10_000;

let clock: ManualClock;
/** The load balancer's own: identifiers, and once those are made, the phases of the health checks. */
let random: () => number;
let tasks: ModelledTasks;
let balancer: ModelledBalancer;
let elb: ElasticLoadBalancing;
let observed: Observation[];
let behaviours: Map<string, Behaviour>;
let loadBalancerArn: string;
let listenerArn: string;
let rule: Rule;
let groups: Readonly<Record<'blue' | 'green', string>>;

beforeEach(async () => {
  clock = new ManualClock(0);
  random = seededRandom(1);
  observed = [];
  behaviours = new Map();
  tasks = new ModelledTasks({ clock, behaviourOf: (digest) => behaviours.get(digest) ?? wellBehaved });
  balancer = new ModelledBalancer({
    clock,
    random: () => 0.5,
    targets: tasks,
    lag: { from: lagMs, to: lagMs },
  });
  elb = new ElasticLoadBalancing({
    clock,
    random: () => random(),
    metrics: { record: (observation) => observed.push(observation) },
    dataPlane: ({ onCounts }) => balancer.reportTo(onCounts),
    onFailure: (failure) => {
      throw failure;
    },
  });
  groups = { blue: newGroup('blue'), green: newGroup('green') };
  const { LoadBalancers } = elb.operations.CreateLoadBalancer({ Name: 'web', Subnets: ['a', 'b'] });
  loadBalancerArn = LoadBalancers?.[0]?.LoadBalancerArn ?? '';
  const { Listeners } = await elb.operations.CreateListener({
    LoadBalancerArn: loadBalancerArn,
    Port: 80,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
  });
  listenerArn = Listeners?.[0]?.ListenerArn ?? '';
  const { Rules } = await elb.operations.CreateRule({
    ListenerArn: listenerArn,
    Priority: 10,
    Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
    Actions: weights(100, 0),
  });
  rule = Rules![0]!;
  random = () => 0.5;
});

function newGroup(Name: string): string {
  const { TargetGroups } = elb.operations.CreateTargetGroup({
    Name,
    Protocol: 'HTTP',
    Port: 80,
    VpcId: 'vpc-1',
    TargetType: 'ip',
    HealthCheckIntervalSeconds: healthIntervalMs / 1000,
  });
  return TargetGroups?.[0]?.TargetGroupArn ?? '';
}

function weights(blue: number, green: number) {
  const TargetGroups = [
    { TargetGroupArn: groups.blue, Weight: blue },
    { TargetGroupArn: groups.green, Weight: green },
  ];
  return [{ Type: 'forward' as const, ForwardConfig: { TargetGroups } }];
}

async function shift(blue: number, green: number): Promise<void> {
  await elb.operations.ModifyRule({ RuleArn: rule.RuleArn, Actions: weights(blue, green) });
}

/** The first digits of the digest say which generation it is. */
function digestOf(generation: string): string {
  return `sha256:${Buffer.from(generation).toString('hex').padEnd(64, '0')}`;
}

let started = 0;

async function launch(group: 'blue' | 'green', changes: Partial<Behaviour> = {}) {
  started += 1;
  const id = `${group}-${started}`;
  const digest = digestOf(group);
  behaviours.set(digest, { ...wellBehaved, bootMs: 0, ...changes });
  const image = { repository: 'web', digest, config: {}, layers: [] };
  const process: RunningTask = await tasks.start({
    id,
    image,
    environment: {},
    containerPort: 80,
    onLog: () => undefined,
  });
  const target: Target = { id: `10.0.0.${started}`, port: 80 };
  elb.register(groups[group], target, process.address);
  return { id, process, target };
}

const of = (group: 'blue' | 'green') => (task: { readonly image: { readonly digest: string } }) =>
  task.image.digest === digestOf(group);

function carry(perSecond = 100): void {
  balancer.carry({ name: 'web', listenerArn, perSecond, path: '/index.html' });
}

function named(arn: string): string {
  return Object.entries(groups).find(([, group]) => group === arn)?.[0] ?? arn;
}

/** A line for each span: seconds, and how many requests came to what. */
function told(): string[] {
  return balancer.spans().map(({ from, to, requests }) => {
    const parts = requests.map(({ fate, count }) => {
      const group = 'targetGroupArn' in fate ? ` ${named(fate.targetGroupArn)}` : '';
      const status = 'status' in fate ? ` ${fate.status}` : '';
      return `${Math.round(count * 1000) / 1000} ${fate.kind}${group}${status}`;
    });
    return `${from / 1000}-${to / 1000}: ${parts.join(', ')}`;
  });
}

function applied(): Record<string, number> {
  return Object.fromEntries([...balancer.applied('web')].map(([arn, share]) => [named(arn), share]));
}

function sum(metric: string, group?: 'blue' | 'green'): number {
  const path = group === undefined ? undefined : groups[group].split(':')[5];
  return observed
    .filter((one) => one.metric === metric && one.dimensions['TargetGroup'] === path)
    .flatMap(({ values }) => values)
    .reduce((total, value) => total + value, 0);
}

test('a generation takes the traffic step by step, each a lag after it was written, and no request is lost', async () => {
  await launch('blue');
  await launch('green');
  await clock.advance(60_000);
  carry();
  await shift(90, 10);
  expect(applied()).toEqual({ blue: 1, green: 0 });
  await clock.advance(60_000);
  expect(applied()).toEqual({ blue: 0.9, green: 0.1 });
  await shift(0, 100);
  await clock.advance(60_000);
  expect(applied()).toEqual({ blue: 0, green: 1 });
  expect(told()).toEqual([
    '60-65: 500 answered blue 200',
    '65-125: 5400 answered blue 200, 600 answered green 200',
    '125-180: 5500 answered green 200',
  ]);
  expect(balancer.lost()).toBe(0);
});

test('what every target that is left answers is lost from the moment it dies until the way back is applied', async () => {
  await launch('blue');
  await launch('green');
  await shift(0, 100);
  await clock.advance(60_000);
  carry();
  tasks.becomeUnhealthy(of('green'));
  // The next two checks fail, and a group without a healthy target still gets its weight: all of its targets do.
  await clock.advance(20_000);
  expect(Object.fromEntries(balancer.healthy())).toEqual({ [groups.blue]: 1, [groups.green]: 0 });
  await shift(100, 0);
  await clock.advance(20_000);
  expect(told()).toEqual(['60-85: 2500 answered green 503', '85-100: 1500 answered blue 200']);
  expect(balancer.lost()).toBe(2_500);
});

describe('the group with all the weight', () => {
  test.each<[string, () => Promise<void>, string]>([
    ['has no targets', async () => undefined, '6000 unrouted'],
    [
      'has one that only boots: fail-open',
      async () => {
        await launch('green', { bootMs: 600_000 });
      },
      '6000 broken green 502',
    ],
    [
      'has one of two that warms up',
      async () => {
        await launch('green');
        await launch('green', { healthyAfterMs: 'never' });
      },
      '6000 answered green 200',
    ],
    [
      'has none but those that warm up: fail-open',
      async () => {
        await launch('green', { healthyAfterMs: 'never' });
      },
      '6000 answered green 503',
    ],
    [
      'has errors of its own',
      async () => {
        await launch('green', { errorShare: 0.25 });
      },
      '4500 answered green 200, 1500 answered green 500',
    ],
    [
      'answers too late for the load balancer',
      async () => {
        await launch('green', { latencyMs: 61_000 });
      },
      '6000 broken green 504',
    ],
  ])('%s', async (_, prepare, expected) => {
    await launch('blue');
    await prepare();
    await shift(0, 100);
    await clock.advance(60_000);
    carry();
    await clock.advance(60_000);
    expect(told()).toEqual([`60-120: ${expected}`]);
  });
});

test('one of two targets that crashes costs half the requests until its checks have failed', async () => {
  await launch('blue');
  await launch('blue');
  await clock.advance(60_000);
  carry();
  const second = `blue-${started}`;
  tasks.alter(({ id }) => id === second, { crashAfterMs: 0 });
  await clock.advance(60_000);
  expect(told()).toEqual([
    '60-75: 750 answered blue 200, 750 broken blue 502',
    '75-120: 4500 answered blue 200',
  ]);
});

test('a target that leaves gets requests for a lag longer, and answers them until it exits', async () => {
  await launch('blue');
  const { process, target } = await launch('blue', { stopMs: 2_000 });
  await clock.advance(60_000);
  carry();
  void elb.deregister(groups.blue, target);
  void process.stop(30_000);
  await clock.advance(60_000);
  expect(told()).toEqual([
    '60-62: 200 answered blue 200',
    '62-65: 150 answered blue 200, 150 broken blue 502',
    '65-120: 5500 answered blue 200',
  ]);
});

test('a target that comes back while it leaves stays', async () => {
  const { process, target } = await launch('blue');
  await clock.advance(60_000);
  carry();
  void elb.deregister(groups.blue, target);
  await clock.advance(2_000);
  elb.register(groups.blue, target, process.address);
  await clock.advance(60_000);
  expect(balancer.lost()).toBe(0);
});

test('each rule is as slow as its own write; two writes of one rule keep their order', async () => {
  const lags = [0, 1, 0.5, 0];
  balancer = new ModelledBalancer({
    clock,
    random: () => lags.shift() ?? 0,
    targets: tasks,
    lag: { from: 1_000, to: 9_000 },
  });
  const settings = {
    listenerArn,
    loadBalancerArn,
    port: 80,
    protocol: 'http' as const,
    idleTimeoutMs: 60_000,
    dropInvalidHeaders: false,
  };
  const rules = (one: number, other: number) =>
    [one, other].map((weight, index) => ({
      priority: index + 1,
      conditions: [{ Field: 'path-pattern' as const, PathPatternConfig: { Values: [`/${index + 1}`] } }],
      actions: weights(100 - weight, weight),
    }));
  await balancer.listen(settings, 0, rules(0, 0));
  for (const index of [1, 2]) {
    balancer.carry({ name: `${index}`, listenerArn, perSecond: 0, path: `/${index}` });
  }
  const green = () => ['1', '2'].map((flow) => balancer.applied(flow).get(groups.green));
  // Lags of 1 s and 9 s, then 5 s for the second rule, which may not overtake, and 1 s.
  await balancer.route(listenerArn, rules(10, 10));
  await balancer.route(listenerArn, rules(10, 20));
  const seen: string[] = [];
  for (let second = 0; second <= 10; second++) {
    if (seen.at(-1)?.endsWith(green().join()) !== true) seen.push(`${second} ${green().join()}`);
    await clock.advance(1_000);
  }
  expect(seen).toEqual(['0 0,0', '1 0.1,0', '9 0.1,0.2']);
  // The first rule, the second time as it was, was not written again.
  expect(lags).toEqual([0]);
});

test('a flow meets the rule that its request meets, and what the load balancer answers itself is not lost', async () => {
  await launch('blue');
  await clock.advance(60_000);
  random = seededRandom(2);
  const { Rules } = await elb.operations.CreateRule({
    ListenerArn: listenerArn,
    Priority: 5,
    Conditions: [{ Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-slot', Values: ['green'] } }],
    Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
  });
  balancer.carry({ name: 'slot', listenerArn, perSecond: 1, headers: { 'x-slot': ['green'] } });
  await clock.advance(60_000);
  await elb.operations.DeleteRule({ RuleArn: Rules![0]!.RuleArn });
  await elb.operations.DeleteRule({ RuleArn: rule.RuleArn });
  await clock.advance(60_000);
  await elb.operations.DeleteListener({ ListenerArn: listenerArn });
  await clock.advance(60_000);
  expect(told()).toEqual([
    '60-65: 5 answered blue 200',
    '65-125: 60 made 200',
    '125-180: 55 made 404',
    '180-240: 60 unreachable',
  ]);
  expect(balancer.lost()).toBe(60);
});

describe('metrics', () => {
  test('count in each minute what was asked in it, whole, by group and by load balancer', async () => {
    await launch('blue', { errorShare: 0.1 });
    await launch('green');
    await shift(90, 10);
    await clock.advance(60_000);
    observed = [];
    carry(7);
    await clock.advance(120_000);
    const minutes = observed
      .filter(({ metric, values }) => metric === 'RequestCount' && values[0] !== 0)
      .map(({ at, dimensions, values }) => {
        const group = dimensions['TargetGroup']?.split('/')[1] ?? 'all';
        return `${Math.floor(at / 60_000)} ${group} ${values.join()}`;
      });
    expect(minutes.sort()).toEqual([
      '1 all 419',
      '1 blue 377',
      '1 green 42',
      '2 all 420',
      '2 blue 378',
      '2 green 42',
    ]);
    expect(sum('HTTPCode_Target_5XX_Count', 'blue')).toBe(75);
    expect(sum('HTTPCode_Target_2XX_Count', 'blue')).toBe(680);
    expect(sum('HTTPCode_Target_5XX_Count', 'green')).toBe(0);
    const times = observed.find((one) => one.metric === 'TargetResponseTime' && one.counts?.[0] === 42);
    expect(times).toMatchObject({ values: [0.02], unit: 'Seconds' });
  });

  test('of requests that no target answered are the load balancer’s alone', async () => {
    await shift(0, 100);
    await clock.advance(60_000);
    carry(10);
    await clock.advance(60_000);
    await launch('green', { bootMs: 600_000 });
    await clock.advance(60_000);
    await elb.close();
    expect(sum('HTTPCode_ELB_503_Count')).toBe(600);
    expect(sum('HTTPCode_ELB_502_Count')).toBe(600);
    expect(sum('HTTPCode_ELB_5XX_Count')).toBe(1_200);
    expect(sum('HTTPCode_ELB_5XX_Count', 'green')).toBe(0);
    expect(sum('RequestCount', 'green')).toBe(600);
    expect(sum('TargetConnectionErrorCount', 'green')).toBe(600);
    expect(sum('HTTPCode_Target_5XX_Count')).toBe(0);
    expect(balancer.lost()).toBe(1_200);
  });
});

describe('health checks', () => {
  test.each<[string, Partial<Behaviour>, (readonly [number, string])[]]>([
    [
      'pass a new target with the first',
      { bootMs: 30_000 },
      [
        [29, 'unhealthy Target.FailedHealthChecks'],
        [80, 'healthy'],
      ],
    ],
    [
      'fail while it warms up',
      { healthyAfterMs: 'never' },
      [
        [1, 'initial Elb.RegistrationInProgress'],
        [10, 'initial Elb.InitialHealthChecking'],
        [16, 'unhealthy Target.ResponseCodeMismatch'],
      ],
    ],
    [
      'time out',
      { latencyMs: 6_000 },
      [
        [19, 'initial Elb.InitialHealthChecking'],
        [20, 'unhealthy Target.Timeout'],
      ],
    ],
  ])('%s', async (_, behaviour, expected) => {
    const { target } = await launch('blue', behaviour);
    const found: [number, string][] = [];
    for (const [second] of expected) {
      await clock.advance(second * 1000 - clock.now());
      const { State, Reason } = elb.health(groups.blue, target) ?? {};
      found.push([second, [State, Reason].filter(Boolean).join(' ')]);
    }
    expect(found).toEqual(expected);
  });
});

test('a flow that was never begun has no weights to show', () => {
  expect(() => balancer.applied('web')).toThrow('There is no flow web');
});
