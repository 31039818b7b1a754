/**
 * Ends the orphans of a service that its retirement holds, as somebody ordered. Each is looked at again right before: what
 * is referenced by now, does not bear our tags or may get requests is left alone. A repeat finds them gone.
 */

import { isProven, isReferenced, type Standing } from '../core/fleet/orphans.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import type { GenerationName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Traffic } from '../ports/traffic.ts';

export interface CollectPorts {
  readonly fleet: Fleet;
  readonly traffic: Traffic;
}

/** So many are ended well within the time that a step has; the sweep starts another visit for the rest. */
const perVisit = 10;

export interface Collected {
  readonly gone: readonly GenerationName[];
  /** Why others were left alone, in words. */
  readonly left: readonly string[];
  /** Nothing more can be done for this order. */
  readonly isDone: boolean;
}

export async function collect(
  item: ServiceItem,
  settings: ServiceSettings,
  ports: CollectPorts,
): Promise<Collected> {
  const names = new Set(item.orphans.map(({ name }) => name));
  const found = await ports.fleet.standing(
    settings,
    (each) => names.has(each.name) && !isReferenced(item, each),
  );
  const ended: GenerationName[] = [];
  const left: string[] = [];
  const ending: string[] = [];
  let looked = 0;
  for (const each of found) {
    if (ended.length === perVisit) break;
    looked += 1;
    const bar = await barOf(each, settings, ports.traffic);
    if (bar === undefined) {
      const what = isProven(item, each.name) ? 'what runs' : 'all';
      if ((await ports.fleet.discard(settings, each.name, what)) === 'ended') ended.push(each.name);
      else ending.push(`${each.name} is told to end, and its last instances are not gone yet`);
    } else left.push(bar);
  }
  const standing = new Set(found.map(({ name }) => name));
  return {
    gone: [...ended, ...[...names].filter((name) => !standing.has(name))],
    left: [...left, ...ending],
    isDone: looked === found.length && ending.length === 0,
  };
}

/** Why it may not be ended: unknown means no. */
async function barOf(
  { name, runs, slot }: Standing,
  { traffic: settings }: ServiceSettings,
  traffic: Traffic,
): Promise<string | undefined> {
  if (!runs) return undefined;
  if (slot === null) return `${name} is left alone: it runs in none of the service's slots`;
  const weight = (await traffic.weights(settings))[slot] ?? 0;
  return weight === 0 ? undefined : `${name} is left alone: its slot ${slot} has weight ${weight}`;
}
