/** Pushes that no event announced: events are best effort, so the sweep looks what the registry holds. */

import type { ServiceItem } from '../ledger/service-item.ts';
import { type Digest, shortDigest } from '../names.ts';
import type { ServiceSettings } from '../service-settings.ts';
import type { Push } from './push.ts';
import { lackingLabel, notRunnable, type RegistryImage } from './registry-image.ts';
import { isDeployable } from './tag-pattern.ts';

/** An event is seconds on its way; what was pushed that recently is not lost yet. */
const underWayMs = 60_000;

const findingPrefix = 'sweep-';

/** Whether a push is one that the sweep found, not one that ECR announced. */
export function isFinding(eventId: string): boolean {
  return eventId.startsWith(findingPrefix);
}

/** What is wanted and was never answered; undefined in the quiet case, and while somebody has the service or a push waits. */
export function unannounced(
  item: ServiceItem,
  {
    repository,
    tags,
    labels,
    findings,
  }: Pick<ServiceSettings, 'repository' | 'tags' | 'labels' | 'findings'>,
  images: readonly RegistryImage[],
  now: number,
): Push | undefined {
  if (!findings || item.owner !== null || item.pending !== null) return undefined;
  const runnable = images.filter(
    (image) => notRunnable(image) === undefined && lackingLabel(image, labels) === undefined,
  );
  const isPattern = (tag: string): boolean => tag.includes('*');
  const wanted = [
    ...tags.filter((tag) => !isPattern(tag)).flatMap((tag) => namedBy(item, tag, runnable) ?? []),
    ...newestOf(item, tags.filter(isPattern), runnable),
  ];
  const last = item.lastPush?.at ?? 0;
  const [newest] = wanted
    .filter(({ at, image }) => at >= last && image.pushedAt + underWayMs <= now && isFree(item, image.digest))
    .toSorted((a, b) => b.at - a.at || b.image.pushedAt - a.image.pushedAt);
  if (newest === undefined) return undefined;
  const { tag, at, image } = newest;
  const eventId = `${findingPrefix}${tag.slice(0, 100)}-${shortDigest(image.digest)}`;
  return { eventId, at, repository, tag, digest: image.digest };
}

interface Wanted {
  readonly tag: string;
  /** As late as it may have happened at the earliest: it never outranks an event of later. */
  readonly at: number;
  readonly image: RegistryImage;
}

/** A tag that does not change is wanted as it is now, also when it went back to a digest that was proven good. */
function namedBy(item: ServiceItem, tag: string, images: readonly RegistryImage[]): Wanted | undefined {
  const image = images.find(({ tags }) => tags.includes(tag));
  if (image === undefined || !isDeployable([tag], tag)) return undefined;
  const last = item.seen.findLast((each) => each.tag === tag);
  if (last === undefined || last.digest === image.digest)
    return isKnown(item, image.digest) ? undefined : { tag, at: image.pushedAt, image };
  const proven = item.proven.some(({ digest }) => digest === image.digest);
  if (isKnown(item, image.digest) && !proven) return undefined;
  // Tagging again does not change when the image was pushed, but it came after what was taken last.
  return { tag, at: Math.max(image.pushedAt, item.lastPush?.at ?? 0), image };
}

/** Of all that the patterns take only the newest; nothing when that one was answered. */
function newestOf(
  item: ServiceItem,
  patterns: readonly string[],
  images: readonly RegistryImage[],
): readonly Wanted[] {
  const matching = images.flatMap((image) => {
    const tag = image.tags
      .filter((each) => isDeployable(patterns, each))
      .toSorted()
      .at(-1);
    return tag === undefined ? [] : [{ tag, at: image.pushedAt, image }];
  });
  const [newest] = matching.toSorted((a, b) => b.at - a.at);
  return newest === undefined || isKnown(item, newest.image.digest) ? [] : [newest];
}

/** It was answered under whatever tag, or deployed before answers were remembered: what failed is not tried again. */
function isKnown(item: ServiceItem, digest: Digest): boolean {
  const { live, retained, proven, deployment, seen } = item;
  const generations = [live, deployment?.plan.to, ...retained.map(({ generation }) => generation), ...proven];
  return seen.some((each) => each.digest === digest) || generations.some((each) => each?.digest === digest);
}

function isFree({ live, held }: ServiceItem, digest: Digest): boolean {
  return live?.digest !== digest && !held.some((each) => each.digest === digest);
}
