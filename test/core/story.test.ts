import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordIntake } from '../../functions/core/admission.ts';
import {
  intending,
  launched,
  needingHand,
  promoted,
  restored,
  restoredWeights,
  restoring,
  retired,
  retiring,
  shifted,
  waiting,
} from '../../functions/core/course.ts';
import { latch } from '../../functions/core/latch.ts';
import { restoreCommand } from '../../functions/core/restore-command.ts';
import { putOff } from '../../functions/core/retention.ts';
import { admitRollback } from '../../functions/core/rollback.ts';
import type { ServiceItem } from '../../functions/core/service-item.ts';
import { type Chapter, chaptersOf, isSpoken, messageOf } from '../../functions/core/story.ts';
import {
  admitted,
  baking,
  execution,
  goingBack,
  group,
  liveItem,
  offerOf,
  orderOf,
  pushOf,
  replacedItem,
  rule,
  settingsOf,
  start,
  web,
  weightsOf,
} from './examples.ts';

/** The item after each write of a deployment. */
function courseTo(end: 'live' | 'restored' | 'removed'): ServiceItem[] {
  const before = end === 'removed' ? liveItem({ live: null, admitted: [], lastPush: null }) : liveItem();
  const { item, plan } = admitted(before);
  const items = [before, item];
  const write = (change: (item: ServiceItem) => ServiceItem) => items.push(change(items.at(-1)!));
  write((now) => intending(now, plan, { kind: 'launch', before: null, after: null }, start + 130_000));
  write((now) => launched(now, plan, 2));
  write((now) => waiting(now, plan, { token: 'token', for: 'healthy', deadline: start }));
  plan.steps.slice(0, end === 'live' ? 2 : 1).forEach((step, index) => {
    write((now) =>
      intending(now, plan, { kind: 'shift', before: now.weights, after: step.weights }, start + 2_000),
    );
    write((now) => shifted(now, plan, step, index, start + 180_000 + index));
    write((now) => waiting(now, plan, { token: 'token', for: 'bake', deadline: start }));
  });
  if (end === 'live') {
    write((now) => promoted(now, plan, start + 300_000));
    return items;
  }
  write((now) => latch(now, { kind: 'abort', service: web, by: 'ann', reason: 'no' }, start + 190_000).item);
  write((now) => restoring(now, plan, now.weights!, 'ann ended it', start + 200_000));
  write((now) => restoredWeights(now, plan, start + 330_000, start + 210_000));
  write((now) => intending(now, plan, { kind: 'terminate', before: null, after: null }, start + 340_000));
  write((now) => restored(now, plan, start + 350_000));
  return items;
}

function told(items: readonly ServiceItem[]): Chapter[] {
  return items.flatMap((item, index) => (index === 0 ? [] : chaptersOf(items[index - 1]!, item)));
}

