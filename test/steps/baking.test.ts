/** What a bake is judged by beside health and alarms: the comparison, metrics, and a person's approval. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { CutoverError, ErrorName } from '../../functions/core/errors.ts';
import type { SlotMinute } from '../../functions/core/gates/comparison.ts';
import type { Chapter } from '../../functions/core/messages/chapter.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { awaitInput, awaitSignal } from '../../functions/steps/await-signal.ts';
import { judge } from '../../functions/steps/judge.ts';
import { launch } from '../../functions/steps/launch.ts';
import { shift } from '../../functions/steps/shift.ts';
import { signal } from '../../functions/steps/signal.ts';
import { generationOf, green, liveItem, pushOf, settingsOf, start } from '../core/examples.ts';
import { World } from './world.ts';

const minute = 60_000;
const named = (name: ErrorName) => expect.objectContaining({ name }) as CutoverError;
const whole = { weightPercent: 100, bakeSeconds: 300 };
const withStep = (step: object, changes: object = {}) =>
  settingsOf({
    strategy: { kind: 'custom', steps: [{ weightPercent: 10, bakeSeconds: 300, ...step }, whole] },
    extendSeconds: 600,
    ...changes,
  });

let world: World;
let plan: Plan;
/** When the bake is over. */
let due: number;

/** Live, and the next one baking at 10 %. */
async function baking(settings: unknown, index = 0): Promise<void> {
  world.settings = settings;
  plan = await world.plan(pushOf(2));
  await launch({ plan }, world.ports);
  for (let at = 0; at <= index; at++)
    await shift({ direction: 'forward', plan, step: plan.steps[at]!, index: at }, world.ports);
  world.written();
  due = world.time + 300_000;
  world.time = due;
}

/** What people are told of it. */
async function told(act: () => Promise<unknown>): Promise<readonly Chapter[]> {
  const before = world.item;
  await act();
  return chaptersOf(before, world.item);
}

const judged = () => judge({ plan, deadline: world.time, due }, world.ports);
const look = (changes: object = {}) =>
  awaitSignal(
    awaitInput.parse({
      plan,
      for: 'bake',
      deadline: world.time + 600_000,
      due,
      asking: false,
      recheckSeconds: 75,
      token: 'token',
      entered: world.time,
      ...changes,
    }),
    world.ports,
  );

beforeEach(() => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
});

