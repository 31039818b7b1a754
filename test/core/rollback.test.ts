/** Where an order to go back leads, and when it leads nowhere. */
import { describe, expect, it } from 'vitest';
import { promoted, restored, retiring } from '../../functions/core/deployment/course.ts';
import { admitRollback, rollbackOrder, waysBack } from '../../functions/core/deployment/rollback.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { parse } from '../../functions/core/parse.ts';
import {
  admitted,
  blue,
  digestOf,
  ended,
  execution,
  generationOf,
  goingBack,
  green,
  liveItem,
  orderOf,
  red,
  replacedItem,
  retainedOf,
  settingsOf,
  start,
  weightsOf,
} from './examples.ts';

const hold = (number: number): ServiceItem['held'][number] => ({
  digest: digestOf(number),
  generation: generationOf(number).name,
  by: 'ann',
  reason: 'slow',
  at: start,
});

/** Generation 5 is live in green; 1 to 4 were proven, 4 is kept warm in blue, 3 is held. */
const long = replacedItem({
  lastGeneration: 5,
  live: generationOf(5, green),
  retained: [retainedOf(generationOf(4), start + 3_600_000)],
  proven: [1, 2, 3, 4, 5].map((number) => generationOf(number, number === 5 ? green : blue)),
  held: [hold(3)],
});

function refusalOf(item: ServiceItem, offer = orderOf()): string {
  const decided = admitRollback(item, offer);
  expect(decided.admission).toMatchObject({ admission: 'rejected', plan: null, notBefore: null });
  const { reason } = decided.admission;
  expect(decided.item).toEqual({
    ...item,
    intake: expect.objectContaining({ admission: 'rejected', reason }),
  });
  return reason;
}

describe('an order to go back', () => {
  it('goes to the generation that is kept warm, at once, in its own slot', () => {
    const { item, plan } = goingBack();
    expect(plan).toMatchObject({
      deployment: 'web-g0001-d3',
      fence: 3,
      direction: 'back',
      kept: true,
      copyOf: null,
      from: { name: 'web-g0002' },
      to: { name: 'web-g0001', slot: 'blue' },
      weightsBefore: weightsOf({ green: 100 }),
    });
    expect(plan.steps).toMatchObject([
      { weightPercent: 100, bakeSeconds: 0, weights: weightsOf({ blue: 100 }), pause: false },
    ]);
    expect(item).toMatchObject({
      fence: 3,
      lastGeneration: 2,
      owner: { execution: execution('rollback') },
      deployment: { order: { by: 'ann', reason: 'slow' }, push: null, outcome: null },
      intake: { admission: 'admitted', reason: 'back to web-g0001 (shop/web:v1), by ann: slow' },
    });
    expect(item.retained).toEqual(replacedItem().retained);
  });

  it('launches anew what is gone, like it was, under a new number in a free slot', () => {
    const { item, plan } = goingBack(replacedItem({ retained: [] }));
    expect(plan).toMatchObject({
      kept: false,
      copyOf: generationOf(1),
      to: { name: 'web-g0003', slot: 'blue', tag: 'v1', digest: digestOf(1) },
    });
    expect(item.lastGeneration).toBe(3);
    expect(item.intake?.reason).toContain('launched anew');
  });

  it('may go by a strategy of its own', () => {
    const strategy = { kind: 'canary', canaryPercent: 20, canaryBakeSeconds: 30, bakeSeconds: 60 };
    expect(goingBack(replacedItem(), orderOf({ strategy })).plan.steps.map(({ weights }) => weights)).toEqual(
      [weightsOf({ blue: 20, green: 80 }), weightsOf({ blue: 100 })],
    );
  });

  it('is planned once: a repeat in the same execution returns the same plan and changes nothing', () => {
    const { item, plan } = goingBack();
    const again = admitRollback(
      item,
      orderOf({}, { now: start + 9_999_999, weights: weightsOf({ red: 1 }) }),
    );
    expect(again.item).toBe(item);
    expect(again.admission).toMatchObject({ admission: 'admitted', plan });
  });

  it.each([
    ['before any deployment was noted', replacedItem()],
    ['after a deployment', ended().item],
  ])('is tried again while a generation is being retired %s', (_, item) => {
    const held = retiring(item, execution('retire'), start);
    expect(() => admitRollback(held, orderOf())).toThrow(expect.objectContaining({ name: 'Cutover.Busy' }));
  });
});

