/**
 * Ends the generations whose retention is over, and says when to come again. Runs in the same function as `terminate`. Holds
 * the service while it writes; waits while a deployment holds it. A repeat finds them gone.
 */
import * as z from 'zod';
import { retired, retiring } from '../core/course.ts';
import { type GenerationName, serviceName } from '../core/names.ts';
import { due, nextDue, quietHoldMs } from '../core/retention.ts';
import type { ServiceItem } from '../core/service-item.ts';
import { refuseWhileWeighted, type TerminatePorts } from './terminate.ts';

export const retireInput = z.object({ service: serviceName, execution: z.string() });
type RetireInput = z.infer<typeof retireInput>;

/** How soon to come again while a deployment holds the service. */
const busyMs = 60_000;

export interface RetireOutput {
  readonly retired: readonly string[];
  /** ISO time of the next visit; null when nothing is retained. */
  readonly next: string | null;
}

export async function retire(
  { service, execution }: RetireInput,
  ports: TerminatePorts,
): Promise<RetireOutput> {
  const item = await ports.ledger.read(service);
  const now = ports.now();
  if (item.owner !== null && item.owner.execution !== execution)
    return { retired: [], next: visit(item, now + busyMs) };
  const settled = (item.weightsAt ?? 0) + quietHoldMs;
  if (now < settled) return { retired: [], next: visit(item, settled) };
  const settings = item.deployment?.plan.settings;
  const going = due(item.retained, now).map(({ generation }) => generation);
  if (settings === undefined || going.length === 0) return { retired: [], next: visit(item, now) };

  for (const generation of going) await refuseWhileWeighted(ports.traffic, settings.traffic, generation);

  const gone: GenerationName[] = [];
  await ports.ledger.change(service, (current) => ({ item: retiring(current, execution, ports.now()) }));
  try {
    for (const generation of going) {
      await ports.fleet.terminate(settings, generation);
      gone.push(generation.name);
    }
  } finally {
    // Also when AWS refused half-way: the service must not stay held by a retirement.
    await ports.ledger.change(service, (current) => ({ item: retired(current, execution, gone) }));
  }
  const after = await ports.ledger.read(service);
  return { retired: gone, next: visit(after, now) };
}

function visit({ retained }: ServiceItem, earliest: number): string | null {
  const next = nextDue(retained);
  return next === null ? null : new Date(Math.max(next, earliest)).toISOString();
}
