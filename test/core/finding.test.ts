/** Which push the sweep finds in a repository, and that it starts nothing twice, nothing old and nothing that failed. */
import { describe, expect, it } from 'vitest';
import { admit } from '../../functions/core/deployment/admission.ts';
import { isFinding, unannounced } from '../../functions/core/images/finding.ts';
import { eventOf, type Push, readPush } from '../../functions/core/images/push.ts';
import { newServiceItem, type ServiceItem } from '../../functions/core/ledger/service-item.ts';
import {
  admitted,
  amiOf,
  digestOf,
  generationOf,
  imageOf,
  liveItem,
  offerOf,
  pendingOf,
  pushOf,
  replacedItem,
  retainedOf,
  start,
  web,
} from './examples.ts';

const now = start + 3_600_000;
const patterns = { repository: 'shop/web', tags: ['v*'], labels: {}, findings: true };
const fixed = { repository: 'shop/web', tags: ['stable', 'latest'], labels: {}, findings: true };
const find = (item: ServiceItem, images = [1, 2].map((number) => imageOf(number)), settings = patterns) =>
  unannounced(item, settings, images, now);

function answer(number: number, tag = `v${number}`): ServiceItem['seen'][number] {
  const at = pushOf(number).at;
  return { eventId: `event-${number}`, tag, digest: digestOf(number), pushedAt: at, at: at + 5_000 };
}
const named = (number: number, ...tags: string[]) => imageOf(number, { tags });

describe('of the tags that match a pattern', () => {
  it('the newest is wanted, under an id that a repeat gives again', () => {
    const push = find(liveItem());
    expect(push).toEqual({
      eventId: 'sweep-v2-000000000000',
      at: pushOf(2).at,
      repository: 'shop/web',
      tag: 'v2',
      digest: digestOf(2),
    });
    expect(isFinding(push!.eventId)).toBe(true);
    expect(find(liveItem())).toEqual(push);
  });

  it('the newest is wanted by a service that was never deployed', () => {
    expect(find(newServiceItem(web))).toMatchObject({ tag: 'v2' });
  });

  it('the newest by its push, whatever its name', () => {
    const images = [named(9, 'v1'), named(3, 'v9'), named(1, 'v3')];
    expect(find(newServiceItem(web), images)).toMatchObject({ tag: 'v1' });
  });

  it.each<[string, ServiceItem, ReturnType<typeof imageOf>[]?]>([
    ['is live', replacedItem()],
    ['was answered, whatever the answer was', liveItem({ seen: [answer(2)] })],
    ['was answered under another tag', liveItem({ seen: [answer(2, 'v2-rc')] })],
    [
      'is held',
      liveItem({
        held: [
          { digest: digestOf(2), generation: generationOf(2).name, by: 'ann', reason: 'slow', at: start },
        ],
      }),
    ],
    ['is kept warm', liveItem({ retained: [retainedOf(generationOf(2), now)] })],
    ['failed before answers were remembered', { ...admitted().item, owner: null, seen: [] }],
    [
      'is older than the push that was taken last',
      liveItem({ lastPush: { eventId: 'event-9', at: pushOf(2).at + 1 } }),
    ],
    ['was pushed just now: its event is under way', liveItem(), [imageOf(2, { pushedAt: now - 59_999 })]],
    [
      'is an artifact',
      liveItem(),
      [imageOf(2, { artifactType: 'application/vnd.cncf.helm.config.v1+json' })],
    ],
    ['is a signature', liveItem(), [imageOf(2, { subject: digestOf(1) })]],
    ['names what is attached to an image', liveItem(), [named(2, `sha256-${'0'.repeat(64)}.sig`)]],
    ['only keeps an image from expiring', liveItem(), [named(2, 'retain-web-g0002')]],
    ['matches no pattern', liveItem(), [named(2, 'nightly')]],
    ['does not exist', liveItem(), []],
  ])('nothing is wanted when the newest %s', (_, item, images) => {
    expect(find(item, images)).toBeUndefined();
  });

  it('nothing older is looked for when the newest was answered', () => {
    const images = [1, 2, 3].map((number) => imageOf(number));
    expect(find(liveItem({ seen: [answer(3)], lastPush: null }), images)).toBeUndefined();
  });

  it.each<[string, ServiceItem]>([
    ['somebody has the service', admitted().item],
    ['a push waits', liveItem({ pending: pendingOf(3) })],
  ])('nothing is started while %s', (_, item) => {
    expect(find(item, [imageOf(4)])).toBeUndefined();
  });
});

