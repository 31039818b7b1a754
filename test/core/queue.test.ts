/** Pushes that come while something else is done: the newest waits, and nothing is forgotten. */
import { describe, expect, it } from 'vitest';
import { admit, type Offer } from '../../functions/core/deployment/admission.ts';
import { promoted } from '../../functions/core/deployment/course.ts';
import { needingHand } from '../../functions/core/deployment/hold.ts';
import { putOff } from '../../functions/core/deployment/retention.ts';
import { eventOf, readPush } from '../../functions/core/images/push.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { messageOf } from '../../functions/core/messages/message.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import {
  admitted,
  baking,
  blue,
  digestOf,
  execution,
  generationOf,
  green,
  liveItem,
  offerOf,
  pendingOf,
  pushOf,
  red,
  retainedOf,
  settingsOf,
  start,
  weightsOf,
} from './examples.ts';

const queueing = (changes: Record<string, unknown> = {}) =>
  settingsOf({ whenBusy: 'queueLatest', ...changes });
const offer = (number: number, changes: Partial<Offer> = {}): Offer =>
  offerOf(pushOf(number), { settings: queueing(), ...changes });

const busy = baking(1).item;
const stop = '{"service":"web","signal":"abort","by":"…"}';

describe('a push while another is deployed', () => {
  it('waits, and says for what and how to end it', () => {
    const { item, admission } = admit(busy, offer(3));
    const reason = `it waits for web-g0002-d2 (shop/web:v2) to end; to end that now, invoke the signal function with ${stop}`;
    expect(admission).toEqual({ admission: 'queued', plan: null, reason, notBefore: null });
    expect(item).toEqual({
      ...busy,
      pending: pendingOf(3),
      seen: item.seen,
      intake: {
        id: 'event-3',
        direction: 'forward',
        at: pushOf(3).at + 5_000,
        image: 'shop/web:v3',
        admission: 'queued',
        reason,
        execution: execution('event-3'),
      },
    });
    const [chapter] = chaptersOf(busy, item);
    expect(messageOf(chapter!).subject).toBe('web: shop/web:v3 waits');
  });

  it('takes the place of an older one that waits, which is named', () => {
    const first = admit(busy, offer(3)).item;
    const { item, admission } = admit(first, offer(4));
    expect(item.pending).toEqual(pendingOf(4));
    expect(admission.reason).toMatch(/\. shop\/web:v3, which waited, is superseded by it$/);
    expect(item.lastPush).toEqual(busy.lastPush);
  });

  it('is superseded by a newer one that waits', () => {
    const first = admit(busy, offer(4)).item;
    const { item, admission } = admit(first, offer(3));
    expect(admission).toMatchObject({ admission: 'superseded' });
    expect(item.pending).toEqual(pendingOf(4));
  });

  it('waits once: delivered again it changes nothing', () => {
    const first = admit(busy, offer(3)).item;
    const again = admit(first, offer(3, { execution: { arn: execution('again'), redrives: 0 } }));
    expect(again.item).toBe(first);
    expect(again.admission).toMatchObject({ admission: 'queued', plan: null });
  });

  it('that is held for a person takes its place, but not before their word, and says so', () => {
    const { item, plan } = baking(1);
    const wait = { token: 'token', for: 'hand' as const, deadline: null, entered: start };
    const bar = { Error: 'Cutover.ForeignWeights', Cause: 'somebody else' };
    const held = { ...needingHand(item, plan, { bar, failure: null, deadline: null }, start), wait };
    const decided = admit(held, offer(3, { settings: settingsOf({ whenBusy: 'supersede' }) }));
    expect(decided.end).toBeUndefined();
    expect(decided.admission.reason).toMatch(/, which is held for a person's word: .*"signal":"abort"/);
  });

  it.each(['queueLatest', 'supersede', 'reject'])(
    'asks for nothing when it is of the same image, under another tag (%s)',
    (whenBusy) => {
      const again = pushOf(3, { digest: digestOf(2) });
      const settings = settingsOf({ whenBusy });
      const { item, admission, end } = admit(baking(2).item, offerOf(again, { settings }));
      expect(admission.admission).toBe('nothing');
      expect(admission.reason).toMatch(
        /^web-g0002-d2 \(shop\/web:v2\) deploys \S+ already; should it go back, push it/,
      );
      expect(end).toBeUndefined();
      expect(item).toMatchObject({ pending: null, deployment: { latch: { superseded: null } } });
      const older = admit(item, offerOf(pushOf(4, { at: again.at - 1 }), { settings }));
      expect(older.admission.admission).toBe('superseded');
    },
  );

  it('of the same image is another try when the first one goes back, and newer than what waits', () => {
    const again = offer(4, { push: pushOf(4, { digest: digestOf(2) }) });
    const { item } = baking(2);
    const { latch } = item.deployment!;
    const abort = { by: 'ann', reason: 'slow', at: start };
    const aborted = { ...item, deployment: { ...item.deployment!, latch: { ...latch, abort } } };
    expect(admit(aborted, again).item.pending).toMatchObject(again.push);
    expect(admit(admit(item, offer(3)).item, again).item.pending).toMatchObject(again.push);
  });

  it('is refused where the service says so', () => {
    const { item, admission } = admit(
      busy,
      offerOf(pushOf(3), { settings: settingsOf({ whenBusy: 'reject' }) }),
    );
    expect(admission).toMatchObject({ admission: 'rejected' });
    expect(item.pending).toBeNull();
  });
});

describe('a push that waited', () => {
  const waited = promoted(admit(baking(2).item, offer(3)).item, baking(2).plan, start + 600_000);
  const after = (number: number, changes: Partial<Offer> = {}): Offer =>
    offer(number, {
      execution: { arn: execution('offered'), redrives: 0 },
      weights: weightsOf({ green: 100 }),
      now: start + 700_000,
      ...changes,
    });

  it('waits on when the deployment ended, and is deployed when it is offered again', () => {
    expect(waited.pending).toEqual(pendingOf(3));
    const { item, admission } = admit(waited, after(3));
    expect(admission).toMatchObject({
      admission: 'admitted',
      plan: { to: { name: 'web-g0003' }, from: { name: 'web-g0002' } },
    });
    expect(item).toMatchObject({ pending: null, lastPush: { eventId: 'event-3' } });
    expect(item.admitted.filter((id) => id === 'event-3')).toHaveLength(1);
  });

  it('is the same push when it is offered as an event', () => {
    const source = { repository: 'shop/web', tags: ['v*'] };
    expect(readPush(eventOf(pushOf(3)), source)).toEqual({ kind: 'push', push: pushOf(3) });
  });

  it.each<[string, ServiceItem, Offer, string]>([
    [
      'is live by now',
      { ...waited, live: { ...generationOf(2, green), digest: digestOf(3) } },
      after(3),
      'nothing',
    ],
    [
      'was overtaken by a newer one',
      { ...waited, lastPush: { eventId: 'event-4', at: pushOf(4).at } },
      after(3),
      'superseded',
    ],
    ['meets foreign weights', waited, after(3, { weights: weightsOf({ red: 100 }) }), 'rejected'],
    [
      'has a digest that is held by now',
      {
        ...waited,
        held: [
          { digest: digestOf(3), generation: generationOf(1).name, by: 'ann', reason: 'slow', at: start },
        ],
      },
      after(3),
      'nothing',
    ],
    ['was deployed meanwhile', { ...waited, admitted: ['event-3'] }, after(3), 'nothing'],
  ])('waits no more when it %s, and the outcome is noted', (_, item, again, admission) => {
    const decided = admit(item, again);
    expect(decided.admission).toMatchObject({ admission, plan: null });
    expect(decided.item).toMatchObject({ pending: null, intake: { id: 'event-3', admission } });
  });

  it('stays where it is when another is taken', () => {
    const { item } = admitted(waited, after(5));
    expect(item.pending).toEqual(pendingOf(3));
    expect(admit({ ...item, owner: null }, after(3)).admission).toMatchObject({ admission: 'superseded' });
  });
});

describe('a push while no slot is free', () => {
  const full = (until: number): ServiceItem =>
    liveItem({
      retained: [green, red].map((slot, index) => retainedOf(generationOf(index + 2, slot), until)),
    });
  const due = pushOf(4).at;

  it('waits for one that is about to be free, which is told once', () => {
    const { item, admission } = admit(full(due), offer(4));
    expect(admission).toMatchObject({ admission: 'queued' });
    expect(admission.reason).toMatch(/^it waits for a slot; no slot is free: blue holds web-g0001/);
    expect(item.pending).toEqual(pendingOf(4));
    const again = admit(item, offer(4, { execution: { arn: execution('offered'), redrives: 0 } }));
    expect(again.item).toBe(item);
    const free = { ...item, retained: item.retained.slice(1) };
    expect(admit(free, offer(4)).admission).toMatchObject({ plan: { to: { slot: green } } });
  });

  it('waits for one that is over but for the requests that reach it still', () => {
    const item = full(due + 3_600_000);
    const [first, ...others] = item.retained;
    const reached = [1_000, 3_600_000].map((ago) =>
      putOff({ ...first!, until: due, reachedSince: due - ago }, due),
    );
    for (const each of reached)
      expect(admit({ ...item, retained: [each, ...others] }, offer(4)).item.pending).toEqual(pendingOf(4));
    const kept = putOff({ ...first!, reachedSince: due - 1_000 }, due);
    const decided = admit({ ...item, retained: [kept, ...others] }, offer(4));
    expect(decided.admission).toMatchObject({ admission: 'rejected' });
  });

  it('is refused when none will be for long, or when nothing may wait', () => {
    expect(admit(full(due + 3_600_000), offer(4)).admission).toMatchObject({ admission: 'rejected' });
    expect(admit(full(due), offerOf(pushOf(4))).admission).toMatchObject({ admission: 'rejected' });
  });
});

describe('a push of a digest that is held', () => {
  const held = [
    { digest: digestOf(2), generation: generationOf(2).name, by: 'ann', reason: 'slow', at: start },
  ];
  it.each([
    ['a service that is free', liveItem({ held })],
    ['a service that is busy', { ...busy, held }],
  ])('comes to nothing at %s, and says who holds it and how to release it', (_, item) => {
    const again = { ...pushOf(3), digest: digestOf(2) };
    const decided = admit(
      item,
      offerOf(again, { settings: queueing(), weights: weightsOf({ [blue]: 100 }) }),
    );
    expect(decided.admission).toMatchObject({
      admission: 'nothing',
      reason:
        '000000000000 is held since ann went back from web-g0002 (slow); push another image, or release it: {"service":"web","signal":"release","by":"…"}',
    });
    expect(decided.item).toEqual({ ...item, intake: decided.item.intake, seen: decided.item.seen });
  });
});

describe('a push while nothing may be deployed', () => {
  const friday = Date.UTC(2026, 0, 2, 16, 30);
  const weekend = {
    kind: 'weekly',
    days: ['fri'],
    from: '17:00',
    to: '24:00',
    timeZone: 'Europe/Zurich',
    reason: 'no deployments on Friday evening',
  };
  const frozen = (changes: Partial<Offer> = {}): Offer =>
    offer(2, { settings: queueing({ freeze: [weekend] }), now: friday, ...changes });
  const until = Date.UTC(2026, 0, 2, 23);

  it('waits until that is over, and says so once', () => {
    const first = admit(liveItem(), frozen());
    expect(first.admission).toMatchObject({
      admission: 'queued',
      reason:
        'nothing is deployed until 2026-01-02T23:00:00.000Z (no deployments on Friday evening); it waits',
    });
    expect(first.item.pending).toMatchObject({ eventId: 'event-2', notBefore: friday + 3_600_000 });
    expect(first.item.owner).toBeNull();
    expect(admit(first.item, frozen()).item).toBe(first.item);
  });

  it.each(['queueLatest', 'supersede'] as const)(
    'waits behind what runs, which it leaves alone: %s',
    (whenBusy) => {
      const { item } = admitted();
      const busy = frozen({
        settings: queueing({ freeze: [weekend], whenBusy }),
        push: pushOf(3),
        execution: { arn: execution('event-3'), redrives: 0 },
      });
      const decided = admit(item, busy);
      expect(decided.admission.admission).toBe('queued');
      expect(decided.item.deployment?.latch).toEqual(item.deployment?.latch);
    },
  );

  it('is deployed when that is over', () => {
    const { item } = admit(liveItem(), frozen());
    expect(admit(item, frozen({ now: until })).admission.admission).toBe('admitted');
  });

  it('is refused for what would refuse it then', () => {
    expect(admit(liveItem(), frozen({ push: pushOf(1) })).admission.admission).toBe('nothing');
  });
});