describe('a story', () => {
  it.each([
    ['live', ['started', 'launched', 'shifted', 'shifted', 'live']],
    ['restored', ['started', 'launched', 'shifted', 'goingBack', 'weightsRestored', 'restored']],
    ['removed', ['started', 'launched', 'goingBack', 'weightsRestored', 'removed']],
  ] as const)('that ends %s tells each thing once', (end, kinds) => {
    const chapters = told(courseTo(end));
    expect(chapters.map(({ kind }) => kind)).toEqual(kinds);
    expect(new Set(chapters.map(({ id }) => id)).size).toBe(chapters.length);
  });

  it('says when each thing happened', () => {
    expect(told(courseTo('live')).map(({ kind, seconds }) => [kind, seconds])).toEqual([
      ['started', 0],
      ['launched', 5],
      ['shifted', 55],
      ['shifted', 55],
      ['live', 175],
    ]);
  });

  it.each(['live', 'restored', 'removed'] as const)(
    'that ends %s is in its order when a Query sorts it',
    (end) => {
      const ids = told(courseTo(end)).map(({ id }) => id);
      expect(ids.toSorted()).toEqual(ids);
    },
  );

  it('asks for a hand once, with what bars the way back, and again when something else does', () => {
    const { item, plan } = baking(1);
    const barred = {
      ...needingHand(item, plan, 'somebody else changed the weights'),
      version: item.version + 1,
    };
    const [asked, ...more] = chaptersOf(item, barred);
    expect(asked).toMatchObject({ kind: 'needsHand', reason: 'somebody else changed the weights' });
    expect(more).toEqual([]);
    expect(needingHand(barred, plan, 'somebody else changed the weights')).toBe(barred);
    const other = { ...needingHand(barred, plan, 'the rule has two actions'), version: barred.version + 1 };
    expect(chaptersOf(barred, other)).toHaveLength(1);
  });

  it('has the same ids when the stream tells it again', () => {
    expect(told(courseTo('restored'))).toEqual(told(courseTo('restored')));
  });

  it('tells nothing of a write that was repeated', () => {
    for (const item of courseTo('restored'))
      expect(chaptersOf(item, { ...item, version: item.version + 1 })).toEqual([]);
  });

  it('of a generation that requests have reached for half an hour after its time is told once', () => {
    const held = retiring(replacedItem(), 'retire', start + 1_800_001);
    const put = (from: ServiceItem, at: number) =>
      retired(from, 'retire', [], [putOff({ ...from.retained[0]!, reachedSince: start }, at)]);
    const young = put(held, start + 1_800_000);
    expect(chaptersOf(held, young)).toEqual([]);
    const old = put(held, start + 1_800_001);
    const [chapter, ...others] = chaptersOf(held, old);
    expect(others).toEqual([]);
    expect(chapter).toMatchObject({ kind: 'stillReached', at: start + 1_800_001, generation: 'web-g0001' });
    expect(isSpoken(chapter!)).toBe(true);
    const message = messageOf(chapter!);
    expect(message.subject).toBe('web: web-g0001 (shop/web:v1) still gets requests and is kept');
    expect(message.text).toContain('It goes by itself when they stop');
    const again = retiring(old, 'retire', start + 2_000_000);
    expect(chaptersOf(old, again)).toEqual([]);
    expect(chaptersOf(again, put(again, start + 2_000_000))).toEqual([]);
  });

  it('gives a step that was written twice the id that it had', () => {
    const { item, plan } = baking(1);
    expect(chaptersOf(item, shifted(item, plan, plan.steps[0]!, 0, start + 9))).toEqual([]);
    const back = restoredWeights(restoring(item, plan, item.weights!, 'why', start), plan, start, start + 10);
    const ids = [
      ...chaptersOf(item, back),
      ...chaptersOf(back, restoredWeights(back, plan, start, start + 20)),
    ].map(({ id }) => id);
    expect(ids.filter((id) => id.endsWith('weights-restored'))).toEqual(
      Array(2).fill('deployment#web-g0002-d2#5-weights-restored'),
    );
  });

  it('of a push that became no deployment is told once, with the reason', () => {
    const before = liveItem();
    const intake = {
      id: 'event-3',
      direction: 'forward' as const,
      at: start,
      image: 'shop/web:v3',
      admission: 'rejected' as const,
      reason: 'no slot is free',
      execution: execution('3'),
    };
    const after = recordIntake(before, intake);
    expect(chaptersOf(before, after)).toMatchObject([
      {
        id: 'push#2026-01-01T12:00:00.000Z#event-3',
        kind: 'refused',
        deployment: null,
        reason: 'no slot is free',
      },
    ]);
    expect(chaptersOf(after, { ...after, version: 9 })).toEqual([]);
    expect(chaptersOf(null, after)).toHaveLength(1);
    expect(recordIntake(after, { ...intake, at: start + 1 })).toBe(after);
  });

  it('prints the way back while there is one to go', () => {
    const commands = told(courseTo('restored')).map(({ kind, restore }) => [kind, restore !== null]);
    expect(commands).toEqual([
      ['started', true],
      ['launched', true],
      ['shifted', true],
      ['goingBack', true],
      ['weightsRestored', true],
      ['restored', false],
    ]);
    expect(told(courseTo('removed')).every(({ restore }) => restore === null)).toBe(true);
  });
});

