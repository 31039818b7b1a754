/** What only a person can mend: told once, reminded ever more rarely, and gone on from by their word alone. */
import { describe, expect, it } from 'vitest';
import { intending, restored, restoring, waiting } from '../../functions/core/deployment/course.ts';
import { accepting, needingHand } from '../../functions/core/deployment/hold.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { ErrorName, Failure } from '../../functions/core/errors.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { Chapter } from '../../functions/core/messages/chapter.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import type { Signal } from '../../functions/core/signals/signal.ts';
import { baking, because, start, web, weightsOf } from './examples.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const foreign: Failure = {
  Error: 'Cutover.ForeignWeights',
  Cause: 'Cutover wrote blue 90, green 10, the rule has blue 50, green 50',
};
const refused: Failure = { Error: 'Cutover.AwsRefused', Cause: 'AWS refused: not authorized' };
const resume: Signal = { kind: 'resume', service: web, by: 'ann', reason: 'I meant it' };
const abort: Signal = { kind: 'abort', service: web, by: 'ann', reason: 'no' };
const red: Signal = { kind: 'alarm', alarm: 'web-errors', reason: '5 > 1', at: start + hourMs };

const canary = baking(1);
const { plan } = canary;
const until = start + 24 * hourMs;

/** One entry into the waiting state: the token is written, then what bars the way is noted. */
function entered(
  item: ServiceItem,
  now: number,
  bar: Failure = foreign,
  failure: Failure | null = null,
  of: Plan = plan,
): ServiceItem {
  const deadline = failure === null ? until : null;
  const wait = { token: `token-${now}`, for: 'hand' as const, deadline, entered: now };
  const next = needingHand(waiting(item, of, wait), of, { bar, failure, deadline }, now);
  return { ...next, version: item.version + 1 };
}

const told = (before: ServiceItem, after: ServiceItem): Chapter[] => [...chaptersOf(before, after)];
const kinds = (before: ServiceItem, after: ServiceItem) => told(before, after).map(({ kind }) => kind);

