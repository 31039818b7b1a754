/** Functions of a service that a deployment asks: when, with what, and what comes of each answer, or of none. */
import { beforeEach, describe, expect, it } from 'vitest';
import { admit } from '../../functions/core/deployment/admission.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { CutoverError } from '../../functions/core/errors.ts';
import type { HookSettings } from '../../functions/core/hooks/hook-settings.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { parse } from '../../functions/core/parse.ts';
import { serviceSettings } from '../../functions/core/service-settings.ts';
import { announce } from '../../functions/steps/announce.ts';
import { judge } from '../../functions/steps/judge.ts';
import { launch } from '../../functions/steps/launch.ts';
import { planRollback } from '../../functions/steps/plan-rollback.ts';
import { retire } from '../../functions/steps/retire.ts';
import { runHook } from '../../functions/steps/run-hook.ts';
import { shift } from '../../functions/steps/shift.ts';
import { signal } from '../../functions/steps/signal.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import {
  execution,
  generationOf,
  green,
  liveItem,
  offerOf,
  pushOf,
  replacedItem,
  settingsOf,
  start,
  web,
} from '../core/examples.ts';
import { deploy } from './machine.ts';
import { testRule, World } from './world.ts';

type Hook = Pick<HookSettings, 'name' | 'stage'> & Partial<HookSettings>;
const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:smoke';
const withHooks = (...hooks: Hook[]) =>
  settingsOf({ hooks: hooks.map((hook) => ({ function: arn, ...hook })) });

let world: World;
beforeEach(() => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
});

/** What hooks say as soon as they are asked, by name; those not named never answer. */
function answers(says: Readonly<Record<string, 'pass' | 'fail'>>, asked: string[] = []): void {
  world.onCall = () => {
    for (const { key, hook, answer } of world.item.hooks) {
      if (!asked.includes(key)) asked.push(key);
      const verdict = says[hook];
      if (answer !== null || verdict === undefined) continue;
      const next = { verdict, reason: 'as told', at: world.time };
      const hooks = world.item.hooks.map((each) => (each.key === key ? { ...each, answer: next } : each));
      world.item = { ...world.item, version: world.item.version + 1, hooks };
    }
  };
}

async function deployed(...hooks: Hook[]): Promise<Plan> {
  world.settings = withHooks(...hooks);
  const plan = await world.plan(pushOf(2));
  await deploy(world, plan, 0);
  return plan;
}

const rules = () => world.trace.filter((each) => each.startsWith('rule'));

