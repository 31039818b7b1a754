/** Instances of a stateful service that end: the whole of it in the simulated world, from the push to the last instance's end. */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { serviceSettings } from '../../functions/core/service-settings.ts';
import type { AwsEvent } from '../../local/aws-event.ts';
import type { Interception } from '../../local/services/events/delivery.ts';
import { wellBehaved } from '../../local/simulated/behaviour.ts';
import type { CallFault } from '../../local/simulated/network.ts';
import { createSimulatedAws, type SimulatedAws } from '../../local/simulated/simulated-aws.ts';
import { ground } from './ground.ts';

const service = 'worker';
const parameter = `/cutover/${service}`;
const dayMs = 86_400_000;
const minuteMs = 60_000;
const deadlineSeconds = 300;
const lifecycleEvent = 'EC2 Instance-terminate Lifecycle Action';

interface Asked {
  readonly service: string;
  readonly generation: string;
  readonly instance: string;
  readonly deadline: string;
}

/** What an instance went through, in milliseconds of the clock. */
interface Life {
  /** Its end waits. */
  waits?: number;
  /** The function was called for it first, and has answered. */
  begun?: number;
  drained?: number;
  /** By when, as the function is told. */
  deadline?: number;
  /** Its end went on, and is over. */
  letGo?: number;
  ended?: number;
}

/** Happens to the function's calls of this operation, once each. */
interface Fault {
  readonly caller: string;
  readonly operation: string;
  readonly fault: CallFault;
  readonly nth: readonly number[];
}

interface Story {
  readonly drainSeconds?: number;
  readonly fails?: boolean;
  readonly atOnce?: number;
  /** What becomes of the events that tell of them. */
  readonly events?: Interception;
  readonly fault?: Fault;
}

let aws: SimulatedAws;
afterEach(() => aws.close());

const allowing = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });

const ask = async <T>(api: string, operation: string, input: object): Promise<T> =>
  (await aws.until(aws.dispatcher.call(api, operation, input, { kind: 'root' }))) as T;

/** The function that drains, and the deployer's right to call it, as the construct of a service makes them. */
async function makeFunction(): Promise<string> {
  const { Role } = await ask<{ Role: { Arn: string } }>('iam', 'CreateRole', {
    RoleName: 'hand-over',
    AssumeRolePolicyDocument: allowing({
      Principal: { Service: 'lambda.amazonaws.com' },
      Action: 'sts:AssumeRole',
    }),
  });
  const { FunctionArn } = await ask<{ FunctionArn: string }>('lambda', 'CreateFunction', {
    FunctionName: 'hand-over',
    Role: Role.Arn,
    Runtime: 'nodejs24.x',
    Handler: 'hand-over.handler',
    Timeout: 900,
    Code: { ZipFile: new TextEncoder().encode('hand-over') },
  });
  const { Functions } = await ask<{ Functions: readonly { Handler: string; Role: string }[] }>(
    'lambda',
    'ListFunctions',
    {},
  );
  await ask('iam', 'PutRolePolicy', {
    RoleName: Functions.find(({ Handler }) => Handler === 'hook.handler')
      ?.Role.split('/')
      .at(-1),
    PolicyName: 'service-worker',
    PolicyDocument: allowing({ Action: 'lambda:InvokeFunction', Resource: FunctionArn }),
  });
  return FunctionArn;
}

async function declare(fleet: object): Promise<void> {
  const { Parameter } = await ask<{ Parameter: { Value: string } }>('ssm', 'GetParameter', {
    Name: parameter,
  });
  const settings = serviceSettings.parse(JSON.parse(Parameter.Value));
  await ask('ssm', 'PutParameter', {
    Name: parameter,
    Type: 'String',
    Overwrite: true,
    Value: JSON.stringify({
      ...settings,
      minimumCount: 6,
      retentionSeconds: 60,
      strategy: { kind: 'custom', steps: [{ weightPercent: 100, bakeSeconds: 60 }] },
      fleet: { ...settings.fleet, ...fleet },
    }),
  });
}