describe('a tag that stands for itself', () => {
  const item = replacedItem({ seen: [answer(1, 'latest'), answer(2, 'latest')] });

  it('is wanted as it is now, not earlier than what was taken last: tagging again does not change the image', () => {
    const older = imageOf(0, { tags: ['latest'] });
    expect(find(item, [older, named(2)], fixed)).toMatchObject({
      tag: 'latest',
      digest: digestOf(0),
      at: item.lastPush!.at,
    });
  });

  it('is wanted when it went back to what was proven good', () => {
    expect(find(item, [named(1, 'latest'), named(2)], fixed)).toMatchObject({ digest: digestOf(1) });
  });

  it.each<[string, ServiceItem, ReturnType<typeof imageOf>[]]>([
    ['names what it named last', item, [named(2, 'latest')]],
    ['names what is live', { ...item, seen: [answer(1, 'latest')] }, [named(2, 'latest')]],
    [
      'went back to what failed',
      { ...item, seen: [answer(3, 'latest'), answer(2, 'latest')] },
      [named(3, 'latest')],
    ],
    [
      'is older than what was taken last',
      liveItem({ lastPush: { eventId: 'e', at: now } }),
      [named(2, 'latest')],
    ],
    ['names nothing', item, [named(2)]],
  ])('is not wanted when it %s', (_, given, images) => {
    expect(find(given, images, fixed)).toBeUndefined();
  });

  it('is wanted before an older one', () => {
    expect(find(newServiceItem(web), [named(3, 'latest'), named(4, 'stable')], fixed)).toMatchObject({
      tag: 'stable',
    });
  });
});

describe('a finding that is offered', () => {
  const found = find(liveItem())!;
  const offer = (push: Push, changes = {}) => offerOf(push, { image: imageOf(2), now, ...changes });

  it('is deployed, and found no more when that failed', () => {
    const { item } = admitted(liveItem(), offer(found));
    expect(item.seen).toMatchObject([{ eventId: found.eventId, tag: 'v2', at: now }]);
    expect(find({ ...item, owner: null, deployment: null })).toBeUndefined();
  });

  it('comes to nothing when its event came first', () => {
    const { item } = admitted();
    expect(admit({ ...item, owner: null }, offer(found)).admission).toMatchObject({
      admission: 'nothing',
      reason: 'the push of v2 was answered before the sweep looked for it',
    });
  });

  it('comes to nothing when its push waits by now', () => {
    const waiting = liveItem({ pending: pendingOf(2) });
    expect(admit(waiting, offer(found)).admission).toMatchObject({ admission: 'nothing' });
  });

  it('makes its event, should it come after all, come to nothing, also when the deployment failed', () => {
    const { item } = admitted(liveItem(), offer(found));
    const late = offerOf(pushOf(2, { at: pushOf(2).at + 1_000 }), { now: now + 60_000 });
    for (const each of [item, { ...item, owner: null, deployment: null }]) {
      expect(admit(each, late).admission).toMatchObject({
        admission: 'nothing',
        reason: 'the sweep found the push of v2 before its event came',
      });
    }
  });

  it('does not keep somebody from pushing the same again later', () => {
    const { item } = admitted(liveItem(), offer(found));
    const again = offerOf(pushOf(2, { at: now + 1 }), { now: now + 60_000 });
    expect(admit({ ...item, owner: null, deployment: null }, again).admission.admission).toBe('admitted');
  });

  it('never outranks a push that was made later', () => {
    const { item } = admitted(liveItem(), offerOf(pushOf(3)));
    expect(admit({ ...item, owner: null }, offer(found)).admission).toMatchObject({
      admission: 'superseded',
    });
  });
});

describe('of AMIs', () => {
  const amis = { repository: 'ami:self', tags: ['worker-*'], labels: { Release: 'true' }, findings: true };
  const ami = (number: number, labels = {}) =>
    imageOf(number, { digest: amiOf(number), tags: [`worker-${number}`, 'retain-web-g0001'], labels });
  const released = { Release: 'true' };

  it('the newest that bears the tags is wanted', () => {
    const all = [ami(1, released), ami(2, released), ami(3), ami(4, { Release: 'no' })];
    expect(find(liveItem(), all, amis)).toEqual({
      eventId: `sweep-worker-2-${amiOf(2)}`,
      at: pushOf(2).at,
      repository: 'ami:self',
      tag: 'worker-2',
      digest: amiOf(2),
    });
  });

  it('none is wanted where their pipeline says when', () => {
    expect(find(liveItem(), [ami(2, released)], { ...amis, findings: false })).toBeUndefined();
  });

  it('the id fits an event, however long the name is', () => {
    const long = imageOf(2, { digest: amiOf(2), tags: [`worker-${'x'.repeat(121)}`], labels: released });
    const push = find(liveItem(), [long], amis);
    expect(readPush(eventOf(push!), amis)).toMatchObject({
      kind: 'announced',
      ami: { eventId: push?.eventId, at: push?.at, digest: push?.digest },
    });
  });
});

describe('what was answered', () => {
  it('is remembered in a bounded number, the last ones', () => {
    let item = liveItem();
    for (let number = 2; number <= 80; number++) {
      item = admit(item, offerOf(pushOf(number, { digest: digestOf(1) }))).item;
    }
    expect(item.seen).toHaveLength(50);
    expect(item.seen.at(-1)).toMatchObject({ tag: 'v80' });
  });
});