describe('a deployment', () => {
  it('asks one stage after the other, each step its own, and goes live when all let it', async () => {
    const asked: string[] = [];
    answers({ warm: 'pass', smoke: 'pass', look: 'pass' }, asked);
    const plan = await deployed(
      { name: 'smoke', stage: 'testTraffic' },
      { name: 'warm', stage: 'launched' },
      { name: 'look', stage: 'step' },
      { name: 'tell', stage: 'promoted' },
      { name: 'undo', stage: 'restoring' },
    );
    expect(world.item).toMatchObject({ live: { name: 'web-g0002' } });
    const steps = plan.steps.map((_, index) => `web-g0002-d2/step/${index}/look`);
    expect(asked).toEqual([
      'web-g0002-d2/launched/warm',
      'web-g0002-d2/testTraffic/smoke',
      ...steps,
      'web-g0002-d2/promoted/tell',
    ]);
  });

  it.each<[string, Hook, Readonly<Record<string, 'pass' | 'fail'>>, string]>([
    [
      'a refusal before traffic',
      { name: 'smoke', stage: 'testTraffic' },
      { smoke: 'fail' },
      'web-g0002 gets no traffic: the hook smoke refused: as told',
    ],
    [
      'no answer before traffic',
      { name: 'smoke', stage: 'launched', deadlineSeconds: 60 },
      {},
      'web-g0002 gets no traffic: the hook smoke did not answer until ',
    ],
    [
      'a refusal at a step',
      { name: 'look', stage: 'step' },
      { look: 'fail' },
      'the hook look refused: as told',
    ],
    [
      'no answer at a step',
      { name: 'look', stage: 'step', deadlineSeconds: 60 },
      {},
      'the hook look did not answer until ',
    ],
  ])('goes back for %s, and tells those who undo', async (_, hook, says, reason) => {
    answers(says);
    await deployed(hook, { name: 'undo', stage: 'restoring' });
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, deployment: { outcome: 'restored' } });
    expect(world.item.deployment?.reason).toContain(reason);
    expect(world.item.hooks.at(-1)).toMatchObject({ hook: 'undo', answer: null });
    expect(rules().length > 0).toBe(hook.stage === 'step');
  });

  it.each<Readonly<Record<string, 'pass' | 'fail'>>>([{ smoke: 'fail', look: 'fail' }, {}])(
    'goes on for what is only to be told, once it is told or late: %o',
    async (says) => {
      answers(says);
      await deployed(
        { name: 'smoke', stage: 'launched', onFailure: 'warn', deadlineSeconds: 30 },
        { name: 'look', stage: 'step', onFailure: 'warn', deadlineSeconds: 30 },
      );
      expect(world.item.live?.name).toBe('web-g0002');
    },
  );

  it('asks nobody while it goes back to what was proven, and tells when it has', async () => {
    world.item = replacedItem();
    world.rule = world.item.weights!;
    world.live(generationOf(2, green));
    world.time = start + 600_000;
    world.settings = withHooks(
      { name: 'smoke', stage: 'launched' },
      { name: 'look', stage: 'step' },
      { name: 'tell', stage: 'promoted' },
    );
    const { plan } = await planRollback(
      { service: 'web', execution: { arn: execution('rollback'), redrives: 0 } },
      world.ports,
    );
    await deploy(world, { ...plan!, settings: serviceSettings.parse(world.settings) }, 0);
    expect(world.item.hooks.map(({ hook }) => hook)).toEqual(['tell']);
    expect(world.item.live?.name).toBe('web-g0001');
  });

  it('does not wait for a hook any more when somebody ends it', async () => {
    world.onCall = () => {
      if (world.item.hooks.length === 0 || world.item.deployment?.latch.abort != null) return;
      const abort = { by: 'ann', reason: 'no', at: world.time };
      const { deployment } = world.item;
      world.item = {
        ...world.item,
        version: world.item.version + 1,
        deployment: { ...deployment!, latch: { ...deployment!.latch, abort } },
      };
    };
    await deployed({ name: 'smoke', stage: 'launched', deadlineSeconds: 43_200 });
    expect(world.item.deployment?.turned?.error).toBe('Cutover.Aborted');
  });
});

describe('a test listener', () => {
  const tested = async (says: 'pass' | 'fail') => {
    const given = withHooks({ name: 'smoke', stage: 'testTraffic' });
    world.settings = { ...given, traffic: { ...given.traffic, testRule } };
    const seen: unknown[] = [];
    answers({ smoke: says });
    const happens = world.onCall;
    world.onCall = (call, when) => {
      if (world.item.hooks.length > 0) seen.push({ ...world.testRule });
      happens(call, when);
    };
    await deploy(world, await world.plan(pushOf(2)), 0);
    return seen[0];
  };

  it('leads to the new generation when its hooks are asked, and stays with it when it is live', async () => {
    expect(await tested('pass')).toEqual({ blue: 0, green: 100, red: 0 });
    expect(world.testRule).toMatchObject({ green: 100 });
    expect(world.item.live?.slot).toBe('green');
  });

  it('leads to what is live again when the new one goes', async () => {
    await tested('fail');
    expect(world.testRule).toMatchObject({ blue: 100, green: 0 });
  });
});

it('a test listener leads to what is live before the generation that a rollback left is ended', async () => {
  world.item = replacedItem();
  world.rule = world.item.weights!;
  world.testRule = world.rule;
  world.live(generationOf(2, green));
  world.time = start + 600_000;
  world.settings = { ...settingsOf(), traffic: { ...settingsOf().traffic, testRule } };
  const run = { arn: execution('rollback'), redrives: 0 };
  const { plan } = await planRollback({ service: 'web', execution: run }, world.ports);
  await deploy(world, plan!, 0);
  world.time = world.item.retained[0]!.until + 1;
  const { retired } = await retire({ service: web, execution: execution('retire') }, world.ports);
  expect(retired).toEqual(['web-g0002']);
  expect(world.testRule).toMatchObject({ blue: 100, green: 0 });
});

