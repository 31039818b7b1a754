/**
 * Instances that are drained before they end: by which lifecycle hook, for how long, and how many together. Each is an entry of
 * the service item, so that the compare-and-set of that item is the lock; who reads the ledger's stream has the function called.
 */
import { shortened } from '../errors.ts';
import type { Drain, ServiceItem } from '../ledger/service-item.ts';
import type { GenerationName } from '../names.ts';
import { type AsgSettings, readAsg } from './asg-settings.ts';

/** Entries of 200 bytes at most, and the item has 400 KB: of more at once the sweep keeps the rest waiting. */
export const mostDrains = 1_000;

/** Whoever calls the function ends what is over by itself: so much later it is taken for dead. */
const marginMs = 120_000;

/** A function that is broken fails for every instance; people are told of a generation's at most so often. */
const toldAgainMs = 3_600_000;

export type Draining = Pick<Drain, 'generation' | 'instance'>;

/** What is declared now; null when instances end undrained. */
export function drainOf({ deployment }: ServiceItem): AsgSettings['drain'] {
  const settings = deployment?.plan.settings;
  return settings?.fleet.kind === 'asg' ? readAsg(settings).drain : null;
}

/** The generations whose groups may have the hook. */
export function drainedGenerations({ live, retained, deployment }: ServiceItem): readonly GenerationName[] {
  if (deployment === null) return [];
  const { from, to, settings } = deployment.plan;
  const all = [live, from, to, ...retained.map(({ generation }) => generation)].flatMap((each) => each ?? []);
  const groups = all.filter(({ fleet }) => (fleet ?? settings.fleet).kind === 'asg');
  return [...new Set(groups.map(({ name }) => name))];
}

/** An instance is to be drained: at once, or when it is its turn. One that is known already stays as it is. */
export function draining(
  item: ServiceItem,
  { generation, instance }: Draining,
  now: number,
): { readonly item: ServiceItem; readonly remark: string } {
  if (item.version === 0) return { item, remark: 'nothing was ever pushed to a service of that name' };
  if (drainIn(item, { generation, instance }) !== undefined) return { item, remark: 'known before' };
  if (item.drains.length >= mostDrains)
    return { item, remark: `${instance} waits: ${mostDrains} instances drain or wait already` };
  const entry: Drain = { generation, instance, since: now, startedAt: null, handed: 0, caller: null };
  const next = beginning({ ...item, drains: [...item.drains, entry] }, now);
  const begun = drainIn(next, entry)?.startedAt != null;
  return { item: next, remark: begun ? `${instance} drains` : `${instance} waits, ${atWork(next)} drain` };
}

/** As many drain as may together, those first that wait longest. Without a declaration all are let go. */
export function beginning(item: ServiceItem, now: number): ServiceItem {
  const free = (drainOf(item)?.atOnce ?? mostDrains) - atWork(item);
  if (free <= 0) return item;
  const next = new Set(
    item.drains
      .filter(({ startedAt }) => startedAt === null)
      .toSorted((one, other) => one.since - other.since)
      .slice(0, free),
  );
  if (next.size === 0) return item;
  return {
    ...item,
    drains: item.drains.map((each) => (next.has(each) ? { ...each, startedAt: now } : each)),
  };
}

/** These are drained, or gone, and others begin. `failure`: why one was not. */
export function drained(
  item: ServiceItem,
  those: readonly Draining[],
  now: number,
  failure?: Draining & { readonly reason: string },
): ServiceItem {
  const drains = item.drains.filter((each) => !those.some((other) => isSame(each, other)));
  if (drains.length === item.drains.length) return item;
  const known = item.undrained;
  const isNews =
    failure !== undefined &&
    (known === null || known.generation !== failure.generation || known.at + toldAgainMs <= now);
  const undrained = isNews ? { ...failure, reason: shortened(failure.reason), at: now } : known;
  return beginning({ ...item, drains, undrained }, now);
}

/**
 * The invocation calls its function, and no other one does: a record of the stream that comes twice would have an instance asked
 * that is gone by then, beside those that drain. An invocation that is tried again has the same id.
 */
export function calledBy(
  item: ServiceItem,
  of: Draining,
  caller: string,
): { readonly item: ServiceItem; readonly refusal: string | undefined } {
  const entry = drainIn(item, of);
  if (entry?.startedAt == null) return { item, refusal: `${of.instance} does not drain (any more)` };
  if (entry.caller === caller) return { item, refusal: undefined };
  if (entry.caller !== null) return { item, refusal: `${of.instance} is drained by ${entry.caller}` };
  return { item: changed(item, entry, { caller }), refusal: undefined };
}

/** Who calls its function could not end it in its own time, and has it handed to another one like it. */
export function handedOn(item: ServiceItem, of: Draining): ServiceItem {
  const entry = drainIn(item, of);
  return entry === undefined ? item : changed(item, entry, { handed: entry.handed + 1, caller: null });
}

/** Undefined when it is not (any more) one of those that drain, or wait for that. */
export function drainIn({ drains }: ServiceItem, of: Draining): Drain | undefined {
  return drains.find((each) => isSame(each, of));
}

/** When an instance must have been drained. */
export function drainedUntil(item: ServiceItem, startedAt: number): number {
  return startedAt + (drainOf(item)?.deadlineSeconds ?? 0) * 1_000;
}

/** Nobody ended it when its time was over. */
export function isForgotten(item: ServiceItem, { startedAt }: Drain, now: number): boolean {
  return startedAt !== null && drainedUntil(item, startedAt) + marginMs <= now;
}

/** Those that have begun, or were handed on, with this change. */
export function begunIn(
  before: ServiceItem | null,
  after: ServiceItem,
): readonly (Drain & { startedAt: number })[] {
  return after.drains.flatMap((each) => {
    const { startedAt, handed } = each;
    const known = before === null ? undefined : drainIn(before, each);
    const isNew = known?.startedAt !== startedAt || known.handed !== handed;
    return startedAt !== null && isNew ? [{ ...each, startedAt }] : [];
  });
}

function atWork({ drains }: ServiceItem): number {
  return drains.filter(({ startedAt }) => startedAt !== null).length;
}

function changed(item: ServiceItem, entry: Drain, change: Partial<Drain>): ServiceItem {
  return { ...item, drains: item.drains.map((each) => (each === entry ? { ...each, ...change } : each)) };
}

function isSame(one: Draining, other: Draining): boolean {
  return one.instance === other.instance && one.generation === other.generation;
}
