/** Weights in a listener rule, through the real client. */
import {
  type Action,
  ElasticLoadBalancingV2Client,
  type Rule,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlbTraffic } from '../../functions/aws/alb-traffic.ts';
import { calling, translate } from '../../functions/aws/failures.ts';
import type { Operations } from '../../local/call.ts';
import { group, rule, settingsOf, weightsOf } from '../core/examples.ts';
import { embedded } from '../wire/embedded.ts';

const { traffic: settings } = settingsOf();
let actions: Action[];
let written: Action[][];
/** What the rule becomes after a write, when somebody else writes too. */
let meddle: Action[] | undefined;

const operations = {
  DescribeRules: (): { Rules: Rule[] } => ({ Rules: [{ RuleArn: rule, Actions: actions }] }),
  ModifyRule: ({ Actions = [] }: { Actions?: Action[] }) => {
    written.push(Actions);
    actions = meddle ?? Actions;
    return { Rules: [{ RuleArn: rule, Actions: actions }] };
  },
  DescribeTargetHealth: () => ({
    TargetHealthDescriptions: ['healthy', 'unhealthy.draining', 'something new'].map((State, index) => ({
      Target: { Id: `10.0.0.${index}` },
      TargetHealth: { State, Reason: 'Target.Why', Description: 'because' },
    })),
  }),
} as unknown as Operations;

function forward(weights: Record<string, number>, rest: Partial<Action> = {}): Action {
  const TargetGroups = Object.entries(weights).map(([slot, Weight]) => ({
    TargetGroupArn: group(slot),
    Weight,
  }));
  return { Type: 'forward', ForwardConfig: { TargetGroups }, ...rest };
}

let aws: Awaited<ReturnType<typeof embedded>>;
let traffic: AlbTraffic;
beforeEach(async () => {
  actions = [forward({ blue: 100, green: 0, red: 0 })];
  written = [];
  meddle = undefined;
  aws = await embedded({ elbv2: operations });
  traffic = new AlbTraffic(new ElasticLoadBalancingV2Client(aws.client));
});
afterEach(() => aws.close());

const groupsWritten = () =>
  written.map(([action]) =>
    action?.ForwardConfig?.TargetGroups?.map(({ TargetGroupArn, Weight }) => [TargetGroupArn, Weight]),
  );
const canary = weightsOf({ blue: 90, green: 10 });