describe('the hook of a step', () => {
  const withoutHooks = {
    kind: 'custom',
    steps: [{ weightPercent: 100, bakeSeconds: 60, gates: ['alarms'] }],
  };
  const baking = async (changes: Partial<Hook> = {}): Promise<Plan> => {
    world.settings = withHooks({ name: 'look', stage: 'step', ...changes });
    const plan = await world.plan(pushOf(2));
    await launch({ plan }, world.ports);
    await shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports);
    world.item = { ...world.item, wait: { token: 'bake', for: 'bake', deadline: null, entered: 1 } };
    return plan;
  };
  const key = 'web-g0002-d2/step/0/look';
  const answer = (verdict: 'pass' | 'fail') =>
    signal({ service: 'web', signal: 'answer', key, verdict, reason: 'slow pages' }, world.ports);

  it('extends the bake while it has not answered', async () => {
    const plan = await baking();
    const judged = () => judge({ plan, deadline: world.time, due: world.time }, world.ports);
    await expect(judged()).rejects.toThrow('the hook look has not answered yet');
    await answer('pass');
    await expect(judged()).resolves.toMatchObject({ verdict: 'pass' });
  });

  it('does not turn it back in the end when it may only warn, however long it may take', async () => {
    const plan = await baking({ onFailure: 'warn', deadlineSeconds: 43_200 });
    const due = world.time - plan.settings.extendSeconds * 1_000;
    await expect(judge({ plan, deadline: due, due }, world.ports)).resolves.toMatchObject({
      verdict: 'pass',
    });
  });

  it('is not asked at a step whose gates it is not', async () => {
    world.settings = { ...withHooks({ name: 'look', stage: 'step' }), strategy: withoutHooks };
    const plan = await world.plan(pushOf(2));
    await launch({ plan }, world.ports);
    await shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports);
    expect(world.item.hooks).toEqual([]);
  });

  it('ends the wait at once when it refuses, and has it looked at when it lets it go on', async () => {
    await baking();
    await answer('fail');
    expect(world.ended).toEqual([
      { token: 'bake', how: 'Cutover.GateFailed', cause: 'the hook look refused: slow pages' },
    ]);
    // The first answer counts.
    expect((await answer('pass')).remarks[0]).toContain('known before');
  });

  it('says nothing to a key that nobody was given', async () => {
    await baking();
    expect(
      (await signal({ service: 'web', signal: 'answer', key: 'x', verdict: 'fail' }, world.ports)).remarks,
    ).toEqual(['web-g0002-d2: no hook is asked as x; to be answered: web-g0002-d2/step/0/look']);
  });
});

