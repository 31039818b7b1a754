/** ECR's events have a resolution of one second: which of two pushes within one is the newer. */
import { describe, expect, it } from 'vitest';
import { admit, type Offer } from '../../functions/core/deployment/admission.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { admitted, digestOf, imageOf, liveItem, offerOf, pushOf, settingsOf, weightsOf } from './examples.ts';

const { at } = pushOf(2);
const settings = settingsOf({ whenBusy: 'queueLatest', tags: ['latest', 'v*'] });
const offer = (number: number, tag: string, tags: readonly string[], pushedAt = at): Offer =>
  offerOf(pushOf(number, { tag, at }), {
    settings,
    image: imageOf(number, { tags, pushedAt }),
    weights: weightsOf({ blue: 100 }),
  });

/** The first of the two was taken, and ended; or waits for another deployment. */
const taken = (first: Offer): ServiceItem => ({ ...admitted(liveItem(), first).item, owner: null });
const waiting = (first: Offer): ServiceItem => {
  const busy = admitted(liveItem(), offerOf(pushOf(0, { at: at - 60_000 }), { settings })).item;
  const { item } = admit(busy, first);
  if (item.pending === null) throw new Error(item.intake?.reason);
  return item;
};

describe.each([
  ['was taken', taken, 'admitted'],
  ['waits', waiting, 'queued'],
])('a push within the second of one that %s', (_, before, goes) => {
  it.each<[string, Offer, Offer, 'goes' | 'superseded']>([
    [
      'under the same tag goes when the tag names it now',
      offer(2, 'latest', []),
      offer(3, 'latest', ['latest']),
      'goes',
    ],
    [
      'under the same tag does not go when the tag names the other one now',
      offer(2, 'latest', ['latest']),
      offer(3, 'latest', []),
      'superseded',
    ],
    [
      'under another tag goes when its image is the newer one',
      offer(2, 'v2', ['v2'], at - 1_000),
      offer(3, 'v3', ['v3']),
      'goes',
    ],
    [
      'under another tag does not go when its image is the older one',
      offer(2, 'v2', ['v2']),
      offer(3, 'v3', ['v3'], at - 1_000),
      'superseded',
    ],
    ['under another tag goes when nobody can tell', offer(2, 'v2', ['v2']), offer(3, 'v3', ['v3']), 'goes'],
    [
      'goes when the registry does not show it: then the later one is taken',
      offer(2, 'latest', ['latest']),
      { ...offer(3, 'latest', []), image: undefined },
      'goes',
    ],
  ])('%s', (_name, first, second, expected) => {
    const { admission } = admit(before(first), second);
    expect(admission.admission).toBe(expected === 'goes' ? goes : 'superseded');
    expect(/within (?:one|the same) second/.test(admission.reason)).toBe(expected === 'superseded');
  });
});

describe('a push', () => {
  it('that is an artifact comes to nothing, in words', () => {
    const image = imageOf(2, { artifactType: 'application/vnd.cncf.helm.config.v1+json' });
    expect(admit(liveItem(), offerOf(pushOf(2), { image })).admission).toMatchObject({
      admission: 'nothing',
      reason:
        'shop/web:v2 cannot be deployed: it is an artifact (application/vnd.cncf.helm.config.v1+json), not an image',
    });
  });

  it.each([
    ['about another image', { subject: digestOf(1) }, 'it is about another image'],
    [
      'without an image manifest',
      { manifestType: 'application/vnd.oci.artifact.manifest.v1+json' },
      'its manifest is application/vnd.oci.artifact.manifest.v1+json',
    ],
  ])('that is %s comes to nothing', (_, changes, words) => {
    const { admission } = admit(liveItem(), offerOf(pushOf(2), { image: imageOf(2, changes) }));
    expect(admission).toMatchObject({ admission: 'nothing', reason: expect.stringContaining(words) });
  });

  it('of an index, which has no configuration, is deployed', () => {
    const image = imageOf(2, {
      artifactType: undefined,
      manifestType: 'application/vnd.oci.image.index.v1+json',
    });
    expect(admit(liveItem(), offerOf(pushOf(2), { image })).admission.admission).toBe('admitted');
  });
});
