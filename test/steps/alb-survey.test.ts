/** What is told of rule and slots before a launch, through the real client and the embedded load balancing. */
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateRuleCommand,
  CreateTargetGroupCommand,
  DeleteRuleCommand,
  DeleteTargetGroupCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AlbSurvey } from '../../functions/aws/alb-survey.ts';
import { AlbTraffic } from '../../functions/aws/alb-traffic.ts';
import { unfitSlots } from '../../functions/core/preflight/slot-state.ts';
import type { TrafficSettings } from '../../functions/core/service-settings.ts';
import { AwsError, type Call, type Operations } from '../../local/call.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import { blue, green, settingsOf } from '../core/examples.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

/** Operations that AWS refuses or throttles. */
let broken: Readonly<Record<string, string>>;
let elb: ElasticLoadBalancing;
let aws: Awaited<ReturnType<typeof embedded>>;
let client: ElasticLoadBalancingV2Client;
let names = 0;
beforeAll(async () => {
  const onFailure = (failure: unknown): never => {
    throw new Error('the load balancer failed', { cause: failure });
  };
  elb = new ElasticLoadBalancing({
    clock: new ManualClock(),
    metrics: { record: () => undefined },
    onFailure,
    propagationMs: 0,
    subnet: (id) => ({ vpcId: 'vpc-1', availabilityZone: `us-east-1${id.at(-1)}` }),
  });
  const operations: Operations = elb.operations;
  const breakable = Object.entries(operations).map(([operation, run]) => [
    operation,
    (input: never, call: Call) => {
      const code = broken[operation];
      if (code !== undefined) throw new AwsError(code, 'not now');
      return run(input, call);
    },
  ]);
  aws = await embedded({ elbv2: Object.fromEntries(breakable) as Operations });
  client = new ElasticLoadBalancingV2Client(aws.client);
});
afterAll(async () => {
  client.destroy();
  await aws.close();
  await elb.close();
});

