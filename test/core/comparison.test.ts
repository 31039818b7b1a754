/** What the load balancer counted, and what it says of the new generation, in the words that people get. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Comparison,
  compare,
  comparisonSettings,
  leastBakeSeconds,
  minutesBefore,
  type Seen,
  type SlotMinute,
} from '../../functions/core/gates/comparison.ts';
import { parse } from '../../functions/core/parse.ts';
import { serviceSettings } from '../../functions/core/service-settings.ts';
import { settingsOf, start } from './examples.ts';

const minute = 60_000;
const names = { old: 'web-g0001', fresh: 'web-g0002' };
const settings = comparisonSettings.parse({});

/** The same counts in each of so many minutes. */
const minutes = (count: number, of: Omit<SlotMinute, 'at'>, from = 0): readonly SlotMinute[] =>
  Array.from({ length: count }, (_, index) => ({ at: start + (from + index) * minute, ...of }));
const answered = (requests: number, failed = 0, slow = 0) => ({
  requests,
  good: requests - failed,
  bad: failed,
  timed: requests,
  slow,
});
const quiet = answered(900, 0, 90);
const seenOf = (changes: Partial<Seen>): Seen => ({
  before: minutes(15, answered(1_000, 0, 100), -15),
  old: minutes(20, quiet),
  fresh: minutes(20, answered(100, 0, 10)),
  slowAboveSeconds: 0.25,
  ...changes,
});
const verdictOn = (changes: Partial<Seen>): Comparison => compare(settings, seenOf(changes), names);

describe('a new generation', () => {
  it('that answers as the old one is not worse once it has as many requests as that takes', () => {
    expect(verdictOn({})).toEqual({
      comparison: 'notWorse',
      words:
        '2,000 of 1,223 requests to web-g0002 that it takes to find out whether 1 of 100 more failed and whether 5 of 100 more were slow',
    });
  });

  it.each<[string, Partial<Seen>, string]>([
    [
      'with fewer requests, however good they are, is neither worse nor not worse',
      { fresh: minutes(5, answered(100)) },
      'too few to compare: 500 of ',
    ],
    ['without any request', { fresh: [] }, 'too few to compare: 0 of '],
    ['in minutes that the old one has no requests in', { old: [] }, 'too few to compare: 0 of '],
  ])('%s', (_, changes, words) => {
    const verdict = verdictOn(changes);
    expect(verdict).toMatchObject({ comparison: 'inconclusive', words: expect.stringContaining(words) });
  });

  it('that fails two of a hundred is worse, with both counts', () => {
    expect(verdictOn({ fresh: minutes(8, answered(100, 2, 10)) })).toEqual({
      comparison: 'worse',
      reasons: [
        'more requests to web-g0002 failed: 16 of 800 (2 %), against 0 of 7,200 (0 %) of web-g0001 in the same minutes. Between equal generations whose requests fail independently of each other that comes up in less than 1 of 100 deployments',
      ],
    });
  });

  it('that is slower is worse, with what slow is', () => {
    expect(verdictOn({ fresh: minutes(5, answered(100, 0, 40)) })).toEqual({
      comparison: 'worse',
      reasons: [
        'more requests to web-g0002 were slow: 200 of 500 (40 %), against 450 of 4,500 (10 %) of web-g0001 in the same minutes (slow is above 250 ms, which nine of ten requests were not before). Between equal generations whose requests are slow independently of each other that comes up in less than 1 of 100 deployments',
      ],
    });
  });

  it('that crashes fails what nobody answers, which is known after a minute in which it may be under way, and one later', () => {
    const crashing = minutes(4, { requests: 100, good: 60, bad: 0, timed: 60, slow: 6 });
    const old = minutes(4, quiet);
    expect(verdictOn({ old: old.slice(0, 2), fresh: crashing.slice(0, 2) }).comparison).toBe('inconclusive');
    expect(verdictOn({ old, fresh: crashing })).toMatchObject({
      comparison: 'worse',
      reasons: [expect.stringContaining('failed: 80 of 400 (20 %), against 0 of 3,600 (0 %)')],
    });
  });

  it('of which as many requests are always under way, since it got its traffic, fails none of them', () => {
    const under = { requests: 100, bad: 0, slow: 10 };
    const fresh = [
      ...minutes(1, { ...under, good: 60, timed: 60 }),
      ...minutes(19, { ...under, good: 100, timed: 100 }, 1),
    ];
    expect(verdictOn({ fresh }).comparison).toBe('notWorse');
    expect(verdictOn({ fresh: fresh.slice(0, 3) }).comparison).toBe('inconclusive');
  });

  it('that answers in the minute after fails nothing by that', () => {
    const late = Array.from({ length: 20 }, (_, index) => ({
      at: start + index * minute,
      requests: 100,
      good: index === 0 ? 70 : 100 + (index % 2) * 5,
      bad: 0,
      timed: 100,
      slow: 10,
    }));
    expect(verdictOn({ fresh: late })).toMatchObject({ comparison: 'notWorse' });
  });

  it('that fails everything is worse within its first minute', () => {
    expect(
      verdictOn({ fresh: minutes(1, answered(20, 20)), old: minutes(1, answered(180)) }).comparison,
    ).toBe('worse');
  });

  it('is not worse because a fault that both share fails as many of the old one', () => {
    const outage = {
      old: minutes(20, answered(900, 270, 60)),
      fresh: minutes(20, answered(100, 30, 7)),
    };
    expect(verdictOn(outage).comparison).not.toBe('worse');
  });

  it('that fails a fifth is worse within minutes, also right after an outage of the old one', () => {
    const outage = [
      ...minutes(6, answered(1_000, 10, 100), -15),
      ...minutes(3, answered(1_000, 300, 100), -9),
      ...minutes(6, answered(1_000, 10, 100), -6),
    ];
    const seen = {
      before: outage,
      old: minutes(2, answered(900, 9, 90)),
      fresh: minutes(2, answered(100, 20, 10)),
    };
    expect(verdictOn(seen).comparison).toBe('worse');
  });

  it('that was worse stays worse, whatever comes after', () => {
    const bad = minutes(8, answered(100, 3, 10));
    const recovered = minutes(30, answered(100, 0, 10), 8);
    expect(verdictOn({ old: minutes(38, quiet), fresh: [...bad, ...recovered] }).comparison).toBe('worse');
  });

  it('is compared by failures alone while nothing tells how slow the old one is', () => {
    const unknown = { slowAboveSeconds: undefined, before: [] };
    const verdict = verdictOn(unknown);
    expect(verdict).toMatchObject({ words: expect.not.stringContaining('slow') });
  });

  it('that is better, or the same, never comes out worse for what the minutes are called', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 30 }), (requests) => {
        const same = requests.map((count, index) => ({ at: start + index * minute, ...answered(count) }));
        expect(verdictOn({ old: same, fresh: same.toReversed() }).comparison).not.toBe('worse');
      }),
    );
  });
});

