import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordIntake } from '../../functions/core/deployment/admission.ts';
import {
  intending,
  launched,
  promoted,
  restored,
  restoredWeights,
  restoring,
  retired,
  retiring,
  shifted,
  waiting,
} from '../../functions/core/deployment/course.ts';
import { putOff } from '../../functions/core/deployment/retention.ts';
import { admitRollback } from '../../functions/core/deployment/rollback.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { type Chapter, chapterSchema, isSpoken } from '../../functions/core/messages/chapter.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import { restoreCommand } from '../../functions/core/traffic/restore-command.ts';
import {
  admitted,
  baking,
  because,
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
  const write = (change: (item: ServiceItem) => ServiceItem) => {
    const changed = change(items.at(-1)!);
    items.push({ ...changed, version: changed.version + 1 });
  };
  write((now) => intending(now, plan, { kind: 'launch', before: null, after: null }, start + 130_000));
  write((now) => launched(now, plan, 2));
  write((now) => waiting(now, plan, { token: 'token', for: 'healthy', deadline: start, entered: start }));
  plan.steps.slice(0, end === 'live' ? 2 : 1).forEach((step, index) => {
    write((now) =>
      intending(now, plan, { kind: 'shift', before: now.weights, after: step.weights }, start + 2_000),
    );
    write((now) => shifted(now, plan, step, index, start + 180_000 + index));
    write((now) => waiting(now, plan, { token: 'token', for: 'bake', deadline: start, entered: start }));
  });
  if (end === 'live') {
    write((now) => promoted(now, plan, start + 300_000));
    return items;
  }
  write((now) => latch(now, { kind: 'abort', service: web, by: 'ann', reason: 'no' }, start + 190_000).item);
  write((now) => restoring(now, plan, now.weights!, because('ann ended it'), start + 200_000));
  write((now) => restoredWeights(now, plan, start + 330_000, start + 210_000));
  write((now) => intending(now, plan, { kind: 'terminate', before: null, after: null }, start + 340_000));
  write((now) => restored(now, plan, start + 350_000));
  return items;
}

function told(items: readonly ServiceItem[]): Chapter[] {
  return items.flatMap((item, index) => (index === 0 ? [] : chaptersOf(items[index - 1]!, item)));
}

/** Without what was intended and done between them. */
function milestones(chapters: readonly Chapter[]): Chapter[] {
  return chapters.filter(({ kind }) => kind !== 'intended' && kind !== 'done');
}

