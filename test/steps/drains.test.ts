/** Instances that are drained before they end: who calls the function, what comes of it, and what the sweep makes up for. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CutoverError } from '../../functions/core/errors.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { nameGeneration } from '../../functions/core/names.ts';
import { announce } from '../../functions/steps/announce.ts';
import { findDrains, lookAfterDrains } from '../../functions/steps/look-after-drains.ts';
import { runDrain, runDrainInput } from '../../functions/steps/run-drain.ts';
import { signal } from '../../functions/steps/signal.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import { baking, pendingOf, settingsOf, start, web } from '../core/examples.ts';
import { World } from './world.ts';

const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:hand-over';
const generation = nameGeneration(web, 1);
const instance = (number: number) => `i-${number}`;
const down = (what = 'it threw') => new CutoverError('Cutover.AwsUnavailable', what);

let world: World;
/** What the function was called with. */
let calls: { readonly function: string; readonly input: unknown; readonly at: number }[];
/** What it does, one call after the other; without more it answers. */
let says: (CutoverError | 'never')[];

/** A service whose deployment has ended, and whose instances drain, so many together; null: none is declared. */
function declare(atOnce: number | null, deadlineSeconds = 300): void {
  const drain = atOnce === null ? null : { function: arn, deadlineSeconds, atOnce };
  const asg = { kind: 'asg', unit: 'instance', launchTemplate: 'lt-0', launchTemplateVersion: '1' };
  const settings = settingsOf({ fleet: { ...asg, subnets: ['subnet-1'], drain } });
  const { item } = baking(1);
  const { deployment } = item;
  world.item = {
    ...item,
    drains: world.item.drains,
    owner: null,
    intent: null,
    deployment: { ...deployment!, outcome: 'live', plan: { ...deployment!.plan, settings } },
  };
}

beforeEach(() => {
  world = new World();
  world.time = start + 200_000;
  calls = [];
  says = [];
  declare(2);
});

const hears = (number: number) => {
  world.waiting.set(instance(number), generation);
  return heard(number);
};
const heard = (number: number) =>
  signal(
    {
      'detail-type': 'EC2 Instance-terminate Lifecycle Action',
      detail: {
        AutoScalingGroupName: generation,
        EC2InstanceId: instance(number),
        LifecycleHookName: 'cutover-drain',
      },
    },
    world.ports,
  );

const ports = (caller = 'one') => ({
  ...world.ports,
  caller,
  functions: {
    call: async (name: string, input: unknown, timeoutMs: number) => {
      calls.push({ function: name, input, at: world.time });
      const said = says.shift();
      if (said === 'never') {
        world.time += timeoutMs;
        throw down('no answer');
      }
      if (said !== undefined) throw said;
      return null;
    },
  },
  sleep: async (ms: number) => void (world.time += ms),
});

/** What the stream has begun since `before`, each as the function of hooks is called: through JSON. */
async function begun(before: ServiceItem | null) {
  world.drainCalls.length = 0;
  await announce({ before, after: world.item }, world.ports);
  return world.drainCalls.map((call) => runDrainInput.parse(JSON.parse(JSON.stringify(call))));
}

async function onlyBegun(before: ServiceItem | null) {
  const [call, ...more] = await begun(before);
  expect(more).toEqual([]);
  return call!;
}

const noted = () =>
  world.item.drains.map((each) => `${each.instance} ${each.startedAt === null ? 'waits' : 'drains'}`);

