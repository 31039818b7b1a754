import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import { ManualClock } from '../manual-clock.ts';

const clock = new ManualClock();
const onFailure = (failure: unknown): never => {
  throw new Error('The load balancer failed', { cause: failure });
};
let elb: ElasticLoadBalancing;
let names = 0;

/** Fresh for each test. */
let loadBalancerArn: string;
let listenerArn: string;
let blue: string;
let green: string;

beforeAll(() => {
  elb = new ElasticLoadBalancing({
    clock,
    metrics: { record: () => {} },
    onFailure,
    propagationMs: 0,
    subnet: (subnetId) => ({ vpcId: 'vpc-1', availabilityZone: `us-east-1${subnetId.at(-1)}` }),
  });
});

afterAll(async () => {
  await elb.close();
});

beforeEach(async () => {
  names += 1;
  loadBalancerArn = newLoadBalancer(`web-${names}`);
  blue = newGroup(`blue-${names}`);
  green = newGroup(`green-${names}`);
  listenerArn = await newListener(loadBalancerArn, 80);
});

function newLoadBalancer(Name: string): string {
  const { LoadBalancers } = elb.operations.CreateLoadBalancer({ Name, Subnets: ['subnet-a', 'subnet-b'] });
  return LoadBalancers?.[0]?.LoadBalancerArn ?? '';
}

function newGroup(Name: string): string {
  const { TargetGroups } = elb.operations.CreateTargetGroup({
    Name,
    Protocol: 'HTTP',
    Port: 80,
    VpcId: 'vpc-1',
    TargetType: 'ip',
  });
  return TargetGroups?.[0]?.TargetGroupArn ?? '';
}

async function newListener(LoadBalancerArn: string, Port: number): Promise<string> {
  const { Listeners } = await elb.operations.CreateListener({
    LoadBalancerArn,
    Port,
    Protocol: 'HTTP',
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
  });
  return Listeners?.[0]?.ListenerArn ?? '';
}

const forward = (...groups: [string, number][]) => ({
  Type: 'forward' as const,
  ForwardConfig: { TargetGroups: groups.map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight })) },
});
const path = (...Values: string[]) => ({ Field: 'path-pattern', Values });

async function newRule(Priority: number, action = forward([blue, 1]), conditions = [path('/*')]) {
  const { Rules } = await elb.operations.CreateRule({
    ListenerArn: listenerArn,
    Priority,
    Conditions: conditions,
    Actions: [action],
  });
  return Rules![0]!;
}

