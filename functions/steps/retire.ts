/**
 * Ends the generations whose retention is over, and the orphans that somebody wants ended, and says when to come again. Runs in the same function as `terminate`. Holds
 * the service while it writes; waits while a deployment holds it. A repeat finds them gone.
 */
import * as z from 'zod';
import { retired, retiring } from '../core/course.ts';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/generation.ts';
import { type GenerationName, serviceName } from '../core/names.ts';
import { collected } from '../core/orphans.ts';
import { due, nextDue, quietHoldMs } from '../core/retention.ts';
import type { ServiceItem } from '../core/service-item.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { type Collected, collect } from './collect.ts';
import { refuseWhileWeighted, type TerminatePorts } from './terminate.ts';

export const retireInput = z.object({ service: serviceName, execution: z.string() });
type RetireInput = z.infer<typeof retireInput>;

/** How soon to come again while a deployment holds the service: ever more rarely, for an execution's history is finite. */
const busyMs = 60_000;
const busyShare = 1 / 50;

export interface RetireOutput {
  readonly retired: readonly string[];
  /** Orphans that were ended, or were gone; why others were left. Absent when nobody ordered it. */
  readonly collected?: Omit<Collected, 'isDone'>;
  /** ISO time of the next visit; null when nothing is retained. */
  readonly next: string | null;
}

export async function retire(
  { service, execution }: RetireInput,
  ports: TerminatePorts,
): Promise<RetireOutput> {
  const item = await ports.ledger.read(service);
  const now = ports.now();
  const settled = (item.weightsAt ?? 0) + quietHoldMs;
  // What this execution holds from a try that was killed must be given back, whatever is due by now.
  if (item.owner?.execution !== execution) {
    if (item.owner !== null) return { retired: [], next: visit(item, afterBusy(item, now)) };
    if (now < settled) return { retired: [], next: visit(item, settled) };
    if (due(item.retained, now).length === 0 && item.collect === null)
      return { retired: [], next: visit(item, now) };
  }

  const gone: GenerationName[] = [];
  let swept: Collected | undefined;
  const held = await ports.ledger.change(service, (current) => ({ item: retiring(current, execution, now) }));
  try {
    // Decided on what is held, not on what was read before: a rollback may have made one of them live again.
    for (const { generation } of due(held.item.retained, now)) {
      await end(generation, held.item, ports);
      gone.push(generation.name);
    }
    if (held.item.collect !== null) swept = await collect(held.item, settingsOf(held.item), ports);
  } finally {
    // Also when AWS refused half-way: the service must not stay held by a retirement.
    await ports.ledger.change(service, (current) => {
      const item = retired(current, execution, gone);
      return { item: swept === undefined ? item : collected(item, swept.gone, swept.isDone) };
    });
  }
  return {
    retired: gone,
    ...(swept && { collected: { gone: swept.gone, left: swept.left } }),
    next: visit(await ports.ledger.read(service), now),
  };
}

function settingsOf({ service, deployment }: ServiceItem): ServiceSettings {
  if (deployment !== null) return deployment.plan.settings;
  throw new CutoverError(
    'Cutover.Guarded',
    `${service} has generations to end, but no deployment that says where they run`,
  );
}

async function end(generation: Generation, item: ServiceItem, ports: TerminatePorts): Promise<void> {
  const settings = settingsOf(item);
  await refuseWhileWeighted(ports.traffic, settings.traffic, generation);
  await ports.fleet.terminate(settings, generation);
}

function afterBusy({ retained }: ServiceItem, now: number): number {
  const overdue = now - (nextDue(retained) ?? now);
  return now + Math.max(busyMs, Math.ceil(overdue * busyShare));
}

function visit({ retained }: ServiceItem, earliest: number): string | null {
  const next = nextDue(retained);
  return next === null ? null : new Date(Math.max(next, earliest)).toISOString();
}
