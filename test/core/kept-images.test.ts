/** Which tags keep images, which may go, and of which missing images people are told. */
import { describe, expect, it } from 'vitest';
import { notingMissing, outdatedTags, unnamedImages } from '../../functions/core/images/kept-images.ts';
import { newServiceItem, type ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { baking, digestOf, generationOf, imageOf, liveItem, replacedItem, start, web } from './examples.ts';

const image = (number: number, ...tags: string[]) => imageOf(number, { tags });

describe('a tag that keeps an image', () => {
  it.each<[string, ServiceItem, ReturnType<typeof imageOf>, readonly string[]]>([
    [
      'goes when its generation is forgotten',
      replacedItem({ lastGeneration: 3 }),
      image(3, 'v3', 'retain-web-g0003'),
      ['retain-web-g0003'],
    ],
    ['stays on what is live', replacedItem(), image(2, 'v2', 'retain-web-g0002'), []],
    ['stays on what was proven', replacedItem(), image(1, 'v1', 'retain-web-g0001'), []],
    ['stays on what is being deployed', baking(1).item, image(2, 'v2', 'retain-web-g0002'), []],
    [
      'stays when the same image is another generation that is needed',
      replacedItem({ lastGeneration: 3 }),
      image(2, 'v2', 'retain-web-g0003'),
      [],
    ],
    [
      'stays when it is the only one: the image would go with it',
      replacedItem({ lastGeneration: 3 }),
      image(3, 'retain-web-g0003'),
      [],
    ],
    [
      'stays when it is the last of several such',
      replacedItem({ lastGeneration: 4 }),
      image(3, 'retain-web-g0003', 'retain-web-g0004'),
      ['retain-web-g0004'],
    ],
    ["stays when it is another service's", replacedItem(), image(3, 'v3', 'retain-api-g0001'), []],
    ['stays when a person made it', replacedItem(), image(3, 'v3', 'retain-for-audit'), []],
    ['stays when the ledger was lost', newServiceItem(web), image(3, 'v3', 'retain-web-g0003'), []],
  ])('%s', (_, item, given, gone) => {
    expect(outdatedTags(item, [given])).toEqual(gone);
  });
});

describe('an image that is gone', () => {
  const item = replacedItem({ retained: [] });
  const names = (of: readonly { name: string }[]) => of.map(({ name }) => name);

  it.each<[string, ServiceItem, readonly string[]]>([
    ['what is live', item, ['web-g0002']],
    ['what is kept warm', replacedItem(), ['web-g0002', 'web-g0001']],
  ])('is asked for when it is of %s', (_, given, expected) => {
    expect(names(unnamedImages(given, 'shop/web', [image(1, 'v1')].slice(given.retained.length)))).toEqual(
      expected,
    );
  });

  it('is asked for when a rollback would go there, and not when it is an older one', () => {
    const proven = [generationOf(0), ...item.proven];
    expect(names(unnamedImages({ ...item, proven }, 'shop/web', [image(2, 'v2')]))).toEqual(['web-g0001']);
  });

  it('is not asked for in another repository', () => {
    expect(unnamedImages(item, 'shop/new', [])).toEqual([]);
  });

  const [live, back] = [generationOf(2), generationOf(1)];
  it('is told once for each generation', () => {
    const once = notingMissing(item, new Set([live.digest]), [live, back], start);
    expect(once.imagesMissing).toEqual([{ generation: back, at: start }]);
    expect(notingMissing(once, new Set(), [back], start + 1)).toBe(once);
    expect(unnamedImages(once, 'shop/web', [image(2, 'v2')])).toEqual([]);
  });

  it('is not told when it has no tag but is there', () => {
    expect(notingMissing(item, new Set([digestOf(1), digestOf(2)]), [live, back], start)).toBe(item);
  });

  it('is forgotten with its generation', () => {
    const told = liveItem({ imagesMissing: [{ generation: generationOf(9), at: start }] });
    expect(notingMissing(told, new Set([digestOf(1)]), [generationOf(1)], start).imagesMissing).toEqual([]);
  });
});