describe('a generation that is to be ended', () => {
  const due = async (deadlineSeconds = 60): Promise<void> => {
    await deployed({ name: 'handover', stage: 'draining', deadlineSeconds });
    world.time = world.item.retained[0]!.until + 1;
  };
  const retired = () => retire({ service: web, execution: execution('retire') }, world.ports);

  it('stays until its hook has handed over, which is asked once', async () => {
    await due();
    expect(await retired()).toMatchObject({ retired: [], next: new Date(world.time + 15_000).toISOString() });
    world.time += 15_000;
    await retired();
    expect(world.item.hooks).toMatchObject([{ key: 'web-g0001/draining/handover', generation: 'web-g0001' }]);
    answers({ handover: 'pass' });
    world.time += 15_000;
    expect(await retired()).toMatchObject({ retired: ['web-g0001'] });
  });

  it('is looked at ever more rarely, for an execution has a finite history', async () => {
    await due(43_200);
    let visits = 0;
    for (let next: string | null = ''; next !== null; visits++) {
      ({ next } = await retired());
      if (next !== null) world.time = Date.parse(next);
    }
    expect(visits).toBeLessThan(100);
    expect(world.fleets.has('web-g0001')).toBe(false);
  });

  it('holds a slot that a push waits for', async () => {
    await due();
    await retired();
    const settings = settingsOf({ whenBusy: 'queueLatest' }, ['blue', 'green']);
    const offer = offerOf(pushOf(3), { settings, weights: world.rule, now: world.time });
    expect(admit(world.item, offer).admission).toMatchObject({ admission: 'queued' });
  });

  it('is told of whole, whichever deployment replaced it', async () => {
    await due();
    await deploy(world, await world.plan(pushOf(3)), 0);
    const before = world.item;
    await retired();
    await announce({ before, after: world.item }, world.ports);
    expect(world.hookCalls.map(({ input }) => input)).toMatchObject([
      { generation: { name: 'web-g0001', slot: 'blue', digest: pushOf(1).digest } },
    ]);
  });

  it('is told anew when it was gone back to in between', async () => {
    await due(600);
    await retired();
    const run = { arn: execution('rollback'), redrives: 0 };
    const { plan } = await planRollback({ service: 'web', execution: run }, world.ports);
    await deploy(world, plan!, 0);
    expect(world.item).toMatchObject({ live: { name: 'web-g0001' }, hooks: [] });
  });

  it('is ended when its hook used up its time', async () => {
    await due(20);
    await retired();
    world.time += 20_000;
    expect(await retired()).toMatchObject({ retired: ['web-g0001'] });
  });
});

describe('what is asked', () => {
  it('is called with what it is about, and again with the same key when the record comes twice', async () => {
    world.settings = withHooks({ name: 'smoke', stage: 'testTraffic', retries: 1 });
    const plan = await world.plan(pushOf(2));
    await launch({ plan }, world.ports);
    const before = world.item;
    await expect(
      shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports),
    ).rejects.toThrow('web-g0002 gets no traffic yet: the hook smoke has not answered yet');
    for (let time = 0; time < 2; time++) await announce({ before, after: world.item }, world.ports);
    await announce({ before: world.item, after: { ...world.item, version: 99 } }, world.ports);
    const key = 'web-g0002-d2/testTraffic/smoke';
    expect(world.hookCalls.map((call) => call.key)).toEqual([key, key]);
    expect(world.hookCalls[0]).toEqual({
      service: 'web',
      key,
      function: arn,
      retries: 1,
      until: world.time + 300_000,
      input: {
        schema: 1,
        key,
        hook: 'smoke',
        stage: 'testTraffic',
        service: 'web',
        deployment: 'web-g0002-d2',
        direction: 'forward',
        generation: { name: 'web-g0002', slot: 'green', image: 'shop/web:v2', digest: pushOf(2).digest },
        replaces: { name: 'web-g0001', slot: 'blue', image: 'shop/web:v1', digest: pushOf(1).digest },
        weightPercent: null,
        testTraffic: { header: 'x-cutover-slot', value: 'web-green' },
        deadline: new Date(world.time + 300_000).toISOString(),
      },
    });
  });
});

it('what nobody answered in time is not kept for ever', async () => {
  await deployed({ name: 'tell', stage: 'promoted', deadlineSeconds: 60 });
  world.time += 100_000;
  await deploy(world, await world.plan(pushOf(3)), 0);
  expect(world.item.hooks).toMatchObject([{ deployment: 'web-g0003-d3' }]);
});

describe('a hook that says nothing', () => {
  it('is told when its time is over, though nobody waited for it', async () => {
    await deployed({ name: 'tell', stage: 'promoted', deadlineSeconds: 60 });
    const before = world.item;
    await sweep(world.ports);
    expect(world.item.hooks).toMatchObject([{ answer: null }]);
    world.time += 60_000;
    await sweep(world.ports);
    expect(chaptersOf(before, world.item)).toMatchObject([
      {
        kind: 'hookFailed',
        reason: expect.stringContaining('the hook tell refused (promoted): it did not answer until '),
      },
    ]);
  });

  it('because AWS refuses to call it keeps no message', async () => {
    world.settings = withHooks({ name: 'smoke', stage: 'launched' });
    const plan = await world.plan(pushOf(2));
    const { launch } = await import('../../functions/steps/launch.ts');
    await launch({ plan }, world.ports);
    const before = world.item;
    await shift({ direction: 'forward', plan, step: plan.steps[0]!, index: 0 }, world.ports).catch(() => {});
    const refuse = () => Promise.reject(new CutoverError('Cutover.AwsRefused', 'denied'));
    const denied = { begin: refuse, drain: refuse };
    const change = { before, after: { ...world.item, waiver: { by: 'ann', reason: 'x', at: 1 } } };
    expect(await announce(change, { ...world.ports, hooks: denied })).toEqual(['denied']);
    expect(world.told.map(({ kind }) => kind)).toEqual(['waived']);
  });
});