describe('a comparison', () => {
  const counts = (requests: number, failed: number, slow: number) => ({
    requests,
    good: requests - failed,
    bad: failed,
    timed: requests,
    slow,
  });
  /** In each minute: the old generation as it always was, the new one with so many failures and slow answers. */
  const answers = (failed: number, slow: number, requests = 300) => {
    world.answers = (slot, { from, to }): readonly SlotMinute[] =>
      Array.from({ length: (to - from) / minute }, (_, index) => ({
        at: from + index * minute,
        ...(slot === green ? counts(requests, failed, slow) : counts(2_700, 0, 270)),
      }));
  };
  const compared = () => withStep({}, { comparison: {} });

  it('that finds nothing lets it pass once there are enough requests, and says how many those were', async () => {
    await baking(compared());
    answers(0, 30, 1_500);
    await expect(judged()).resolves.toEqual({
      verdict: 'pass',
      words: [expect.stringMatching(/^3,000 of 1,\d{3} requests to web-g0002 that it takes/)],
    });
  });

  it('bakes on while there are too few, and passes when they have come', async () => {
    await baking(compared());
    answers(0, 30);
    await expect(judged()).rejects.toThrow(named('Cutover.Inconclusive'));
    world.time += 5 * minute;
    await expect(judged()).resolves.toMatchObject({ verdict: 'pass' });
  });

  it.each(['fail', 'pass'] as const)(
    'with too few at the last comes to what its policy says: %s',
    async (fewRequests) => {
      await baking(withStep({}, { comparison: { fewRequests } }));
      world.time += 599_999;
      await expect(judged()).rejects.toThrow(named('Cutover.Inconclusive'));
      world.time += 1;
      const said = await judged().then(
        ({ verdict }) => verdict,
        (failure: unknown) => String(failure),
      );
      const words =
        'web-g0002 could not be shown to be good, 600 s after its bake was over: too few to compare: 0 of ';
      expect(said).toContain(fewRequests === 'pass' ? 'pass' : words);
    },
  );

  it('that finds it worse ends the bake at the next look, and the judge says the same', async () => {
    await baking(compared());
    answers(15, 30);
    await look();
    const words = 'more requests to web-g0002 failed: 30 of 600 (5 %)';
    expect(world.ended).toMatchObject([{ how: 'Cutover.GateFailed', cause: expect.stringContaining(words) }]);
    await expect(judged()).rejects.toThrow(words);
  });

  it('finds a slower one by time alone', async () => {
    await baking(compared());
    answers(0, 75);
    await expect(judged()).rejects.toThrow('were slow: 150 of 600 (25 %)');
  });

  it('that cannot be read is tried again, and is no yes', async () => {
    await baking(compared());
    world.fail('requests.slotMinutes');
    await expect(judged()).rejects.toThrow(named('Cutover.AwsUnavailable'));
  });

  it.each([
    ['at 100 %', withStep({}, { comparison: {} }), 1],
    [
      'at a step that leaves it out',
      withStep(
        { gates: ['alarms'], bakeSeconds: 60 },
        {
          comparison: {},
          strategy: {
            kind: 'custom',
            steps: [
              { weightPercent: 10, bakeSeconds: 60, gates: ['alarms'] },
              { weightPercent: 50, bakeSeconds: 300 },
              whole,
            ],
          },
        },
      ),
      0,
    ],
    ['where none is declared', withStep({}), 0],
  ])('is not asked %s', async (_, settings, index) => {
    await baking(settings, index);
    world.fail('requests.slotMinutes');
    world.fail('requests.slowTime');
    await expect(judged()).resolves.toEqual({ verdict: 'pass', words: [] });
  });
});

describe('a metric', () => {
  const depth = (kind: string, missing = 'wait') =>
    withStep(
      {},
      {
        metrics: [
          {
            name: 'queue',
            metrics: [{ id: 'm', namespace: 'Shop', metricName: 'Depth', stat: 'Average' }],
            limit: { kind, value: 2 },
            missing,
          },
        ],
      },
    );

  it('above its limit fails, at a look and before the judge', async () => {
    await baking(depth('atMost'));
    world.metrics.set('queue web-g0002', [3]);
    await look();
    expect(world.ended).toMatchObject([
      { how: 'Cutover.GateFailed', cause: 'queue is 3, and may be 2 at most' },
    ]);
    await expect(judged()).rejects.toThrow(named('Cutover.GateFailed'));
  });

  it('is held to the old generation over the same minutes where the limit says so', async () => {
    await baking(depth('atMostTimesOld'));
    world.metrics.set('queue web-g0002', [300]);
    world.metrics.set('queue web-g0001', [200]);
    await expect(judged()).resolves.toMatchObject({ verdict: 'pass' });
    world.metrics.set('queue web-g0001', [100]);
    await expect(judged()).rejects.toThrow(
      "queue is 300, and may be 200, 2 × the old generation's 100 at most",
    );
  });

  it('without a value is waited for, and never passes by that', async () => {
    await baking(depth('atMost'));
    await expect(judged()).rejects.toThrow(named('Cutover.Inconclusive'));
    world.time += 600_000;
    await expect(judged()).rejects.toThrow('queue has no value for the new generation yet');
  });
});