/** Fresh for each test: two slots in the production rule of a balancer of their own. */
let settings: TrafficSettings;
let balancer: string;
let survey: AlbSurvey;
beforeEach(async () => {
  broken = {};
  names += 1;
  survey = new AlbSurvey(client, new AlbTraffic(client, async () => undefined));
  const listener = await newListener(`web-${names}`);
  balancer = listener
    .replace(/^.*:listener\//, '')
    .split('/')
    .slice(0, 3)
    .join('/');
  const slots = await Promise.all(
    [blue, green].map(async (name) => ({ name, targetGroup: await newGroup(`${name}-${names}`) })),
  );
  settings = {
    testRule: null,
    rule: await newRule(
      listener,
      slots.map(({ targetGroup }) => targetGroup),
    ),
    slots,
  };
});
afterEach(() => {
  broken = {};
});

async function newListener(Name: string): Promise<string> {
  const { LoadBalancers } = await client.send(
    new CreateLoadBalancerCommand({ Name, Subnets: ['subnet-a', 'subnet-b'] }),
  );
  const { Listeners } = await client.send(
    new CreateListenerCommand({
      LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
      Port: 80,
      Protocol: 'HTTP',
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
    }),
  );
  return Listeners?.[0]?.ListenerArn ?? '';
}

async function newGroup(Name: string, TargetType: 'ip' | 'instance' = 'ip'): Promise<string> {
  const { TargetGroups } = await client.send(
    new CreateTargetGroupCommand({ Name, Protocol: 'HTTP', Port: 80, VpcId: 'vpc-1', TargetType }),
  );
  return TargetGroups?.[0]?.TargetGroupArn ?? '';
}

async function newRule(ListenerArn: string, groups: readonly string[]): Promise<string> {
  const { Rules } = await client.send(
    new CreateRuleCommand({
      ListenerArn,
      Priority: 10,
      Conditions: [{ Field: 'path-pattern', Values: ['/*'] }],
      Actions: [forwardTo(groups)],
    }),
  );
  return Rules?.[0]?.RuleArn ?? '';
}

function forwardTo(groups: readonly string[], sticky = false) {
  return {
    Type: 'forward' as const,
    ForwardConfig: {
      TargetGroups: groups.map((TargetGroupArn, at) => ({ TargetGroupArn, Weight: at === 0 ? 100 : 0 })),
      TargetGroupStickinessConfig: { Enabled: sticky, ...(sticky && { DurationSeconds: 60 }) },
    },
  };
}

const objected = async () => {
  const { slots } = await survey.survey(settings);
  return 'unread' in slots ? slots.unread : unfitSlots(balancer, slots.value).map(({ words }) => words);
};

describe('a survey', () => {
  it('tells of weights, slots and limits, by three calls', async () => {
    const before = aws.calls.records().length;
    const group = { targetType: 'ip', protocol: 'HTTP', healthChecked: true, balancers: [balancer] };
    expect(await survey.survey(settings)).toEqual({
      rule: { value: { blue: 100, green: 0 } },
      balancer,
      slots: { value: settings.slots.map((slot) => ({ ...slot, group })) },
      limits: { value: { ofBalancer: 1_000, ofSlot: 1_000 } },
    });
    expect(await objected()).toEqual([]);
    const calls = aws.calls.records().slice(before, before + 3);
    expect(calls.map(({ operation }) => operation).toSorted()).toEqual([
      'DescribeAccountLimits',
      'DescribeRules',
      'DescribeTargetGroups',
    ]);
  });

  it('tells a slot without a target group from the others', async () => {
    const targetGroup = await newGroup(`gone-${names}`);
    await client.send(new DeleteTargetGroupCommand({ TargetGroupArn: targetGroup }));
    settings = settingsOf({
      traffic: { rule: settings.rule, slots: [...settings.slots, { name: 'red', targetGroup }] },
    }).traffic;
    expect(await objected()).toEqual([
      `the target group of red does not exist (any more): ${targetGroup}. Deploy the service's stack again, or mend it by hand`,
    ]);
  });

  it('tells a slot that no rule names', async () => {
    await client.send(new DeleteRuleCommand({ RuleArn: settings.rule }));
    expect(await objected()).toEqual([
      expect.stringMatching(/^no rule names the target group of blue/),
      expect.stringMatching(/^no rule names the target group of green/),
    ]);
    expect(await survey.survey(settings)).toMatchObject({
      rule: { unread: expect.stringContaining('RuleNotFound') },
    });
  });

  it("tells a slot of instances, and one that is another balancer's", async () => {
    const other = await newListener(`other-${names}`);
    const targetGroup = await newGroup(`theirs-${names}`, 'instance');
    await newRule(other, [targetGroup]);
    settings = settingsOf({
      traffic: { rule: settings.rule, slots: [...settings.slots, { name: 'red', targetGroup }] },
    }).traffic;
    expect(await objected()).toEqual([
      expect.stringMatching(/^the target group of red takes targets by instance/),
      expect.stringMatching(
        `^the target group of red belongs to the load balancer app/other-${names}/.*, and the production rule to ${balancer}`,
      ),
    ]);
  });

  it('tells sticky groups of the production rule, and still the slots', async () => {
    const groups = settings.slots.map(({ targetGroup }) => targetGroup);
    await client.send(new ModifyRuleCommand({ RuleArn: settings.rule, Actions: [forwardTo(groups, true)] }));
    expect(await survey.survey(settings)).toMatchObject({
      rule: {
        unread: `the rule ${settings.rule} is left alone: its target groups are sticky, and a cookie would overrule the weights. Make it one forward to the service's slots`,
      },
      slots: { value: [{ name: 'blue' }, { name: 'green' }] },
    });
  });
});

describe('what cannot be read', () => {
  it('is told when AWS refuses', async () => {
    broken = {
      DescribeRules: 'AccessDenied',
      DescribeTargetGroups: 'AccessDenied',
      DescribeAccountLimits: 'AccessDenied',
    };
    expect(await survey.survey(settings)).toEqual({
      rule: { unread: `AWS refused while reading the rule ${settings.rule}: AccessDenied: not now` },
      balancer,
      slots: {
        unread: expect.stringMatching(
          /^AWS refused while reading the target groups .*: AccessDenied: not now$/,
        ),
      },
      limits: { unread: 'AWS refused while reading the limits of load balancers: AccessDenied: not now' },
    });
  });

  it.each(['DescribeRules', 'DescribeTargetGroups'])(
    'is tried again with the whole step when %s is throttled: a push is not refused for that',
    async (operation) => {
      broken = { [operation]: 'Throttling' };
      await expect(survey.survey(settings)).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    },
  );

  it('of the limits is only told when they are throttled', async () => {
    broken = { DescribeAccountLimits: 'Throttling' };
    expect(await survey.survey(settings)).toMatchObject({
      rule: { value: { blue: 100 } },
      limits: { unread: expect.stringContaining('Throttling') },
    });
  });
});
