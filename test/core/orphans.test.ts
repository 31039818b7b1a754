/** What is an orphan, and what is told and done about it. */
import { describe, expect, it } from 'vitest';
import { collected, isReferenced, notingOrphans, type Standing } from '../../functions/core/fleet/orphans.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { isSpoken } from '../../functions/core/messages/chapter.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import { readSignal } from '../../functions/core/signals/signal.ts';
import { baking, generationOf, green, liveItem, replacedItem, start } from './examples.ts';

const now = start + 7_200_000;
const standing = (number: number, changes: Partial<Standing> = {}): Standing => ({
  name: generationOf(number).name,
  runs: true,
  slot: green,
  createdAt: start,
  ...changes,
});
const left = { runs: false, slot: null } as const;
const told = notingOrphans(liveItem(), [standing(7), standing(8, left)], now);

describe('what bears our tags', () => {
  it.each<[string, ServiceItem, Standing, boolean]>([
    ['is live', replacedItem(), standing(2), true],
    ['is kept warm', replacedItem(), standing(1), true],
    ['is being deployed', baking(1).item, standing(2), true],
    ['is what a deployment leaves', baking(1).item, standing(1), true],
    ['was proven and is launched like that again', replacedItem({ retained: [] }), standing(1, left), true],
    ['was proven, but should not run any more', replacedItem({ retained: [] }), standing(1), false],
    [
      'went back',
      { ...baking(1).item, deployment: { ...baking(1).item.deployment!, outcome: 'restored' } },
      standing(2),
      false,
    ],
    ['nobody knows of', liveItem(), standing(7), false],
  ])('and %s', (_, item, given, expected) => {
    expect(isReferenced(item, given)).toBe(expected);
  });

  it('is told once when nothing references it for an hour', () => {
    expect(told.orphans).toEqual([
      { name: 'web-g0007', runs: true, at: now },
      { name: 'web-g0008', runs: false, at: now },
    ]);
    expect(notingOrphans(told, [standing(7)], now + 1)).toBe(told);
    const young = standing(7, { createdAt: now - 3_599_999 });
    const item = liveItem();
    expect(notingOrphans(item, [young, standing(1)], now)).toBe(item);
    const [chapter, ...more] = chaptersOf(liveItem(), told);
    expect(more).toEqual([]);
    expect(isSpoken(chapter!)).toBe(true);
    expect(messageOf(chapter!).text.split('\n')).toEqual([
      'web: something stands that nothing references',
      'Why: nothing references web-g0007, web-g0008 (no longer running). To have what is orphaned ended, invoke the signal function with {"service":"web","signal":"collect","by":"…"}',
    ]);
    expect(chaptersOf(told, { ...told, version: 9 })).toEqual([]);
  });

  it('is remembered in a bounded number', () => {
    const many = Array.from({ length: 80 }, (_, index) => standing(index + 10));
    expect(notingOrphans(liveItem(), many, now).orphans).toHaveLength(50);
  });
});

describe('the order to end them', () => {
  const reading = readSignal({ service: 'web', signal: 'collect', by: 'ann' });
  if (reading.kind !== 'signal') throw new Error(reading.reason);
  const { signal } = reading;

  it('is latched, once', () => {
    const first = latch(told, signal, now);
    expect(first).toMatchObject({
      item: { collect: { by: 'ann', at: now } },
      end: undefined,
      remark: 'web-g0007, web-g0008: to be ended within minutes',
    });
    expect(latch(first.item, signal, now + 1).item).toBe(first.item);
  });

  it('changes nothing where nothing is orphaned', () => {
    const item = liveItem();
    expect(latch(item, signal, now)).toEqual({ item, end: undefined, remark: 'nothing is orphaned' });
  });

  it('stands until nothing more can be done', () => {
    const { item } = latch(told, signal, now);
    const [first] = told.orphans;
    expect(collected(item, [first!.name], false)).toMatchObject({
      collect: { by: 'ann' },
      orphans: [{ name: 'web-g0008' }],
    });
    expect(collected(item, [], true)).toMatchObject({ collect: null, orphans: told.orphans });
  });
});