describe('an order names', () => {
  it.each<[string, string | number, string]>([
    ['a number', 4, 'web-g0004'],
    ['a number in words', '4', 'web-g0004'],
    ['a short name', 'g4', 'web-g0004'],
    ['a name', 'web-g0002', 'web-g0002'],
    ['a tag', 'v1', 'web-g0001'],
    ['a digest', digestOf(2), 'web-g0002'],
  ])('%s', (_, to, name) => {
    const { plan } = goingBack(long, orderOf({ to }));
    expect((plan.copyOf ?? plan.to).name).toBe(name);
  });

  it('a tag rather than a number, when a tag looks like one', () => {
    const tagged = { ...generationOf(1), tag: '4' };
    const item = { ...long, proven: [tagged, ...long.proven.slice(1)] };
    expect(goingBack(item, orderOf({ to: '4' })).plan.copyOf?.name).toBe('web-g0001');
    expect(goingBack(item, orderOf({ to: 4 })).plan.to.name).toBe('web-g0004');
  });

  it('the one that was live last, when several had the tag', () => {
    const proven = long.proven.map((each) => ({ ...each, tag: each.number === 5 ? 'v5' : 'stable' }));
    const item = { ...long, proven, live: proven[4]! };
    expect(goingBack(item, orderOf({ to: 'stable' })).plan.to.name).toBe('web-g0004');
  });

  it.each([
    ['no service', {}, ['service']],
    ['an impossible service', { service: 'Web!' }, ['service']],
    ['no name', { service: 'web', by: '' }, ['by']],
    ['a generation below 1', { service: 'web', to: 0 }, ['to']],
    ['endless words', { service: 'web', reason: 'x'.repeat(501) }, ['reason']],
    ['a member that is not known', { service: 'web', image: 'v1' }, ['(the whole)']],
    [
      'mistakes in several places',
      { service: 'web', by: 1, strategy: { kind: 'linear', stepPercent: 1 } },
      ['by', 'strategy/stepPercent', 'strategy/stepBakeSeconds', 'strategy/bakeSeconds'],
    ],
  ])('every mistake when it has %s', (_, given, paths) => {
    const parsed = parse(rollbackOrder, given);
    expect(!parsed.ok && parsed.mistakes.map((mistake) => mistake.split(': ')[0])).toEqual(paths);
  });
});

describe('one can go back to', () => {
  it('what was proven, the one that was live last first: never to what is live or held', () => {
    expect(waysBack(long).map(({ number }) => number)).toEqual([4, 2, 1]);
    expect(goingBack(long).plan.to.name).toBe('web-g0004');
  });

  it('nothing that only ran, and never to the one before merely because it was before', () => {
    const item = { ...long, retained: [], proven: [generationOf(1), generationOf(5, green)] };
    expect(goingBack(item).plan.copyOf?.name).toBe('web-g0001');
    expect(refusalOf(item, orderOf({ to: 4 }))).toBe(
      '4 is no generation of web that was proven good. One can go back to: web-g0001 (shop/web:v1)',
    );
  });

  it('another image, unless the same one is named: it would mend nothing', () => {
    const same = { ...generationOf(4), digest: digestOf(5) };
    const item = { ...long, proven: [generationOf(2), same, generationOf(5, green)], retained: [] };
    expect(goingBack(item).plan.copyOf?.name).toBe('web-g0002');
    expect(goingBack(item, orderOf({ to: 4 })).plan.copyOf?.name).toBe('web-g0004');
    expect(refusalOf({ ...item, proven: [same] })).toBe(
      'web has no other image that was proven good and may be gone back to. One can go back to: web-g0004 (shop/web:v4)',
    );
  });
});