it('how slow the old one is, is learned from the fifteen whole minutes before its traffic was split', () => {
  expect(minutesBefore(start + 30_000)).toEqual({ from: start - 15 * minute, to: start });
});

describe('a strategy whose bakes are too short for a comparison is refused when it is read, with the sum', () => {
  const declared = (steps: readonly object[]) =>
    parse(serviceSettings, { ...settingsOf(), comparison: {}, strategy: { kind: 'custom', steps } });
  const whole = { weightPercent: 100, bakeSeconds: 0 };

  it.each<[string, readonly object[], readonly string[]]>([
    ['long enough', [{ weightPercent: 10, bakeSeconds: leastBakeSeconds }, whole], []],
    [
      'one second short',
      [{ weightPercent: 10, bakeSeconds: leastBakeSeconds - 1 }, whole],
      [
        "strategy: the bake at 10 % is 269 s, and a comparison takes 270 s (30 until a weight is applied, up to 60 until a minute begins, 60 for that minute, 120 until it is counted) at least: bake longer, or name that step's gates without comparison",
      ],
    ],
    [
      'a step that does not compare may be short',
      [
        { weightPercent: 10, bakeSeconds: 60, gates: ['alarms'] },
        { weightPercent: 50, bakeSeconds: 300 },
        whole,
      ],
      [],
    ],
    [
      'no step that compares',
      [whole],
      [
        'comparison: no step below 100 % compares, and at 100 % the old generation has no requests: add such a step, with comparison among its gates, or leave the comparison out',
      ],
    ],
  ])('%s', (_, steps, mistakes) => {
    const parsed = declared(steps);
    expect(parsed.ok ? [] : parsed.mistakes).toEqual(mistakes);
  });
});