describe('an instance that is to end', () => {
  it('is drained, let go and forgotten, and the next one drains', async () => {
    declare(1);
    const before = world.item;
    await hears(1);
    await hears(2);
    expect(noted()).toEqual(['i-1 drains', 'i-2 waits']);
    const call = await onlyBegun(before);
    const deadline = world.time + 300_000;
    const meanwhile = world.item;
    expect(await runDrain(call, ports())).toEqual({ remark: 'i-1 is drained' });
    const input = {
      service: 'web',
      generation,
      instance: 'i-1',
      deadline: new Date(deadline).toISOString(),
    };
    expect(calls).toEqual([{ function: arn, input, at: start + 200_000 }]);
    expect([...world.waiting.keys()]).toEqual(['i-2']);
    expect(noted()).toEqual(['i-2 drains']);
    expect((await onlyBegun(meanwhile)).instance).toBe('i-2');
  });

  it('is drained once, however often it is heard of, and a repeat of all changes nothing', async () => {
    const before = world.item;
    await hears(1);
    const [call] = await begun(before);
    const { version } = world.item;
    expect((await heard(1)).remarks[0]).toContain('known before');
    expect(world.item.version).toBe(version);
    await runDrain(call!, ports());
    const after = world.item;
    expect(await runDrain(call!, ports())).toEqual({ remark: 'i-1 does not drain (any more)' });
    expect([calls.length, world.item]).toEqual([1, after]);
  });

  it('is drained by one invocation, and by its next try, though the record comes twice', async () => {
    const before = world.item;
    await hears(1);
    const call = await onlyBegun(before);
    world.fail('drains.keep');
    await expect(runDrain(call, ports('one'))).rejects.toThrow('drains.keep failed');
    expect(await runDrain(call, ports('other'))).toEqual({ remark: 'i-1 is drained by one' });
    expect([calls.length, noted()]).toEqual([0, ['i-1 drains']]);
    expect(await runDrain(call, ports('one'))).toEqual({ remark: 'i-1 is drained' });
  });

  it.each<[string, CutoverError[], number]>([
    ['fails, and answers in the end', [down(), down(), down()], 4],
    ['may not be called at first', [new CutoverError('Cutover.AwsRefused', 'denied')], 2],
  ])('whose function %s is drained', async (_, does, times) => {
    const before = world.item;
    await hears(1);
    says = does;
    expect(await runDrain(await onlyBegun(before), ports())).toEqual({ remark: 'i-1 is drained' });
    expect([calls.length, world.waiting.size, noted()]).toEqual([times, 0, []]);
  });

  it.each<[string, (CutoverError | 'never')[], number]>([
    ['never answers', ['never'], 1],
    ['fails each time', Array.from({ length: 99 }, () => down()), 10],
  ])(
    'whose function %s is let go when its time is over, not before, which is told',
    async (_, does, times) => {
      const before = world.item;
      await hears(1);
      says = does;
      const since = world.time;
      const { failure } = await runDrain(await onlyBegun(before), ports());
      expect([calls.length, world.waiting.size, noted()]).toEqual([times, 0, []]);
      expect(world.time - since).toBe(300_000);
      expect(failure).toBeDefined();
      expect(world.item.undrained).toMatchObject({ instance: 'i-1', reason: failure });
    },
  );

  it('that may take longer than its caller lives is handed on, and let go when its time is over', async () => {
    declare(1, 3_600);
    let before = world.item;
    await hears(1);
    const since = world.time;
    says = Array.from({ length: 9 }, () => 'never' as const);
    for (let turn = 0; turn < 4; turn++) {
      const call = await onlyBegun(before);
      before = world.item;
      expect((await runDrain(call, ports(`turn ${turn}`))).failure).toBeUndefined();
      expect([noted(), world.waiting.size]).toEqual([['i-1 drains'], 1]);
    }
    expect((await runDrain(await onlyBegun(before), ports())).failure).toBe('no answer');
    expect([calls.length, world.time - since, world.waiting.size]).toEqual([5, 3_600_000, 0]);
  });

  it('that is gone is not asked for anything', async () => {
    const before = world.item;
    await hears(1);
    world.waiting.clear();
    expect(await runDrain(await onlyBegun(before), ports())).toEqual({ remark: 'i-1 is gone' });
    expect([calls, noted()]).toEqual([[], []]);
  });

  it('is let go at once when its service drains none any more', async () => {
    const before = world.item;
    declare(null);
    await hears(1);
    expect(await runDrain(await onlyBegun(before), ports())).toEqual({ remark: 'i-1 is drained' });
    expect([calls, noted(), world.waiting.size]).toEqual([[], [], 0]);
  });

  it('is still noted when AWS does not let it go, so that the next try does', async () => {
    const before = world.item;
    await hears(1);
    const call = await onlyBegun(before);
    world.fail('drains.letGo');
    await expect(runDrain(call, ports())).rejects.toThrow('drains.letGo failed');
    expect(noted()).toEqual(['i-1 drains']);
    await runDrain(call, ports());
    expect([noted(), world.waiting.size]).toEqual([[], 0]);
  });
});