/** The code and the words that an operation refuses with. */
async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (error instanceof AwsError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe('rules', () => {
  test('give a single group back as ARN and as ForwardConfig, whichever was given', async () => {
    const both = {
      Type: 'forward',
      TargetGroupArn: blue,
      ForwardConfig: {
        TargetGroups: [{ TargetGroupArn: blue, Weight: 1 }],
        TargetGroupStickinessConfig: { Enabled: false },
      },
    };
    const byArn = await elb.operations.CreateRule({
      ListenerArn: listenerArn,
      Priority: 1,
      Conditions: [path('/a')],
      Actions: [{ Type: 'forward', TargetGroupArn: blue }],
    });
    expect(byArn.Rules?.[0]?.Actions).toEqual([both]);
    expect((await newRule(2)).Actions).toEqual([both]);
    const two = (await newRule(3, forward([blue, 90], [green, 10]))).Actions?.[0];
    expect(two?.TargetGroupArn).toBeUndefined();
    expect(two?.ForwardConfig?.TargetGroups).toEqual([
      { TargetGroupArn: blue, Weight: 90 },
      { TargetGroupArn: green, Weight: 10 },
    ]);
  });

  test('give conditions back in both forms', async () => {
    const rule = await newRule(1, undefined, [
      path('/a'),
      { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-slot', Values: ['green'] } } as never,
    ]);
    expect(rule.Conditions).toEqual([
      { Field: 'path-pattern', Values: ['/a'], PathPatternConfig: { Values: ['/a'] } },
      { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-slot', Values: ['green'] } },
    ]);
  });

  test('keep what ModifyRule does not name and lose what it leaves out of the actions', async () => {
    const { RuleArn } = await elb.operations
      .CreateRule({
        ListenerArn: listenerArn,
        Priority: 1,
        Conditions: [path('/a')],
        Actions: [
          {
            Type: 'forward',
            ForwardConfig: {
              TargetGroups: [{ TargetGroupArn: blue }],
              TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 },
            },
          },
        ],
      })
      .then((output) => output.Rules![0]!);
    const shifted = await elb.operations.ModifyRule({ RuleArn, Actions: [forward([blue, 0], [green, 100])] });
    expect(shifted.Rules?.[0]?.Conditions).toMatchObject([{ Values: ['/a'] }]);
    expect(shifted.Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroupStickinessConfig).toEqual({
      Enabled: false,
    });
    const moved = await elb.operations.ModifyRule({ RuleArn, Conditions: [path('/b')] });
    expect(moved.Rules?.[0]?.Conditions).toMatchObject([{ Values: ['/b'] }]);
    expect(moved.Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups).toEqual([
      { TargetGroupArn: blue, Weight: 0 },
      { TargetGroupArn: green, Weight: 100 },
    ]);
  });

  test('are described in their order, the default rule last, by pages', async () => {
    await newRule(20);
    await newRule(10);
    const all = elb.operations.DescribeRules({ ListenerArn: listenerArn });
    expect(all.Rules?.map((rule) => [rule.Priority, rule.IsDefault])).toEqual([
      ['10', false],
      ['20', false],
      ['default', true],
    ]);
    const first = elb.operations.DescribeRules({ ListenerArn: listenerArn, PageSize: 2 });
    expect(first.Rules?.map((rule) => rule.Priority)).toEqual(['10', '20']);
    const rest = elb.operations.DescribeRules({
      ListenerArn: listenerArn,
      PageSize: 2,
      Marker: first.NextMarker,
    });
    expect(rest.Rules?.map((rule) => rule.Priority)).toEqual(['default']);
    expect(rest.NextMarker).toBeUndefined();
  });

  test('are shown as copies', async () => {
    const rule = await newRule(1);
    rule.Actions![0]!.ForwardConfig!.TargetGroups![0]!.Weight = 7;
    const [again] = elb.operations.DescribeRules({ RuleArns: [rule.RuleArn!] }).Rules!;
    expect(again?.Actions?.[0]?.ForwardConfig?.TargetGroups?.[0]?.Weight).toBe(1);
  });

  test('change places all at once', async () => {
    const [one, two] = [await newRule(1), await newRule(2)];
    await elb.operations.SetRulePriorities({
      RulePriorities: [
        { RuleArn: one.RuleArn, Priority: 2 },
        { RuleArn: two.RuleArn, Priority: 1 },
      ],
    });
    const rules = elb.operations.DescribeRules({ ListenerArn: listenerArn }).Rules!;
    expect(rules.map((rule) => rule.RuleArn).slice(0, 2)).toEqual([two.RuleArn, one.RuleArn]);
    expect(
      await refusal(() =>
        elb.operations.SetRulePriorities({ RulePriorities: [{ RuleArn: one.RuleArn, Priority: 1 }] }),
      ),
    ).toBe("PriorityInUseException: Priority '1' is currently in use");
  });

  test('refuse what AWS refuses', async () => {
    const rule = await newRule(1);
    const modify = (...Actions: object[]) =>
      refusal(() => elb.operations.ModifyRule({ RuleArn: rule.RuleArn, Actions: Actions as never }));
    const groups = Array.from({ length: 6 }, (_, index) => newGroup(`many-${names}-${index}`));
    const other = newLoadBalancer(`other-${names}`);
    const otherListener = await newListener(other, 80);
    const [unknown] = elb.operations.DescribeRules({ ListenerArn: listenerArn }).Rules!.slice(-1);

    expect(await modify(forward([blue, 1000], [green, 1]))).toMatch(
      /^ValidationError: .*less than or equal to 999$/,
    );
    expect(await modify(forward([blue, -1], [green, 1]))).toMatch(
      /^ValidationError: .*greater than or equal to 0$/,
    );
    expect(await modify(forward(...groups.map((group): [string, number] => [group, 1])))).toMatch(
      /^TooManyTargetGroupsException/,
    );
    expect(await modify(forward([`${blue}x`, 1]))).toBe(
      'TargetGroupNotFoundException: One or more target groups not found',
    );
    expect(await modify()).toBe('ValidationError: An action must be specified');
    expect(await modify({ Type: 'authenticate-oidc', Order: 1 })).toMatch(
      /^InvalidLoadBalancerActionException/,
    );
    expect(await refusal(() => newRule(1))).toBe("PriorityInUseException: Priority '1' is currently in use");
    expect(await refusal(() => newRule(0))).toMatch(
      /^ValidationError: 1 validation error detected: Value '0'/,
    );
    expect(await refusal(() => newRule(9, undefined, [path('/1', '/2', '/3', '/4', '/5', '/6')]))).toBe(
      "ValidationError: A rule can only have '5' condition values",
    );
    expect(await refusal(() => elb.operations.ModifyRule({ RuleArn: `${rule.RuleArn}0` }))).toBe(
      'RuleNotFoundException: One or more rules not found',
    );
    expect(await refusal(() => elb.operations.DeleteRule({ RuleArn: unknown?.RuleArn }))).toMatch(
      /^OperationNotPermittedException: Default rule/,
    );
    expect(
      await refusal(() =>
        elb.operations.CreateRule({
          ListenerArn: otherListener,
          Priority: 1,
          Conditions: [path('/')],
          Actions: [forward([blue, 1])],
        }),
      ),
    ).toBe(
      `TargetGroupAssociationLimitException: The following target groups cannot be associated with more than one load balancer: ${blue}`,
    );
  });

  test('are limited to a hundred for a load balancer, the default rule not counted', async () => {
    for (let priority = 1; priority <= 100; priority++) await newRule(priority);
    expect(await refusal(() => newRule(101))).toMatch(/^TooManyRulesException/);
  });
});

describe('target groups', () => {
  test('are created once, with AWS defaults, and refuse other settings under the same name', async () => {
    const again = newGroup(`blue-${names}`);
    expect(again).toBe(blue);
    expect(
      await refusal(() =>
        elb.operations.CreateTargetGroup({
          Name: `blue-${names}`,
          Protocol: 'HTTP',
          Port: 81,
          VpcId: 'vpc-1',
        }),
      ),
    ).toBe(
      `DuplicateTargetGroupNameException: A target group with the same name 'blue-${names}' exists, but with different settings`,
    );
    expect(elb.operations.DescribeTargetGroups({ TargetGroupArns: [blue] }).TargetGroups).toMatchObject([
      {
        HealthCheckIntervalSeconds: 30,
        HealthCheckTimeoutSeconds: 5,
        HealthyThresholdCount: 5,
        UnhealthyThresholdCount: 2,
        HealthCheckPath: '/',
        HealthCheckPort: 'traffic-port',
        Matcher: { HttpCode: '200' },
        LoadBalancerArns: [],
      },
    ]);
    expect(blue).toMatch(
      /^arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup\/blue-\d+\/[0-9a-f]{16}$/,
    );
  });

  test('cannot be deleted while a rule names them, whatever the weight', async () => {
    const rule = await newRule(1, forward([blue, 1], [green, 0]));
    expect(elb.isAssociated(green)).toBe(true);
    expect(await refusal(() => elb.operations.DeleteTargetGroup({ TargetGroupArn: green }))).toBe(
      `ResourceInUseException: Target group '${green}' is currently in use by a listener or a rule`,
    );
    await elb.operations.ModifyRule({ RuleArn: rule.RuleArn, Actions: [forward([blue, 1])] });
    await elb.operations.DeleteTargetGroup({ TargetGroupArn: green });
    expect(elb.exists(green)).toBe(false);
    await elb.operations.DeleteTargetGroup({ TargetGroupArn: green });
  });

  test.each([
    [{ HealthCheckIntervalSeconds: 5 }, 'Health check interval must be greater than the timeout.'],
    [{ HealthCheckIntervalSeconds: 301 }, "Value '301' at 'healthCheckIntervalSeconds'"],
    [{ UnhealthyThresholdCount: 1 }, "Value '1' at 'unhealthyThresholdCount'"],
    [{ Matcher: { HttpCode: '200-600' } }, "must be within '200-499'"],
  ])('refuse %o', async (settings, words) => {
    const message = await refusal(() =>
      elb.operations.ModifyTargetGroup({ TargetGroupArn: blue, ...settings }),
    );
    expect(message).toMatch(/^ValidationError/);
    expect(message).toContain(words);
  });

  test('keep attributes, all of a call or none', async () => {
    const set = (...Attributes: { Key: string; Value: string }[]) =>
      refusal(() => elb.operations.ModifyTargetGroupAttributes({ TargetGroupArn: blue, Attributes }));
    const delay = 'deregistration_delay.timeout_seconds';
    const read = () =>
      elb.operations
        .DescribeTargetGroupAttributes({ TargetGroupArn: blue })
        .Attributes?.find((attribute) => attribute.Key === delay)?.Value;
    expect(read()).toBe('300');
    expect(await set({ Key: delay, Value: '10' }, { Key: 'unknown', Value: '' })).toMatch(
      /'unknown' is not recognized/,
    );
    expect(read()).toBe('300');
    expect(await set({ Key: delay, Value: '3601' })).toMatch(/^ValidationError/);
    expect(await set({ Key: delay, Value: '10' })).toBe('nothing');
    expect(read()).toBe('10');
  });

  test('tell the health of registered and of unknown targets', () => {
    elb.operations.RegisterTargets({ TargetGroupArn: blue, Targets: [{ Id: '10.0.0.1' }] });
    const all = elb.operations.DescribeTargetHealth({ TargetGroupArn: blue });
    expect(all.TargetHealthDescriptions).toEqual([
      {
        Target: { Id: '10.0.0.1', Port: 80 },
        HealthCheckPort: '80',
        TargetHealth: {
          State: 'unused',
          Reason: 'Target.NotInUse',
          Description: 'Target group is not configured to receive traffic from the load balancer',
        },
      },
    ]);
    const other = elb.operations.DescribeTargetHealth({
      TargetGroupArn: blue,
      Targets: [{ Id: '10.0.0.2' }],
    });
    expect(other.TargetHealthDescriptions?.[0]?.TargetHealth?.Reason).toBe('Target.NotRegistered');
    elb.operations.DeregisterTargets({
      TargetGroupArn: blue,
      Targets: [{ Id: '10.0.0.1' }, { Id: '10.0.0.9' }],
    });
    expect(elb.operations.DescribeTargetHealth({ TargetGroupArn: blue }).TargetHealthDescriptions).toEqual(
      [],
    );
  });
});

describe('load balancers and listeners', () => {
  test('have names, zones and a DNS name as in AWS', () => {
    const [loadBalancer] = elb.operations.DescribeLoadBalancers({ LoadBalancerArns: [loadBalancerArn] })
      .LoadBalancers!;
    expect(loadBalancer).toMatchObject({
      VpcId: 'vpc-1',
      State: { Code: 'active' },
      Scheme: 'internet-facing',
    });
    expect(loadBalancer?.DNSName).toMatch(/^web-\d+-\d+\.us-east-1\.elb\.amazonaws\.com$/);
    expect(loadBalancer?.AvailabilityZones?.map((zone) => zone.ZoneName)).toEqual([
      'us-east-1a',
      'us-east-1b',
    ]);
    expect(loadBalancerArn).toMatch(/:loadbalancer\/app\/web-\d+\/[0-9a-f]{16}$/);
    expect(listenerArn.replace(':listener/', ':loadbalancer/')).toContain(loadBalancerArn);
  });

  test('listen where they say, with the rules they have', async () => {
    await newRule(1, {
      Type: 'fixed-response',
      FixedResponseConfig: { StatusCode: '200', MessageBody: 'rule' },
    } as never);
    const response = await fetch(`${elb.endpointOf(listenerArn)}/a`);
    expect(await response.text()).toBe('rule');
    await elb.operations.ModifyListener({
      ListenerArn: listenerArn,
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '410' } }],
    });
    const { Rules } = elb.operations.DescribeRules({ ListenerArn: listenerArn });
    await elb.operations.DeleteRule({ RuleArn: Rules?.[0]?.RuleArn });
    expect((await fetch(elb.endpointOf(listenerArn))).status).toBe(410);
  });

  test('have one listener for a port', async () => {
    expect(await newListener(loadBalancerArn, 80)).toBe(listenerArn);
    expect(
      await refusal(() =>
        elb.operations.CreateListener({
          LoadBalancerArn: loadBalancerArn,
          Port: 80,
          Protocol: 'HTTP',
          DefaultActions: [forward([blue, 1])],
        }),
      ),
    ).toBe(
      `DuplicateListenerException: A listener already exists on this port for this load balancer '${loadBalancerArn}'`,
    );
  });

  test('keep the certificates of an HTTPS listener, which serves plain HTTP here', async () => {
    const asked = {
      LoadBalancerArn: loadBalancerArn,
      Port: 443,
      Protocol: 'HTTPS' as const,
      DefaultActions: [{ Type: 'fixed-response' as const, FixedResponseConfig: { StatusCode: '200' } }],
    };
    expect(await refusal(() => elb.operations.CreateListener(asked))).toMatch(
      /certificate must be specified/,
    );
    const CertificateArn = 'arn:aws:acm:us-east-1:123456789012:certificate/1';
    const { Listeners } = await elb.operations.CreateListener({
      ...asked,
      Certificates: [{ CertificateArn }],
    });
    expect(Listeners?.[0]).toMatchObject({
      Certificates: [{ CertificateArn }],
      SslPolicy: 'ELBSecurityPolicy-2016-08',
    });
    expect((await fetch(elb.endpointOf(Listeners![0]!.ListenerArn!))).status).toBe(200);
  });

  test('go together', async () => {
    await newRule(1);
    const endpoint = elb.endpointOf(listenerArn);
    await elb.operations.ModifyLoadBalancerAttributes({
      LoadBalancerArn: loadBalancerArn,
      Attributes: [{ Key: 'deletion_protection.enabled', Value: 'true' }],
    });
    const remove = () => elb.operations.DeleteLoadBalancer({ LoadBalancerArn: loadBalancerArn });
    expect(await refusal(remove)).toMatch(
      /^OperationNotPermittedException: .*deletion protection is enabled$/,
    );
    await elb.operations.ModifyLoadBalancerAttributes({
      LoadBalancerArn: loadBalancerArn,
      Attributes: [{ Key: 'deletion_protection.enabled', Value: 'false' }],
    });
    await remove();
    expect(elb.isAssociated(blue)).toBe(false);
    expect(await refusal(() => elb.operations.DescribeRules({ ListenerArn: listenerArn }))).toBe(
      'ListenerNotFoundException: One or more listeners not found',
    );
    expect(
      await refusal(() => elb.operations.DescribeLoadBalancers({ LoadBalancerArns: [loadBalancerArn] })),
    ).toBe(`LoadBalancerNotFoundException: Load balancer '${loadBalancerArn}' not found`);
    await expect(fetch(endpoint)).rejects.toThrow('fetch failed');
  });

  test('say when the local port is taken', async () => {
    const taken = new ElasticLoadBalancing({
      clock,
      metrics: { record: () => {} },
      onFailure,
      listenerPort: () => Number(new URL(elb.endpointOf(listenerArn)).port),
    });
    const { LoadBalancers } = taken.operations.CreateLoadBalancer({ Name: 'web', Subnets: ['a', 'b'] });
    await expect(
      taken.operations.CreateListener({
        LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
        Port: 80,
        Protocol: 'HTTP',
        DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
      }),
    ).rejects.toThrow(/EADDRINUSE/);
    await taken.close();
  });
});

test('tags live and die with what they are on', async () => {
  const rule = await newRule(1);
  const arns = [loadBalancerArn, listenerArn, blue, rule.RuleArn!];
  elb.operations.AddTags({
    ResourceArns: arns,
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ],
  });
  elb.operations.RemoveTags({ ResourceArns: arns, TagKeys: ['a'] });
  expect(elb.operations.DescribeTags({ ResourceArns: arns }).TagDescriptions).toEqual(
    arns.map((ResourceArn) => ({ ResourceArn, Tags: [{ Key: 'b', Value: '2' }] })),
  );
  await elb.operations.DeleteRule({ RuleArn: rule.RuleArn });
  expect(await refusal(() => elb.operations.DescribeTags({ ResourceArns: [rule.RuleArn!] }))).toMatch(
    /^RuleNotFoundException/,
  );
});