describe('a deployment in which somebody changed the weights', () => {
  const held = entered(canary.item, start + hourMs);

  it('is held, and told with the difference, both answers and until when', () => {
    const [chapter, ...more] = told(canary.item, held);
    expect(more).toEqual([]);
    expect(chapter).toMatchObject({
      id: 'deployment#web-g0002-d2#00000008-0-held',
      kind: 'held',
      at: start + hourMs,
      reason:
        'Cutover wrote blue 90, green 10, the rule has blue 50, green 50. It stays where it is. To go on (the weights of its step are written again, and bake anew) invoke the signal function with {"service":"web","signal":"resume","by":"you","reason":"why"}; to go back, with {"service":"web","signal":"abort","by":"you","reason":"why"}. Without a word it goes back at 2026-01-02T12:00:00.000Z.',
    });
    expect(messageOf(chapter!).subject).toBe(
      'web: web-g0002 is held, for somebody changed what it was doing',
    );
  });

  it('goes on by a resume, once: what the rule has then counts as written, a second change holds again', () => {
    const said = latch(held, resume, start + 2 * hourMs);
    expect(said.end).toEqual({
      token: held.wait?.token,
      error: 'Cutover.Woken',
      cause: 'ann said to go on: I meant it',
    });
    expect(told(held, { ...said.item, version: 9 })).toMatchObject([
      { kind: 'resumed', reason: 'ann: I meant it' },
    ]);
    const theirs = weightsOf({ blue: 50, green: 50 });
    const on = accepting(said.item, plan, theirs);
    expect(on).toMatchObject({ weights: theirs, wait: null, deployment: { hold: null, phase: 'baking' } });
    expect(accepting(on, plan, weightsOf({ red: 100 }))).toBe(on);
    expect(kinds(on, entered(on, start + 3 * hourMs))).toEqual(['held']);
  });

  it('goes back by an abort, from the weights as they are', () => {
    const said = latch(held, abort, start + 2 * hourMs);
    expect(said.end).toMatchObject({ error: 'Cutover.Aborted', cause: 'ann ended the deployment: no' });
    expect(kinds(held, { ...said.item, version: 9 })).toEqual([]);
    expect(accepting(said.item, plan, weightsOf({ blue: 50, green: 50 }))).toMatchObject({
      weights: { blue: 50, green: 50 },
      deployment: { hold: null, latch: { abort: { by: 'ann' } } },
    });
  });

  it('is not ended by a red alarm, which is latched and mentioned by the reminder', () => {
    const said = latch(held, red, start + 2 * hourMs);
    expect(said).toMatchObject({ end: undefined, remark: 'latched' });
    const reminded = entered(said.item, start + 2 * hourMs);
    expect(told(said.item, reminded)).toMatchObject([
      {
        kind: 'reminded',
        reason: expect.stringContaining(
          'Meanwhile: the alarm web-errors is red: 5 > 1, so to resume goes back too.',
        ) as string,
      },
    ]);
  });

  it('goes back when nobody answers until its deadline, and says so', () => {
    const late = entered(held, until);
    expect(late.deployment).toMatchObject({
      latch: {
        abort: {
          by: 'Cutover',
          reason: expect.stringMatching(/^nobody answered within 86400 s; /) as string,
        },
      },
      hold: { answer: { by: 'Cutover' } },
    });
    expect(entered(late, until + 1).deployment).toBe(late.deployment);
  });

  it('is noted once: a look that comes again, before a reminder is due, changes nothing', () => {
    expect(entered(held, start + hourMs + 1).deployment).toBe(held.deployment);
  });

  it.each<[string, ServiceItem]>([
    ['that bakes', canary.item],
    [
      'whose step takes the word already',
      accepting(latch(held, resume, start).item, plan, weightsOf({ blue: 100 })),
    ],
    [
      'whose way back is being written',
      restoring(held, plan, weightsOf({ blue: 100 }), because('why'), start),
    ],
  ])('has no word to give to one %s', (_, item) => {
    const said = latch(item, resume, start);
    expect(said).toEqual({ item, end: undefined, remark: "waits for nobody's word" });
    expect(said.item).toBe(item);
  });
});