/** The first generation is replaced, so that its six instances end; resolves with what each went through. */
async function replaced(story: Story) {
  const { drainSeconds = 100, fails = false, atOnce = 2, events = 'deliver', fault } = story;
  const lives = new Map<string, Life>();
  const life = (instance: string): Life => {
    const known = lives.get(instance) ?? {};
    lives.set(instance, known);
    return known;
  };
  // Of one instance there may be two calls, when what made the first one died.
  const atWork: string[] = [];
  let most = 0;
  let hits = 0;
  const handOver = () => async (event: unknown) => {
    const { instance, deadline } = event as Asked;
    const of = life(instance);
    of.begun ??= aws.clock.now();
    of.deadline = Date.parse(deadline);
    if (fails) throw new Error('nothing takes over');
    atWork.push(instance);
    most = Math.max(most, new Set(atWork).size);
    await new Promise((resolve) => {
      setTimeout(resolve, drainSeconds * 1_000);
    });
    atWork.splice(atWork.indexOf(instance), 1);
    of.drained ??= aws.clock.now();
    return null;
  };
  const hear = ({ detailType, detail }: AwsEvent): void => {
    const { EC2InstanceId = '', AutoScalingGroupName } = detail as Record<string, string>;
    if (AutoScalingGroupName !== 'worker-g0001') return;
    if (detailType === lifecycleEvent) life(EC2InstanceId).waits = aws.clock.now();
    if (detailType === 'EC2 Instance Terminate Successful') life(EC2InstanceId).ended = aws.clock.now();
  };
  const { assembly, entries } = ground();
  aws = await createSimulatedAws(assembly, {
    seed: 1,
    entries: { ...entries, 'hand-over': handOver },
    behaviourOf: () => wellBehaved,
    onEvent: hear,
    deliveries: ({ event }) => (event['detail-type'] === lifecycleEvent ? events : 'deliver'),
    faultOf: ({ caller, operation, nth }) => {
      if (caller !== fault?.caller || operation !== fault.operation || !fault.nth.includes(nth))
        return undefined;
      hits += 1;
      return fault.fault;
    },
  });
  aws.calls.hook({
    after: ({ operation, input }) => {
      if (operation === 'CompleteLifecycleAction')
        life((input as { InstanceId: string }).InstanceId).letGo ??= aws.clock.now();
    },
  });
  await declare({ drain: { function: await makeFunction(), deadlineSeconds, atOnce } });
  const ran = () => [...lives.values()].filter(({ ended }) => ended !== undefined).length;
  aws.push({ repository: service, tag: 'v1', content: 'v1' });
  await live('worker-g0001');
  aws.push({ repository: service, tag: 'v2', content: 'v2' });
  await live('worker-g0002');
  await aws.clock.pass(() => ran() === 6, dayMs);
  // The last entry is taken off, and the group goes.
  await aws.until(aws.clock.sleep(10 * minuteMs));
  expect(aws.failures.filter((failure) => !/failed 3 times/.test(String(failure)))).toEqual([]);
  return { lives: [...lives.values()], most, hits };
}

interface Groups {
  readonly AutoScalingGroups: readonly object[];
}

const group = async (name: string) =>
  (await ask<Groups>('autoscaling', 'DescribeAutoScalingGroups', { AutoScalingGroupNames: [name] }))
    .AutoScalingGroups[0];

/** Until the generation is live: no deployment runs, and its instances serve. */
async function live(name: string): Promise<void> {
  for (let passed = 0; passed < 60; passed++) {
    await aws.until(aws.clock.sleep(minuteMs));
    const item = await itemNow();
    if (item.live === name && item.owner === null) return;
  }
  throw new Error(`${name} is not live within an hour: ${JSON.stringify(await itemNow())}`);
}

async function itemNow() {
  const TableName = aws.outputs.get('Cutover')?.['LedgerTable'];
  const { Items } = await ask<{ Items: Record<string, never>[] }>('dynamodb', 'Scan', { TableName });
  const stored = Items.map((each) => unmarshall(each)).find((each) => each['item'] === 'service');
  return {
    live: (stored?.['live'] as { name?: string } | undefined)?.name,
    owner: (stored?.['owner'] ?? null) as object | null,
    drains: (stored?.['drains'] ?? []) as readonly object[],
    undrained: (stored?.['undrained'] ?? null) as object | null,
  };
}

const allDone = async () => {
  expect(await group('worker-g0001')).toBeUndefined();
  expect((await itemNow()).drains).toEqual([]);
};