it('what AWS refuses to have drained keeps no message, and is told', async () => {
  const before = world.item;
  await hears(1);
  const refuse = () => Promise.reject(new CutoverError('Cutover.AwsRefused', 'denied'));
  const hooks = { begin: refuse, drain: refuse };
  expect(await announce({ before, after: world.item }, { ...world.ports, hooks })).toEqual(['denied']);
});

describe('the sweep', () => {
  const kept = () => world.trace.filter((each) => /^drains: .* kept$/.test(each));

  it('keeps from ending what waits, and what drains', async () => {
    declare(1);
    await hears(1);
    await hears(2);
    world.time += 290_000;
    await sweep(world.ports);
    expect(kept()).toEqual(['drains: i-1 kept', 'drains: i-2 kept']);
    expect(noted()).toEqual(['i-1 drains', 'i-2 waits']);
  });

  it('lets go what nobody let go when its time was over, tells it, and the next one drains', async () => {
    declare(1);
    await hears(1);
    await hears(2);
    world.time += 300_000 + 120_000;
    await sweep(world.ports);
    expect([noted(), [...world.waiting.keys()]]).toEqual([['i-2 drains'], ['i-2']]);
    expect(world.item.undrained?.reason).toContain('nobody said until 2026-01-01T12:08:20.000Z');
  });

  it('forgets what is gone, and the next ones drain', async () => {
    declare(1);
    for (const number of [1, 2, 3]) await hears(number);
    world.waiting.delete('i-1');
    world.waiting.delete('i-2');
    await sweep(world.ports);
    expect([noted(), world.item.undrained]).toEqual([['i-3 drains'], null]);
  });

  it('has more drain when more may by now', async () => {
    declare(1);
    for (const number of [1, 2, 3]) await hears(number);
    declare(3);
    await sweep(world.ports);
    expect(noted()).toEqual(['i-1 drains', 'i-2 drains', 'i-3 drains']);
  });

  it('lets all go when none is drained any more, and tells nobody', async () => {
    declare(1);
    await hears(1);
    await hears(2);
    declare(null);
    world.time += 120_000;
    await sweep(world.ports);
    expect([...world.waiting.keys()]).toEqual(['i-2']);
    world.time += 120_000;
    await sweep(world.ports);
    expect([noted(), world.waiting.size, world.item.undrained]).toEqual([[], 0, null]);
  });

  it('finds by schedule what no event told of, and not what waits for others', async () => {
    world.waiting.set('i-1', generation);
    const drains = {
      ...world.ports.drains,
      waiting: async () => [1, 2].map((number) => ({ generation, instance: instance(number) })),
    };
    await sweep({ ...world.ports, drains }, 'everything');
    expect(noted()).toEqual(['i-1 drains']);
    const { version } = world.item;
    await findDrains(world.item, world.ports);
    expect(world.item.version).toBe(version);
  });

  it.each(['drains.keep', 'drains.letGo'] as const)(
    'looks after the others when %s fails for one, and says so in the end',
    async (call) => {
      declare(3);
      for (const number of [1, 2, 3]) await hears(number);
      world.time += call === 'drains.letGo' ? 420_000 : 0;
      if (call === 'drains.keep') world.waiting.delete('i-3');
      world.fail(call);
      await expect(lookAfterDrains(world.item, world.ports)).rejects.toThrow(`${call} failed`);
      expect(noted()).toEqual(call === 'drains.keep' ? ['i-1 drains', 'i-2 drains'] : ['i-1 drains']);
    },
  );

  it('offers the push that waits though AWS says nothing of drains', async () => {
    await hears(1);
    world.item = { ...world.item, pending: pendingOf(3) };
    world.fail('drains.keep');
    await expect(sweep(world.ports)).rejects.toThrow('drains.keep failed');
    expect([...world.started.values()]).toMatchObject([{ machine: 'deploy' }]);
  });
});