describe('an order is refused', () => {
  const free = weightsOf({ green: 100 });
  it.each<[string, ServiceItem, ReturnType<typeof orderOf>, string]>([
    [
      'while a deployment runs, and says how to stop it',
      admitted().item,
      orderOf({}, { weights: weightsOf({ blue: 100 }) }),
      `web-g0002-d2 holds the service. To end it now, invoke the signal function with {"service":"web","signal":"abort","by":"…"}: it goes back by itself. It runs as ${execution('event-2')}`,
    ],
    [
      'when nothing is live',
      liveItem({ live: null }),
      orderOf(),
      'web has no live generation that one could go back from',
    ],
    [
      'when nothing else was proven',
      replacedItem({ proven: [generationOf(2, green)] }),
      orderOf(),
      'web has no other image that was proven good and may be gone back to. One can go back to: none',
    ],
    [
      'when all else is held, and says how to release it',
      replacedItem({
        held: [
          {
            digest: generationOf(1).digest,
            generation: generationOf(1).name,
            by: 'ann',
            reason: 'slow',
            at: start,
          },
        ],
      }),
      orderOf(),
      'web has no other image that was proven good and may be gone back to. One can go back to: none. Held since a rollback left them, until released by the signal {"service":"web","signal":"release","by":"…"}: web-g0001 (shop/web:v1)',
    ],
    [
      'to what is live',
      long,
      orderOf({ to: 'v5' }),
      'web-g0005 (shop/web:v5) is live already. One can go back to: web-g0004 (shop/web:v4), web-g0002 (shop/web:v2), web-g0001 (shop/web:v1)',
    ],
    [
      'to what is not known, with what is',
      replacedItem(),
      orderOf({ to: 'v9' }),
      'v9 is no generation of web that was proven good. One can go back to: web-g0001 (shop/web:v1)',
    ],
    [
      'to what is held, and says how to release it',
      long,
      orderOf({ to: 3 }),
      'web-g0003 (shop/web:v3) has the digest 000000000000, which is held since ann went back from web-g0003 (slow); release it first: {"service":"web","signal":"release","by":"…"}. One can go back to: web-g0004 (shop/web:v4), web-g0002 (shop/web:v2), web-g0001 (shop/web:v1)',
    ],
    [
      "while the weights are a stranger's",
      replacedItem(),
      orderOf({}, { weights: weightsOf({ blue: 50, green: 50 }) }),
      `the rule's weights are blue 50, green 50, but Cutover wrote green 100: somebody else changed them. Put them back, then try again. Rule ${settingsOf().traffic.rule}`,
    ],
    [
      'when what is gone has no slot to be launched in',
      replacedItem({
        retained: [retainedOf(generationOf(3, blue), start), retainedOf(generationOf(4, red), start)],
      }),
      orderOf({}, { weights: free }),
      'no slot is free: green holds web-g0002, which is live; blue holds web-g0003 until 2026-01-01T12:00:00.000Z; red holds web-g0004 until 2026-01-01T12:00:00.000Z. Try again later, or declare another slot',
    ],
  ])('%s', (_, item, offer, reason) => {
    expect(refusalOf(item, offer)).toBe(reason);
  });
});