describe('six instances that drain, two at a time', () => {
  it('are each let go when their function is done, and never more than two drain', async () => {
    const { lives, most } = await replaced({});
    expect([lives.length, most]).toEqual([6, 2]);
    for (const { waits, drained, letGo, ended, deadline } of lives) {
      expect(waits).toBeLessThan(drained!);
      expect(drained).toBeLessThanOrEqual(letGo!);
      expect(drained).toBeLessThan(deadline!);
      expect(letGo).toBeLessThan(ended!);
    }
    // Three pairs one after the other, without waiting for the sweep in between.
    const last = Math.max(...lives.map(({ drained }) => drained!));
    expect(last - Math.min(...lives.map(({ begun }) => begun!))).toBeLessThan(3 * 100_000 + 60_000);
    await allDone();
  });

  it('are each let go when their time is over, not before, where the function fails', async () => {
    const { lives } = await replaced({ fails: true });
    for (const { begun, letGo, deadline } of lives) {
      expect(letGo! - begun!).toBeGreaterThan(deadlineSeconds * 1_000 - 5_000);
      expect(letGo).toBeGreaterThanOrEqual(deadline!);
      expect(letGo! - deadline!).toBeLessThan(minuteMs);
    }
    const spans = lives.map(({ begun, letGo }) => [begun!, letGo!] as const);
    for (const [from] of spans)
      expect(spans.filter(([begun, letGo]) => begun <= from && from < letGo).length).toBeLessThanOrEqual(2);
    expect((await itemNow()).undrained).toMatchObject({ generation: 'worker-g0001' });
    await allDone();
  });

  it('are found by the sweep, and drained, when no event tells of them', async () => {
    const { lives, most } = await replaced({ events: 'drop' });
    expect([lives.length, most]).toEqual([6, 2]);
    // The sweep comes every five minutes; with the event it takes a moment.
    const first =
      Math.min(...lives.map(({ begun }) => begun!)) - Math.min(...lives.map(({ waits }) => waits!));
    expect(first).toBeGreaterThan(10_000);
    expect(first).toBeLessThan(5 * minuteMs + 10_000);
    for (const { drained, letGo } of lives) expect(drained).toBeLessThanOrEqual(letGo!);
    await allDone();
  });

  it.each<[string, Story]>([
    ['each is told of twice', { events: 'twice' }],
    ['each is told of half an hour late', { events: { delayMs: 1_800_000 } }],
    ...(['hook'] as const).flatMap((caller) =>
      ['GetItem', 'RecordLifecycleActionHeartbeat', 'Invoke', 'CompleteLifecycleAction', 'PutItem'].flatMap(
        (operation) =>
          (['crashBefore', 'crashAfter', 'lostAnswer'] as const).map((fault): [string, Story] => [
            `${caller} meets ${fault} at ${operation}`,
            { fault: { caller, operation, fault, nth: [1, 4] } },
          ]),
      ),
    ),
    [
      'announce dies after it had one drained',
      { fault: { caller: 'announce', operation: 'Invoke', fault: 'crashAfter', nth: [1, 4] } },
    ],
    [
      'hook is refused thrice what lets an instance go',
      {
        fault: {
          caller: 'hook',
          operation: 'CompleteLifecycleAction',
          fault: 'unavailable',
          nth: Array.from({ length: 12 }, (_, index) => index + 1),
        },
      },
    ],
  ])('hold to that when %s', async (_, story) => {
    const { lives, most, hits } = await replaced(story);
    expect(hits > 0).toBe(story.fault !== undefined);
    expect([lives.length, most]).toEqual([6, 2]);
    for (const { drained, letGo, deadline } of lives)
      expect(Math.min(drained ?? Number.POSITIVE_INFINITY, deadline!)).toBeLessThanOrEqual(letGo!);
    await allDone();
  });

  it('are kept for as long as it takes until it is their turn, one at a time', async () => {
    const { lives, most } = await replaced({ atOnce: 1, drainSeconds: 290 });
    expect([lives.length, most]).toEqual([6, 1]);
    // The last one waits longer than its lifecycle hook would hold it by itself.
    const waited = Math.max(...lives.map(({ waits, begun }) => begun! - waits!));
    expect(waited).toBeGreaterThan((deadlineSeconds + 900) * 1_000);
    for (const { drained, letGo } of lives) expect(drained).toBeLessThanOrEqual(letGo!);
    await allDone();
  });
});