describe('a hook that is called', () => {
  const key = 'web-g0002-d2/launched/smoke';
  const run = async (says: readonly unknown[], changes: object = {}) => {
    const left = [...says];
    const slept: number[] = [];
    world.item = {
      ...liveItem(),
      hooks: [
        {
          key,
          hook: 'smoke',
          stage: 'launched',
          step: null,
          deployment: 'web-g0002-d2',
          generation: 'web-g0002',
          until: world.time + 60_000,
          answer: null,
        },
      ],
    };
    const call = {
      service: web,
      key,
      function: arn,
      input: {},
      retries: 2,
      until: world.time + 60_000,
      ...changes,
    };
    await runHook(call, {
      ...world.ports,
      functions: {
        call: async () => {
          const next = left.shift();
          if (next instanceof Error) throw next;
          return next;
        },
      },
      sleep: async (ms) => {
        slept.push(ms);
        world.time += ms;
      },
    });
    return { answer: world.item.hooks[0]?.answer ?? null, left, slept };
  };
  const down = new CutoverError('Cutover.AwsUnavailable', 'it took too long');

  it.each<[string, readonly unknown[], object, object | null]>([
    ['passes', [{ verdict: 'pass' }], {}, { verdict: 'pass' }],
    ['refuses', [{ verdict: 'fail', reason: 'no pages' }], {}, { verdict: 'fail', reason: 'no pages' }],
    ['answers later', [{ verdict: 'later' }], {}, null],
    [
      'answers nonsense',
      ['ok'],
      {},
      { verdict: 'fail', reason: expect.stringContaining('none of {"verdict":"pass"}') },
    ],
    ['fails, then passes', [down, { verdict: 'pass' }], {}, { verdict: 'pass' }],
    ['fails each time', [down, down, down], {}, { verdict: 'fail', reason: 'it took too long' }],
    [
      'may not be called',
      [new CutoverError('Cutover.AwsRefused', 'denied')],
      {},
      { verdict: 'fail', reason: 'denied' },
    ],
  ])('and %s', async (_, says, changes, expected) => {
    const { answer, left } = await run(says, changes);
    expect({ answer }).toMatchObject({ answer: expected });
    expect(left).toEqual([]);
  });

  it('is not called again past its deadline', async () => {
    const { slept, left } = await run([down, down, { verdict: 'pass' }], { until: world.time + 1_500 });
    expect([slept, left]).toEqual([[1_000], [{ verdict: 'pass' }]]);
  });
});

describe('settings', () => {
  it.each<[string, object[], string]>([
    [
      'two hooks of one name',
      [
        { name: 'a', stage: 'step' },
        { name: 'a', stage: 'launched' },
      ],
      "hooks/1/name: is another hook's already: a",
    ],
    [
      'a way back from what nothing waits for',
      [{ name: 'a', stage: 'promoted', onFailure: 'goBack' }],
      'hooks/0/onFailure: cannot go back',
    ],
    ['a name that is none', [{ name: 'A', stage: 'step' }], 'hooks/0/name: must be 1 to 30'],
  ])('refuse %s', (_, hooks, words) => {
    const parsed = parse(serviceSettings, {
      ...settingsOf(),
      hooks: hooks.map((hook) => ({ function: arn, ...hook })),
    });
    expect(parsed.ok ? [] : parsed.mistakes.join('; ')).toContain(words);
  });
});
