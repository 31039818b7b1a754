/**
 * Looks after instances that are drained before they end: those that wait are kept from ending, those that nobody let go when their
 * time was over are, those that are gone are forgotten, and those whose event was lost are found. All can be repeated.
 */
import {
  beginning,
  type Draining,
  drained,
  drainedGenerations,
  drainedUntil,
  drainIn,
  draining,
  drainOf,
  isForgotten,
} from '../core/fleet/drain.ts';
import type { Drain, ServiceItem } from '../core/ledger/service-item.ts';
import { type EndDrainPorts, letGo } from './run-drain.ts';

/** Calls of EC2 Auto Scaling at once, for it throttles an account. */
const together = 10;

export async function lookAfterDrains(item: ServiceItem, ports: EndDrainPorts): Promise<void> {
  if (item.drains.length === 0) return;
  const { ledger, now } = ports;
  // What is declared may let more drain than before, or all go.
  const { item: current } = await ledger.change(item.service, (each) => ({ item: beginning(each, now()) }));
  const gone: Draining[] = [];
  try {
    await each(current.drains, async (of) => {
      if (isForgotten(current, of, now())) await letGo(item.service, of, overdue(current, of), ports);
      else if ((await ports.drains.keep(of)) === 'gone') gone.push(of);
    });
  } finally {
    if (gone.length > 0)
      await ledger.change(item.service, (known) => ({ item: drained(known, gone, now()) }));
  }
}

/** Instances that wait for their end, and of which nobody has heard. */
export async function findDrains(item: ServiceItem, { drains, ledger, now }: EndDrainPorts): Promise<void> {
  const generations = drainedGenerations(item);
  if (generations.length === 0) return;
  const unknown = (await drains.waiting(generations)).filter((of) => drainIn(item, of) === undefined);
  const found: Draining[] = [];
  try {
    // One that waits for another hook of its group has been drained, or never was to be.
    await each(unknown, async (of) => {
      if ((await drains.keep(of)) === 'kept') found.push(of);
    });
  } finally {
    if (found.length > 0)
      await ledger.change(item.service, (known) => ({
        item: found.reduce((next, of) => draining(next, of, now()).item, known),
      }));
  }
}

/** Undefined where nobody was to drain it. */
function overdue(item: ServiceItem, { startedAt }: Drain): string | undefined {
  if (drainOf(item) === null) return undefined;
  return `nobody said until ${new Date(drainedUntil(item, startedAt ?? 0)).toISOString()} that it is drained, so it was let go`;
}

/** One that fails does not keep the others; the first failure is thrown in the end. */
async function each<T>(all: readonly T[], one: (of: T) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  for (let at = 0; at < all.length; at += together) {
    const done = await Promise.allSettled(all.slice(at, at + together).map(one));
    failures.push(...done.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
  }
  if (failures.length > 0) throw failures[0];
}