describe('a message', () => {
  const chapters = (['live', 'restored', 'removed'] as const).flatMap((end) => told(courseTo(end)));

  it('says what happened', () => {
    expect(chapters.filter(isSpoken).map((chapter) => messageOf(chapter).subject)).toEqual([
      'web: shop/web:v2 is being deployed as web-g0002',
      'web: web-g0002 takes traffic',
      'web: web-g0002 takes traffic',
      'web: shop/web:v2 is live as web-g0002 after 175 s',
      'web: shop/web:v2 is being deployed as web-g0002',
      'web: web-g0002 takes traffic',
      'web: web-g0002 (shop/web:v2) failed, going back',
      'web: shop/web:v2 was taken back after 225 s, the old generation serves',
      'web: shop/web:v2 is being deployed as web-g0002',
      'web: web-g0002 (shop/web:v2) failed, going back',
      'web: shop/web:v2 was removed after 225 s, there was nothing to go back to',
    ]);
  });

  it('has the reason, the weights, the digest and the way back', () => {
    const { item, plan } = baking(1);
    const back = restoring(item, plan, item.weights!, 'the alarm web-errors is red', start + 300_000);
    const [chapter] = chaptersOf(item, back);
    expect(messageOf(chapter!).text.split('\n')).toEqual([
      'web: web-g0002 (shop/web:v2) failed, going back',
      'Why: the alarm web-errors is red',
      'Weights: blue 90, green 10',
      'Deployment: web-g0002-d2',
      'Digest: 000000000000',
      `To restore the traffic without Cutover: ${restoreCommand(settingsOf().traffic, weightsOf({ blue: 100 }))}`,
    ]);
  });

  it('is fit for SNS, whatever the words from outside are', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary-ascii', minLength: 90 }),
      fc.constant('\u001b[31mred\u001b[0m\r\nSubject: x'),
    );
    fc.assert(
      fc.property(fc.constantFrom(...chapters), anyText, anyText, (chapter, reason, image) => {
        const { subject, text } = messageOf({ ...chapter, reason, image });
        // https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: less than 100 characters, no control characters
        expect(subject).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,98}$/);
        // oxlint-disable-next-line no-control-regex -- control characters are what must be gone
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
        expect(text.split('\n').length).toBeLessThanOrEqual(6);
      }),
    );
  });

  it('of the launch and of the weights being back only goes to the ledger', () => {
    expect(new Set(chapters.filter((chapter) => !isSpoken(chapter)).map(({ kind }) => kind))).toEqual(
      new Set(['launched', 'weightsRestored']),
    );
  });
});

describe('the way back by hand', () => {
  it('is one command with valid JSON in it', () => {
    const command = restoreCommand(settingsOf().traffic, weightsOf({ blue: 100 }));
    const match = /^aws elbv2 modify-rule --rule-arn (?<arn>\S+) --actions '(?<actions>[^']+)'$/.exec(
      command,
    );
    expect(match?.groups?.['arn']).toBe(rule);
    expect(JSON.parse(match?.groups?.['actions'] ?? '')).toEqual([
      {
        Type: 'forward',
        ForwardConfig: {
          TargetGroups: [
            { TargetGroupArn: group('blue'), Weight: 100 },
            { TargetGroupArn: group('green'), Weight: 0 },
            { TargetGroupArn: group('red'), Weight: 0 },
          ],
        },
      },
    ]);
  });
});

describe('the story of a rollback', () => {
  const { item, plan } = goingBack();
  const told = (before: ServiceItem, after: ServiceItem) =>
    chaptersOf(before, after).map((chapter) => messageOf(chapter).text.split('\n').slice(0, 2));

  it('says who asked for it and why, and that it is done', () => {
    expect(told(replacedItem(), item)).toEqual([
      ['web: going back to web-g0001 (shop/web:v1)', 'Why: ann: slow'],
    ]);
    expect(told(item, promoted(item, plan, start + 660_000))).toEqual([
      ['web: back on web-g0001 (shop/web:v1) after 60 s', 'Why: ann: slow'],
    ]);
  });

  it('says why it failed, and that all is as before', () => {
    const back = restoring(item, plan, item.weights!, 'web-g0001 did not stay healthy', start + 660_000);
    expect(told(item, back)).toEqual([
      ['web: the rollback to web-g0001 (shop/web:v1) failed', 'Why: web-g0001 did not stay healthy'],
    ]);
    expect(told(back, restored(back, plan, start + 670_000))).toEqual([
      [
        'web: the rollback to web-g0001 failed, all is as before it, after 70 s',
        'Why: web-g0001 did not stay healthy',
      ],
    ]);
  });

  it('that was refused says so', () => {
    const { item: refused } = admitRollback(replacedItem(), orderOf({ to: 'v9' }));
    expect(told(replacedItem(), refused)).toEqual([
      ['web: the order to go back is refused', expect.stringContaining('Why: v9 is no generation of web')],
    ]);
  });
});

describe('the story of a second deployment', () => {
  it('begins anew', () => {
    const first = courseTo('live').at(-1)!;
    const { item } = admitted(first, offerOf(pushOf(3), { weights: weightsOf({ green: 100 }) }));
    expect(chaptersOf(first, item).map(({ kind, deployment }) => [kind, deployment])).toEqual([
      ['started', 'web-g0003-d3'],
    ]);
  });
});
