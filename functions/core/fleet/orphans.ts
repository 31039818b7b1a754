/** What bears our tags and is referenced by nothing: found by the sweep, told once, ended when somebody says so. */

import type { Orphan, ServiceItem } from '../ledger/service-item.ts';
import type { GenerationName, SlotName } from '../names.ts';

/** A generation that was found by its tags, whoever knows of it. */
export interface Standing {
  readonly name: GenerationName;
  /** Whether it runs; else only what it was launched from is left. */
  readonly runs: boolean;
  /** Where it runs; null when it does not, or in none of the service's slots. */
  readonly slot: SlotName | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** What is younger may be of a deployment whose first write is not read yet. */
const youngMs = 3_600_000;

/** More than these are told when these are gone. */
const orphansKept = 50;

/** One that ended stays what a rollback is launched like: only what runs of it is an orphan. */
export function isReferenced(
  { live, retained, proven, deployment }: ServiceItem,
  { name, runs }: Pick<Standing, 'name' | 'runs'>,
): boolean {
  const running = deployment?.outcome === null ? deployment.plan : undefined;
  const generations = [
    live,
    running?.from,
    running?.to,
    running?.copyOf,
    ...retained.map(({ generation }) => generation),
    ...(runs ? [] : proven),
  ];
  return generations.some((each) => each?.name === name);
}

export function isProven({ proven }: ServiceItem, name: GenerationName): boolean {
  return proven.some((each) => each.name === name);
}

/** Whether something by that name is worth a closer look: nothing references it, and nobody was told yet. */
export function isNews(item: ServiceItem, found: Pick<Standing, 'name' | 'runs'>): boolean {
  return !isReferenced(item, found) && !item.orphans.some(({ name }) => name === found.name);
}

export function notingOrphans(item: ServiceItem, found: readonly Standing[], now: number): ServiceItem {
  const news = found
    .filter((each) => isNews(item, each) && each.createdAt + youngMs <= now)
    .slice(0, Math.max(0, orphansKept - item.orphans.length))
    .map(({ name, runs }): Orphan => ({ name, runs, at: now }));
  return news.length === 0 ? item : { ...item, orphans: [...item.orphans, ...news] };
}

/** `gone` are ended or were gone; somebody's order is fulfilled when nothing is left, or nothing more can be done. */
export function collected(item: ServiceItem, gone: readonly GenerationName[], isDone: boolean): ServiceItem {
  const orphans = item.orphans.filter(({ name }) => !gone.includes(name));
  return { ...item, orphans, collect: isDone ? null : item.collect };
}