describe('a rollback that ended well', () => {
  const { item, plan } = goingBack();
  const done = promoted({ ...item, weights: weightsOf({ blue: 100 }) }, plan, start + 700_000);

  it('has its generation live, proven last, and no longer kept', () => {
    expect(done).toMatchObject({
      owner: null,
      live: { name: 'web-g0001', slot: 'blue' },
      retained: [{ generation: { name: 'web-g0002' }, until: start + 700_000 + 3_600_000 }],
      deployment: { outcome: 'live' },
    });
    expect(done.proven.map(({ name }) => name)).toEqual(['web-g0002', 'web-g0001']);
  });

  it('holds the digest that it left, with who and why', () => {
    expect(done.held).toEqual([
      { digest: digestOf(2), generation: 'web-g0002', by: 'ann', reason: 'slow', at: start + 700_000 },
    ]);
  });

  it('is promoted once: a repeat changes nothing', () => {
    expect(promoted(done, plan, start + 9_999_999)).toBe(done);
  });

  it('goes back to what it left only by name, and only when that is released', () => {
    const weights = weightsOf({ blue: 100 });
    expect(refusalOf(done, orderOf({ to: 2 }, { weights }))).toContain('is held since ann went back');
    const older = { ...done, held: [], proven: [generationOf(9), ...done.proven] };
    const again = goingBack(older, orderOf({}, { weights, execution: { arn: 'other', redrives: 0 } }));
    expect((again.plan.copyOf ?? again.plan.to).name).not.toBe('web-g0001');
    const released = { ...done, held: [] };
    expect(goingBack(released, orderOf({ to: 'v2' }, { weights })).plan).toMatchObject({
      kept: true,
      to: { name: 'web-g0002' },
    });
  });

  it('counts what it left as the oldest way back', () => {
    const { item: begun, plan: back } = goingBack(long);
    const after = promoted(begun, back, start);
    expect(after.proven.map(({ number }) => number)).toEqual([5, 1, 2, 3, 4]);
    expect(waysBack({ ...after, held: [] }).map(({ number }) => number)).toEqual([3, 2, 1, 5]);
  });

  it('holds nothing when it went to the same image: that is what serves', () => {
    const same = { ...generationOf(1), digest: digestOf(2) };
    const { item: begun, plan: back } = goingBack(
      replacedItem({ retained: [], proven: [same] }),
      orderOf({ to: 1 }),
    );
    expect(promoted(begun, back, start).held).toEqual([]);
  });

  it('holds a digest once, with the last word', () => {
    const before = replacedItem({ held: [{ ...hold(2), by: 'bob' }, hold(7)] });
    const { item: begun, plan: back } = goingBack(before);
    expect(promoted(begun, back, start).held.map(({ by, generation }) => [by, generation])).toEqual([
      ['ann', 'web-g0007'],
      ['ann', 'web-g0002'],
    ]);
  });
});

describe('a rollback that failed', () => {
  it('leaves everything as it was: live, kept, proven, and nothing held', () => {
    const { item, plan } = goingBack();
    const { live, retained, proven, held } = replacedItem();
    expect(restored(item, plan, start)).toMatchObject({
      owner: null,
      deployment: { outcome: 'restored' },
      live,
      retained,
      proven,
      held,
    });
  });
});

describe('an order to go back to what must be launched anew', () => {
  const cold = { ...long, retained: [] };
  const known = (gone: readonly number[]) =>
    new Map([1, 2, 3, 4, 5].map((number) => [digestOf(number), !gone.includes(number)]));

  it('asks first whether its image, and those of the other ways back, can be pulled; nothing is changed', () => {
    const decided = admitRollback(cold, orderOf({}, { pullable: new Map() }));
    expect(decided).toMatchObject({ item: cold, admission: { plan: null } });
    expect(new Set(decided.ask)).toEqual(new Set([4, 2, 1].map(digestOf)));
  });

  it('is refused when its image is gone, and names the ways back that are left', () => {
    expect(refusalOf(cold, orderOf({}, { pullable: known([4, 1]) }))).toBe(
      'web-g0004 (shop/web:v4) must be launched anew, but its image 000000000000 is not in shop/web any more. One can go back to: web-g0002 (shop/web:v2)',
    );
  });

  it('names what is kept warm among them, whose image nobody needs', () => {
    expect(refusalOf(long, orderOf({ to: 'v2' }, { pullable: known([1, 2, 4]) }))).toMatch(
      /One can go back to: web-g0004 \(shop\/web:v4\)$/,
    );
  });

  it('is admitted when its image is there', () => {
    expect(goingBack(cold, orderOf({}, { pullable: known([1]) })).plan.copyOf?.name).toBe('web-g0004');
  });
});

describe('an order to go back to what is kept warm', () => {
  it('asks nothing of the registry', () => {
    expect(goingBack(long, orderOf({}, { pullable: new Map() })).plan.kept).toBe(true);
  });
});
