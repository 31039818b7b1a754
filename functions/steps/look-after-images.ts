/**
 * What the sweep does with a service's repository: finds the push that no event announced, tells of images that are gone
 * though they may be needed, and takes the tags off that keep what nobody needs. One listing in the quiet case.
 */
import { unannounced } from '../core/images/finding.ts';
import { notingMissing, outdatedTags, unnamedImages } from '../core/images/kept-images.ts';
import type { Push } from '../core/images/push.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Images } from '../ports/images.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

export interface LookAfterImagesPorts {
  readonly ledger: Pick<Ledger, 'change'>;
  readonly images: Pick<Images, 'tagged' | 'existing' | 'untag'>;
  readonly now: Now;
}

/** The push to be started; undefined when none was lost. */
export async function lookAfterImages(
  item: ServiceItem,
  settings: ServiceSettings,
  { ledger, images, now }: LookAfterImagesPorts,
): Promise<Push | undefined> {
  const { service, repository } = settings;
  const all = await images.tagged(repository);
  const unnamed = unnamedImages(item, repository, all);
  if (unnamed.length > 0) {
    const pullable = await images.existing(
      repository,
      unnamed.map(({ digest }) => digest),
    );
    await ledger.change(service, (current) => ({ item: notingMissing(current, pullable, unnamed, now()) }));
  }
  for (const tag of outdatedTags(item, all)) await images.untag(repository, tag);
  return unannounced(item, settings, all, now());
}
