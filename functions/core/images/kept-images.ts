/** Which images must stay in the registry, by which tags, and which of them are gone. */

import type { Plan } from '../deployment/plan.ts';
import { defaultWayBack } from '../deployment/rollback.ts';
import { shortened } from '../errors.ts';
import type { Generation } from '../fleet/generation.ts';
import { goingForward } from '../ledger/ownership.ts';
import type { ServiceItem } from '../ledger/service-item.ts';
import { type Digest, type GenerationName, readGenerationName } from '../names.ts';
import type { RegistryImage } from './registry-image.ts';
import { retainPrefix } from './tag-pattern.ts';

/** `retain-web-g0042`: a lifecycle rule for these keeps what they name from expiring. */
export function retainTag(generation: GenerationName): string {
  return `${retainPrefix}${generation}`;
}

/** The deployment goes on: the image is there now, and only may expire later. */
export function imageNotKept(item: ServiceItem, plan: Plan, why: string): ServiceItem {
  const deployment = { ...goingForward(item, plan), imageNotKept: shortened(why) };
  return { ...item, deployment };
}

/** Retain tags of this service's generations that nobody needs any more; never the only tag of an image. */
export function outdatedTags(item: ServiceItem, images: readonly RegistryImage[]): readonly string[] {
  const needed = neededGenerations(item);
  const names = new Set(needed.map(({ name }) => retainTag(name)));
  const digests = new Set(needed.map(({ digest }) => digest));
  return images
    .filter(({ digest }) => !digests.has(digest))
    .flatMap(({ tags }) => {
      const outdated = tags.filter((tag) => isOwnRetainTag(item, tag) && !names.has(tag));
      return outdated.length < tags.length ? outdated : outdated.slice(1);
    });
}

/** Also of generations whose number was never issued there is none: the ledger that knew of them is lost. */
function isOwnRetainTag({ service, lastGeneration }: ServiceItem, tag: string): boolean {
  if (!tag.startsWith(retainPrefix)) return false;
  const read = readGenerationName(tag.slice(retainPrefix.length));
  return read?.service === service && read.number <= lastGeneration;
}

function neededGenerations({ live, retained, proven, deployment }: ServiceItem): readonly Generation[] {
  const { from, to, copyOf } = deployment?.outcome === null ? deployment.plan : none;
  const some = [live, from, to, copyOf].flatMap((each) => each ?? []);
  return [...some, ...retained.map(({ generation }) => generation), ...proven];
}

const none = { from: null, to: null, copyOf: null } as const;

/**
 * Generations that run, or that a rollback goes to unless it is told, whose images no tag of `repository` names any more;
 * nobody was told of them.
 */
export function unnamedImages(
  item: ServiceItem,
  repository: string,
  images: readonly RegistryImage[],
): readonly Generation[] {
  const named = new Set(images.map(({ digest }) => digest));
  const told = new Set(item.imagesMissing.map(({ generation }) => generation.name));
  return watched(item).filter(
    (each) => each.repository === repository && !named.has(each.digest) && !told.has(each.name),
  );
}

/** Notes those whose image is gone, once for each generation, as long as that one is needed. */
export function notingMissing(
  item: ServiceItem,
  pullable: ReadonlySet<Digest>,
  asked: readonly Generation[],
  now: number,
): ServiceItem {
  const needed = watched(item);
  const isNeeded = ({ name }: Generation): boolean => needed.some((each) => each.name === name);
  const known = item.imagesMissing.filter(({ generation }) => isNeeded(generation));
  const told = (of: Generation): boolean => known.some(({ generation }) => generation.name === of.name);
  const gone = asked.filter((each) => !pullable.has(each.digest) && isNeeded(each) && !told(each));
  if (gone.length === 0 && known.length === item.imagesMissing.length) return item;
  return { ...item, imagesMissing: [...known, ...gone.map((generation) => ({ generation, at: now }))] };
}

function watched(item: ServiceItem): readonly Generation[] {
  const back = defaultWayBack(item);
  const all = [item.live, ...item.retained.map(({ generation }) => generation), back].flatMap(
    (each) => each ?? [],
  );
  return all.filter((each, index) => all.findIndex(({ name }) => name === each.name) === index);
}