describe('a step that pauses', () => {
  const approve = (deployment?: string) =>
    signal(
      {
        service: 'web',
        signal: 'approve',
        by: 'ann',
        reason: 'looks good',
        ...(deployment && { deployment }),
      },
      world.ports,
    );

  it('is not left without an approval, asks for it once, and reminds', async () => {
    await baking(withStep({ pause: true }));
    await expect(judged()).rejects.toThrow(named('Cutover.AwaitsApproval'));
    const until = world.time + 86_400_000;
    const chapters: Chapter[] = [];
    for (const minutes of [0, 1, 6, 0]) {
      world.time += minutes * minute;
      chapters.push(...(await told(() => look({ asking: true, deadline: until }))));
      await expect(judged()).rejects.toThrow(named('Cutover.AwaitsApproval'));
    }
    expect(chapters.map(({ kind }) => kind)).toEqual(['paused', 'reminded']);
    expect(messageOf(chapters[0]!).text).toContain(
      'web: web-g0002 waits for your approval to go on\nWhy: web-g0002 has baked at 10 % and the gates have nothing against it; they go on watching. To go on invoke the signal function with {"service":"web","signal":"approve","deployment":"web-g0002-d2","by":"you","reason":"why"}; to go back, with {"service":"web","signal":"abort"',
    );
  });

  it('is left by one, which ends the wait at once and is told', async () => {
    await baking(withStep({ pause: true }));
    await look({ asking: true, deadline: world.time + 86_400_000 });
    const chapters = await told(() => approve(plan.deployment));
    expect(chapters).toMatchObject([{ kind: 'approved', reason: 'ann: looks good' }]);
    expect(world.ended).toMatchObject([
      { token: 'token', how: 'Cutover.Woken', cause: 'ann approved: looks good' },
    ]);
    await look({ asking: true, deadline: world.time + 86_400_000, token: 'next' });
    expect(world.ended.at(-1)).toMatchObject({ token: 'next', how: 'success' });
    await expect(judged()).resolves.toMatchObject({ verdict: 'pass' });
  });

  it('by one that came early is left when its bake is over, not before', async () => {
    await baking(withStep({ pause: true }));
    world.time -= 10_000;
    await approve();
    await look({ deadline: due });
    expect(world.ended.at(-1)?.how).not.toBe('success');
    await expect(judge({ plan, deadline: due, due }, world.ports)).rejects.toThrow(named('Cutover.NotYet'));
    world.time = due;
    await expect(judged()).resolves.toMatchObject({ verdict: 'pass' });
  });

  it('goes back when nobody approves in time, and for a gate that turns red while it waits', async () => {
    await baking(withStep({ pause: true }));
    await look({ asking: true, deadline: world.time + 86_400_000 });
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1' }];
    await look({ asking: true, deadline: world.time + 86_400_000, token: 'red' });
    expect(world.ended.at(-1)).toMatchObject({ token: 'red', how: 'Cutover.AlarmRed' });
    world.alarmStates = [{ name: 'web-errors', state: 'OK', reason: '' }];
    world.time += 86_400_000;
    await expect(judged()).rejects.toThrow('nobody approved of web-g0002 until ');
  });

  it.each([
    [
      'another deployment',
      withStep({ pause: true }),
      'web-g0002-d9',
      'web-g0002-d9 is not the deployment that runs',
    ],
    ['a step that needs none', withStep({}), undefined, 'web-g0002-d2: needs no approval to go on from 10 %'],
  ])('an approval of %s changes nothing', async (_, settings, deployment, remark) => {
    await baking(settings);
    const before = world.item;
    expect(await approve(deployment)).toMatchObject({ remarks: [expect.stringContaining(remark)] });
    expect(world.item).toBe(before);
  });
});

describe('an alarm that was red when the deployment began', () => {
  const excusing = () => settingsOf({ alarmPolicy: { redAtStart: 'ignore' } });

  it('does not end the bake while it stays so, and does when it turns red again', async () => {
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '5 > 1', since: start }];
    await baking(excusing());
    await expect(judged()).resolves.toMatchObject({ verdict: 'pass' });
    world.alarmStates = [{ name: 'web-errors', state: 'ALARM', reason: '6 > 1', since: world.time }];
    await expect(judged()).rejects.toThrow('the alarm web-errors is red: 6 > 1');
  });
});