describe('a story', () => {
  it.each([
    ['live', ['started', 'launched', 'shifted', 'shifted', 'live']],
    ['restored', ['started', 'launched', 'shifted', 'goingBack', 'weightsRestored', 'restored']],
    ['removed', ['started', 'launched', 'goingBack', 'weightsRestored', 'removed']],
  ] as const)('that ends %s tells each thing once', (end, kinds) => {
    const chapters = told(courseTo(end));
    expect(milestones(chapters).map(({ kind }) => kind)).toEqual(kinds);
    expect(new Set(chapters.map(({ id }) => id)).size).toBe(chapters.length);
  });

  it('says when each thing happened', () => {
    expect(milestones(told(courseTo('live'))).map(({ kind, seconds }) => [kind, seconds])).toEqual([
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
    expect(message.subject).toBe('web: web-g0001 (shop/web:v1) is not ended yet');
    expect(message.text).toContain('It goes by itself when they stop');
    const again = retiring(old, 'retire', start + 2_000_000);
    expect(chaptersOf(old, again)).toEqual([]);
    expect(chaptersOf(again, put(again, start + 2_000_000))).toEqual([]);
  });

  it('tells a step that was written twice once', () => {
    const { item, plan } = baking(1);
    expect(chaptersOf(item, shifted(item, plan, plan.steps[0]!, 0, start + 9))).toEqual([]);
    const back = restoredWeights(
      restoring(item, plan, item.weights!, because('why'), start),
      plan,
      start,
      start + 10,
    );
    expect(chaptersOf(item, back).map(({ kind }) => kind)).toContain('weightsRestored');
    expect(chaptersOf(back, restoredWeights(back, plan, start, start + 20))).toEqual([]);
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
    const commands = milestones(told(courseTo('restored'))).map(({ kind, restore }) => [
      kind,
      restore !== null,
    ]);
    expect(commands).toEqual([
      ['started', true],
      ['launched', true],
      ['shifted', true],
      ['goingBack', true],
      ['weightsRestored', true],
      ['restored', false],
    ]);
    expect(told(courseTo('removed')).every(({ restore }) => restore === null)).toBe(true);
    const intents = told(courseTo('restored')).filter(({ intent }) => intent !== null);
    expect(intents.filter(({ restore }) => restore !== null)).toEqual([]);
  });
});

describe('the record of a deployment', () => {
  const words = (end: 'live' | 'restored') =>
    told(courseTo(end))
      .filter(({ kind }) => kind === 'intended' || kind === 'done')
      .map((chapter) => [chapter.kind, messageOf(chapter).subject]);

  it('has each intent with what came of it, the weights before and after', () => {
    const launch = 'web: the launch of web-g0002';
    const shift = (weights: string) => `web: the shift of web-g0002 (${weights})`;
    const [first, second] = ['blue 100 -> blue 90, green 10', 'blue 90, green 10 -> green 100'];
    expect(words('live')).toEqual([
      ['intended', `${launch} is about to be written`],
      ['done', `${launch} is done`],
      ['intended', `${shift(first)} is about to be written`],
      ['done', `${shift(first)} is done`],
      ['intended', `${shift(second)} is about to be written`],
      ['done', `${shift(second)} is done`],
    ]);
    expect(words('restored').slice(4)).toEqual([
      ['intended', 'web: the restore of web-g0002 (blue 90, green 10 -> blue 100) is about to be written'],
      ['done', 'web: the restore of web-g0002 (blue 90, green 10 -> blue 100) is done'],
      ['intended', 'web: the end of web-g0002 is about to be written'],
      ['done', 'web: the end of web-g0002 is done'],
    ]);
  });

  it('says who asked for it, under which fence, and which invocation wrote it', () => {
    const { item, plan } = baking(1);
    const call = { count: 1, errors: 0, ms: 40 };
    const written = {
      by: 'shift',
      request: 'request-1',
      at: start + 60_090,
      ms: 90,
      calls: { 'elasticloadbalancing:ModifyRule': call },
    };
    const intent = { kind: 'shift' as const, before: item.weights, after: plan.steps[1]!.weights };
    const intends = intending(item, plan, intent, start + 60_000);
    const [second, done] = chaptersOf(intends, {
      ...shifted(intends, plan, plan.steps[1]!, 1, start + 60_080),
      written,
    });
    expect(done).toMatchObject({
      kind: 'done',
      push: 'event-2',
      order: null,
      step: 1,
      desired: 2,
      at: start + 60_090,
      intent: { ...intent, fence: plan.fence, at: start + 60_000 },
      written,
    });
    expect(second).toMatchObject({ kind: 'shifted', at: start + 60_080, written });
    expect(chaptersOf(replacedItem(), goingBack().item)[0]).toMatchObject({
      push: null,
      order: { by: 'ann', reason: 'slow' },
    });
  });

  it('leaves an intent that came to nothing without its end: what was intended next says why', () => {
    const { item, plan } = baking(1);
    const tried = (at: number) =>
      intending(item, plan, { kind: 'shift', before: item.weights, after: plan.steps[1]!.weights }, at);
    const again = chaptersOf(tried(start), tried(start + 9));
    expect(again.map(({ kind, at }) => [kind, at])).toEqual([['intended', start + 9]]);
    const back = restoring(tried(start), plan, item.weights!, because('somebody else wrote'), start + 10);
    expect(chaptersOf(tried(start), back).map(({ kind, reason }) => [kind, reason])).toEqual([
      ['goingBack', 'somebody else wrote'],
      ['intended', 'somebody else wrote'],
    ]);
  });

  it('is read as an older version told it', () => {
    const [chapter] = told(courseTo('live'));
    const { push, order, intent, step, desired, written, ...older } = chapter!;
    expect([push, order, intent, step, desired, written]).toEqual(['event-2', null, null, -1, null, null]);
    expect(chapterSchema.parse(older)).toEqual({ ...chapter, push: null, step: null });
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
    const back = restoring(
      item,
      plan,
      item.weights!,
      because('the alarm web-errors is red'),
      start + 300_000,
    );
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

  it('of an intent, of the launch and of the weights being back only goes to the ledger', () => {
    expect(new Set(chapters.filter((chapter) => !isSpoken(chapter)).map(({ kind }) => kind))).toEqual(
      new Set(['intended', 'done', 'launched', 'weightsRestored']),
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
    milestones(chaptersOf(before, after)).map((chapter) => messageOf(chapter).text.split('\n').slice(0, 2));

  it('says who asked for it and why, and that it is done', () => {
    expect(told(replacedItem(), item)).toEqual([
      ['web: going back to web-g0001 (shop/web:v1)', 'Why: ann: slow'],
    ]);
    // Whether it was kept or is launched anew.
    expect(told(item, launched(item, plan, 2))).toEqual([
      ['web: web-g0001 (shop/web:v1) must prove itself healthy', 'Why: ann: slow'],
    ]);
    expect(told(item, promoted(item, plan, start + 660_000))).toEqual([
      ['web: back on web-g0001 (shop/web:v1) after 60 s', 'Why: ann: slow'],
    ]);
  });

  it('says why it failed, and that all is as before', () => {
    const back = restoring(
      item,
      plan,
      item.weights!,
      because('web-g0001 did not stay healthy'),
      start + 660_000,
    );
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
