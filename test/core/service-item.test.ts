/** What is written to the ledger can be read again: an item in any phase is valid, and survives JSON. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  promoted,
  restored,
  restoredWeights,
  restoring,
  retiring,
  waiting,
} from '../../functions/core/deployment/course.ts';
import { needingHand } from '../../functions/core/deployment/hold.ts';
import { planSchema } from '../../functions/core/deployment/plan.ts';
import { newServiceItem, type ServiceItem, serviceItem } from '../../functions/core/ledger/service-item.ts';
import { parse } from '../../functions/core/parse.ts';
import { serviceSettings } from '../../functions/core/service-settings.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import { readSignal } from '../../functions/core/signals/signal.ts';
import {
  admitted,
  baking,
  because,
  ended,
  execution,
  goingBack,
  group,
  liveItem,
  pendingOf,
  replacedItem,
  settingsOf,
  start,
  web,
} from './examples.ts';

function again(item: unknown): unknown {
  return JSON.parse(JSON.stringify(item));
}

const phases: readonly [string, ServiceItem][] = (() => {
  const { item, plan } = baking(1);
  const back = restoring(item, plan, item.weights!, because('why'), start);
  const wait = { token: 't', for: 'hand' as const, deadline: null, entered: start };
  const held = needingHand(
    waiting(item, plan, wait),
    plan,
    { bar: because('changed'), failure: because('red'), deadline: null },
    start,
  );
  const superseded = { ...item.deployment!.latch, superseded: { image: 'shop/web:v3', at: start } };
  return [
    ['new', newServiceItem(web)],
    ['live', liveItem()],
    ['admitted', admitted().item],
    ['launched', baking(0).item],
    ['baking', item],
    ['waiting', waiting(item, plan, { token: 't', for: 'bake', deadline: start, entered: start })],
    ['going back', back],
    ['held', held],
    ['superseded', { ...item, deployment: { ...item.deployment!, latch: superseded } }],
    ['back', restoredWeights(back, plan, start, start)],
    ['restored', restored(back, plan, start)],
    ['promoted', promoted(item, plan, start)],
    ['replaced', replacedItem()],
    ['waited for', { ...item, pending: pendingOf(3) }],
    ['ordered back', goingBack().item],
    ['gone back', promoted(goingBack().item, goingBack().plan, start)],
    ['retiring', retiring(ended().item, execution('retire'), start)],
  ];
})();

describe('a service item', () => {
  it.each(phases)('that is %s can be written and read', (_, item) => {
    expect(parse(serviceItem, again(item))).toEqual({ ok: true, value: item });
  });

  it('that an older version wrote can be read', () => {
    const { seen: _s, imagesMissing: _i, orphans: _o, collect: _c, ...older } = baking(1).item;
    const { imageNotKept: _k, ...deployment } = older.deployment!;
    expect(parse(serviceItem, again({ ...older, deployment }))).toEqual({
      ok: true,
      value: {
        ...baking(1).item,
        seen: [],
        imagesMissing: [],
        orphans: [],
        collect: null,
      },
    });
  });

  it('can be written and read after any signal', () => {
    const anySignal = fc.oneof(
      fc.record({
        service: fc.constant('web'),
        signal: fc.constant('abort'),
        by: fc.string({ minLength: 1, unit: 'binary' }),
      }),
      fc.record({
        'detail-type': fc.constant('ECS Task State Change'),
        detail: fc.record({
          taskArn: fc.string(),
          group: fc.constant('service:web-g0002'),
          lastStatus: fc.constantFrom('RUNNING', 'STOPPED'),
          stopCode: fc.constantFrom('TaskFailedToStart', 'UserInitiated'),
          stoppedReason: fc.string({ unit: 'grapheme' }),
        }),
      }),
      fc.record({
        'detail-type': fc.constant('CloudWatch Alarm State Change'),
        time: fc.constant('2026-01-01T13:00:00Z'),
        detail: fc.record({
          alarmName: fc.constant('web-errors'),
          state: fc.record({ value: fc.constant('ALARM'), reason: fc.string() }),
        }),
      }),
    );
    fc.assert(
      fc.property(fc.array(anySignal, { maxLength: 10 }), (signals) => {
        let { item } = baking(1);
        for (const given of signals) {
          const reading = readSignal(given);
          if (reading.kind === 'signal') item = latch(item, reading.signal, start).item;
        }
        expect(parse(serviceItem, again(item)).ok).toBe(true);
      }),
    );
  });

  it('that a version without holds wrote, in the middle of a bake, is read as one that is not held', () => {
    const { item, plan } = baking(1);
    const waits = waiting(item, plan, { token: 't', for: 'bake', deadline: start, entered: 0 });
    const newer = new Set(['hold', 'tookOver', 'turned', 'superseded', 'entered', 'handDeadlineSeconds']);
    const older = JSON.parse(
      JSON.stringify(waits, (key, value: unknown) => (newer.has(key) ? undefined : value)),
    ) as typeof waits;
    const stored = { ...older, deployment: { ...older.deployment, needsHand: null } };
    const { needsHand: _, ...deployment } = serviceItem.parse(stored).deployment as Record<string, unknown>;
    expect({ ...serviceItem.parse(stored), deployment }).toEqual(waits);
  });

  it.each([
    ['another schema', { ...liveItem(), schema: 2 }, 'schema'],
    ['a slot that is none', { ...liveItem(), live: { ...liveItem().live, slot: 'Blue!' } }, 'live/slot'],
  ])('with %s is refused, with the path', (_, stored, path) => {
    const parsed = parse(serviceItem, stored);
    expect(!parsed.ok && parsed.mistakes[0]).toMatch(new RegExp(`^${path.replace(/[()]/g, '\\$&')}: `));
  });
});

describe('a plan', () => {
  it('survives the state machine', () => {
    const { plan } = admitted();
    expect(planSchema.parse(again(plan))).toEqual(plan);
  });
});

describe('the settings', () => {
  it.each([
    ['one slot', { traffic: { rule: 'r', slots: [{ name: 'blue', targetGroup: 'g' }] } }, ['traffic/slots']],
    [
      'six slots',
      { traffic: { rule: 'r', slots: 'abcdef'.split('').map((name) => ({ name, targetGroup: name })) } },
      ['traffic/slots'],
    ],
    [
      'a slot named twice',
      { traffic: { rule: 'r', slots: ['x', 'y'].map((targetGroup) => ({ name: 'blue', targetGroup })) } },
      ['traffic/slots/1/name'],
    ],
    [
      'a target group used twice',
      {
        traffic: {
          rule: 'r',
          slots: ['blue', 'green'].map((name) => ({ name, targetGroup: group('blue') })),
        },
      },
      ['traffic/slots/1/targetGroup'],
    ],
    ['no tags', { tags: [] }, ['tags']],
    ['no tasks', { minimumCount: 0 }, ['minimumCount']],
    ['a hold of eight days', { handDeadlineSeconds: 8 * 86_400 }, ['handDeadlineSeconds']],
    ['a hold of a moment', { handDeadlineSeconds: 59 }, ['handDeadlineSeconds']],
    [
      'mistakes in several places',
      { schema: 2, service: 'W', healthDeadlineSeconds: 1 },
      ['schema', 'service', 'healthDeadlineSeconds'],
    ],
  ])('with %s are refused, each with its path', (_, changes, paths) => {
    const parsed = parse(serviceSettings, { ...settingsOf(), ...changes });
    expect(!parsed.ok && parsed.mistakes.map((mistake) => mistake.split(': ')[0])).toEqual(paths);
  });
});