describe('a way back that is barred', () => {
  it.each<[string, Failure, Failure, string]>([
    ['by the weights of a stranger', foreign, because('the alarm is red'), 'needsHand'],
    ['by AWS, after an alarm', refused, because('the alarm is red'), 'needsHand'],
    ['by AWS, which refused the way on too', refused, { Error: 'Cutover.AwsUnavailable' }, 'frozen'],
    [
      'by a function that dies, after one that died',
      { Error: 'Lambda.Unknown' },
      { Error: 'States.Timeout' },
      'frozen',
    ],
    ['by the weights of a stranger, after AWS refused', foreign, refused, 'needsHand'],
  ])('%s is told with why it turned', (_, bar, failure, kind) => {
    const item = entered(canary.item, start + hourMs, bar, failure);
    expect(kinds(canary.item, item)).toEqual(['goingBack', kind]);
    expect(item.deployment).toMatchObject({ phase: 'restoring', hold: { kind, until: null } });
  });

  it('reminds after 5 minutes, 15 minutes, an hour and then each hour, however often it is looked at', () => {
    let item = entered(canary.item, start, refused, because('red'));
    const reminders: number[] = [];
    const ids = new Set<string>();
    for (let now = start + 5 * minuteMs; now <= start + 4 * hourMs; now += 5 * minuteMs) {
      const words = { ...refused, Cause: `AWS refused: request ${now}` };
      const next = entered(item, now, words, because('red'));
      for (const { kind, id } of told(item, next)) {
        expect(kind).toBe('reminded');
        ids.add(id);
        reminders.push((now - start) / minuteMs);
      }
      item = next;
    }
    expect(reminders).toEqual([5, 15, 60, 120, 180, 240]);
    expect(ids.size).toBe(6);
  });

  it.each<[string, ErrorName, string[]]>([
    ['something else bars it', 'Cutover.RuleNotOurs', ['needsHand']],
    ['AWS words it otherwise', 'Cutover.AwsUnavailable', []],
  ])('is told anew when %s: %s', (_, name, expected) => {
    const first = entered(canary.item, start, refused, because('red'));
    const next = entered(first, start + minuteMs, { Error: name, Cause: 'other words' }, because('red'));
    const since = expected.length > 0 ? start + minuteMs : start;
    expect(next.deployment?.hold).toMatchObject({ since, why: 'other words' });
    expect(kinds(first, next)).toEqual(expected);
  });

  it.each([resume, abort])(
    'is tried at once when a person says $kind, from the weights that they left',
    (word) => {
      const barred = entered(canary.item, start, foreign, because('red'));
      const said = latch(barred, word, start + minuteMs);
      expect(said.end).toMatchObject({ token: barred.wait?.token, error: 'Cutover.Woken' });
      expect(accepting(said.item, plan, weightsOf({ red: 100 })).weights).toEqual(weightsOf({ red: 100 }));
    },
  );

  it('by a guard takes no weights for its own, whoever says so', () => {
    const barred = entered(canary.item, start, { Error: 'Cutover.Guarded' }, because('red'));
    const said = latch(barred, resume, start).item;
    expect(accepting(said, plan, weightsOf({ red: 100 }))).toMatchObject({
      weights: canary.item.weights,
      deployment: { hold: null },
    });
  });

  it('is not taken for answered by an abort that came before', () => {
    const aborted = latch(canary.item, abort, start).item;
    const barred = entered(aborted, start + minuteMs, foreign, { Error: 'Cutover.Aborted' });
    expect(barred.deployment?.hold?.answer).toBeNull();
    expect(latch(barred, abort, start).item.deployment?.hold?.answer).toMatchObject({ by: 'ann' });
  });

  it('keeps what is known while it is tried, so that nobody is told twice, and forgets it at the end', () => {
    const barred = entered(canary.item, start, refused, because('red'));
    const tried = restoring(barred, plan, weightsOf({ blue: 90, green: 10 }), because('red'), start);
    expect(tried.deployment?.hold).toEqual(barred.deployment?.hold);
    expect(kinds(tried, entered(tried, start + minuteMs, refused, because('red')))).toEqual([]);
    expect(restored(tried, plan, start).deployment?.hold).toBeNull();
  });

  it('that is being written takes no word any more that came before: it was about what stood there then', () => {
    const barred = entered(canary.item, start, foreign, because('red'));
    const said = latch(barred, resume, start).item;
    const tried = restoring(said, plan, weightsOf({ blue: 90, green: 10 }), because('red'), start);
    expect(tried.deployment?.hold).toMatchObject({ kind: 'needsHand', answer: null });
  });

  it('lets no slow step forward any more', () => {
    const barred = entered(canary.item, start, foreign, because('red'));
    expect(() => intending(barred, plan, { kind: 'shift', before: null, after: null }, start)).toThrow(
      expect.objectContaining({ name: 'Cutover.FencedOut' }),
    );
  });
});

describe('the token of a wait', () => {
  const wait = (entered: number) => ({
    token: `token-${entered}`,
    for: 'bake' as const,
    deadline: start,
    entered,
  });

  it.each([
    ['a later entry', start + 1, true],
    ['a retry of the same entry', start + 0.001, true],
    ['a slow invocation of an earlier entry', start - 1, false],
    ['a slow invocation of an earlier try', start - 0.001, false],
  ])('of %s counts: %s', (_, at, counts) => {
    const first = waiting(canary.item, plan, wait(start));
    const next = waiting(first, plan, wait(at));
    expect(next.wait?.entered).toBe(counts ? at : start);
    expect(next === first).toBe(!counts);
  });
});