describe('weights', () => {
  it('are read slot by slot; a slot that the rule does not name has none', async () => {
    actions = [forward({ blue: 90, green: 10 })];
    expect(await traffic.weights(settings)).toEqual(canary);
  });

  it('are written whole, and read back', async () => {
    await traffic.shift(settings, weightsOf({ blue: 100 }), canary);
    expect(groupsWritten()).toEqual([
      [
        [group('blue'), 90],
        [group('green'), 10],
        [group('red'), 0],
      ],
    ]);
  });

  it('are not written when they stand already', async () => {
    await traffic.shift(settings, canary, weightsOf({ blue: 100 }));
    expect(written).toEqual([]);
  });

  it('of a stranger are left alone', async () => {
    actions = [forward({ blue: 50, red: 50 })];
    await expect(traffic.shift(settings, weightsOf({ blue: 100 }), canary)).rejects.toThrow(
      expect.objectContaining({ name: 'Cutover.ForeignWeights' }),
    );
    expect(written).toEqual([]);
  });

  it('that a stranger wrote over ours are seen', async () => {
    meddle = [forward({ red: 100 })];
    await expect(traffic.shift(settings, weightsOf({ blue: 100 }), canary)).rejects.toThrow(
      'Cutover wrote blue 90, green 10, the rule has red 100',
    );
  });

  it('name no idle slot that infrastructure took out of the rule: its target group may be gone', async () => {
    actions = [forward({ blue: 90, green: 10 })];
    await traffic.shift(settings, canary, weightsOf({ blue: 100 }));
    expect(groupsWritten()).toEqual([
      [
        [group('blue'), 100],
        [group('green'), 0],
      ],
    ]);
  });

  it('name a slot that infrastructure added when it gets weight', async () => {
    actions = [forward({ blue: 100, green: 0 })];
    await traffic.shift(settings, weightsOf({ blue: 100 }), weightsOf({ blue: 90, red: 10 }));
    expect(groupsWritten()).toEqual([
      [
        [group('blue'), 90],
        [group('green'), 0],
        [group('red'), 10],
      ],
    ]);
  });

  it.each<[string, Action[], string]>([
    ['no action', [], 'it has 0 actions'],
    ['two actions', [{ Type: 'authenticate-oidc' }, forward({ blue: 100 })], 'it has 2 actions'],
    [
      'another action',
      [{ Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_301' } }],
      'its action is redirect, not forward',
    ],
    [
      'a group of others',
      [forward({ blue: 100, amber: 0 })],
      `it forwards to ${group('amber')}, which is no slot of this service`,
    ],
    [
      'sticky groups',
      [
        {
          ...forward({ blue: 100 }),
          ForwardConfig: {
            ...forward({ blue: 100 }).ForwardConfig,
            TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 },
          },
        },
      ],
      'its target groups are sticky',
    ],
    [
      'a member beside',
      [forward({ blue: 100 }, { RedirectConfig: { StatusCode: 'HTTP_301' } })],
      'its action has RedirectConfig',
    ],
  ])('of a rule with %s are refused, never written back', async (_, given, words) => {
    actions = given;
    await expect(traffic.shift(settings, weightsOf({ blue: 100 }), canary)).rejects.toThrow(
      expect.objectContaining({
        name: 'Cutover.RuleNotOurs',
        message: expect.stringContaining(words) as string,
      }),
    );
    expect(written).toEqual([]);
  });
});

describe('targets', () => {
  it('are read with their reasons; a state that is not known is none to count on', async () => {
    const [slot] = settings.slots;
    expect(
      (await traffic.targets(settings, slot!.name)).map(({ id, state, reason }) => [id, state, reason]),
    ).toEqual([
      ['10.0.0.0', 'healthy', 'Target.Why'],
      ['10.0.0.1', 'draining', 'Target.Why'],
      ['10.0.0.2', 'unavailable', 'Target.Why'],
    ]);
  });
});

describe('an error of AWS', () => {
  const thrown = (name: string, httpStatusCode?: number) =>
    Object.assign(new Error('words'), { name, $metadata: { httpStatusCode } });
  it.each([
    ['Throttling', 400, 'Cutover.AwsUnavailable'],
    ['ThrottlingException', 400, 'Cutover.AwsUnavailable'],
    ['RequestThrottled', 400, 'Cutover.AwsUnavailable'],
    ['PriorRequestNotComplete', 400, 'Cutover.AwsUnavailable'],
    ['RequestTimeout', 408, 'Cutover.AwsUnavailable'],
    ['RequestTimeoutException', 400, 'Cutover.AwsUnavailable'],
    ['ProvisionedThroughputExceededException', 400, 'Cutover.AwsUnavailable'],
    ['TooManyRequestsException', 429, 'Cutover.AwsUnavailable'],
    ['AnythingNew', 429, 'Cutover.AwsUnavailable'],
    ['AnythingNew', 500, 'Cutover.AwsUnavailable'],
    ['ServiceUnavailable', 503, 'Cutover.AwsUnavailable'],
    ['ECONNRESET', undefined, 'Cutover.AwsUnavailable'],
    ['TimeoutError', undefined, 'Cutover.AwsUnavailable'],
    ['AccessDenied', 403, 'Cutover.AwsRefused'],
    ['RuleNotFound', 400, 'Cutover.AwsRefused'],
    ['ValidationError', 400, 'Cutover.AwsRefused'],
  ] as const)('%s with status %s is %s', (name, status, expected) => {
    expect(translate(thrown(name, status), 'writing the weights')).toMatchObject({
      name: expected,
      message: expect.stringContaining('while writing the weights') as string,
    });
  });

  it('is not a fault of our own, which stays what it is', () => {
    const fault = new TypeError('x is not a function');
    expect(translate(fault, 'writing the weights')).toBe(fault);
  });

  it('keeps its cause, and ours stay as they are', async () => {
    const cause = thrown('ValidationError', 400);
    await expect(calling('x', () => Promise.reject(cause))).rejects.toMatchObject({ cause });
    const ours = translate(cause, 'x');
    expect(translate(ours, 'y')).toBe(ours);
  });
});
