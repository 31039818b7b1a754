/**
 * Looks after what is open: services whose owner died get a recovery, pushes that waited are offered again. Runs when an
 * execution of Cutover's ends, and by schedule. Changes nothing itself; what it starts has names that a repeat gives again.
 */

import type { ServiceName } from '../core/names.ts';
import { eventOf } from '../core/push.ts';
import { hasEnded } from '../core/recovery.ts';
import type { ServiceItem } from '../core/service-item.ts';
import type { Executions } from '../ports/executions.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

export interface SweepPorts {
  readonly ledger: Pick<Ledger, 'read' | 'open'>;
  readonly executions: Executions;
  /** ARNs of the machines. */
  readonly deploy: string;
  readonly recover: string;
  readonly now: Now;
}

/** A push that was offered and not taken, because its execution failed, is offered again this much later. */
const offerAgainMs = 300_000;

export interface SweepOutput {
  readonly started: readonly string[];
}

export async function sweep(ports: SweepPorts): Promise<SweepOutput> {
  const services = await ports.ledger.open();
  const swept = await Promise.allSettled(services.map((service) => sweepService(service, ports)));
  // One service that fails must not keep the others; the whole is tried again.
  const failed = swept.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return {
    started: swept.flatMap((each) =>
      each.status === 'fulfilled' && each.value !== undefined ? [each.value] : [],
    ),
  };
}

async function sweepService(service: ServiceName, ports: SweepPorts): Promise<string | undefined> {
  const item = await ports.ledger.read(service);
  return item.owner === null ? offerPending(item, ports) : recoverDead(item, item.owner.execution, ports);
}

async function recoverDead(
  item: ServiceItem,
  owner: string,
  { executions, recover }: SweepPorts,
): Promise<string | undefined> {
  if (!hasEnded(await executions.status(owner))) return undefined;
  const name = `recover-${item.service}-${item.fence}`;
  await executions.start(recover, name, { service: item.service });
  return name;
}

async function offerPending(
  { service, pending }: ServiceItem,
  { executions, deploy, now }: SweepPorts,
): Promise<string | undefined> {
  if (pending === null) return undefined;
  const when = Math.floor(now() / offerAgainMs);
  const name = `${service}-${pending.eventId}-${when}`.replace(/[^0-9A-Za-z_-]/g, '-').slice(0, 80);
  await executions.start(deploy, name, { service, event: eventOf(pending) });
  return name;
}
