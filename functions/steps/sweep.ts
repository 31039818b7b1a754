/**
 * Looks after what is open: services whose owner died get a recovery, pushes that waited are offered again, generations that
 * nobody retired are. Runs when an execution of Cutover's ends, and by schedule. Changes nothing itself; what it starts has
 * names that a repeat gives again.
 */
import type { ServiceName } from '../core/names.ts';
import { eventOf } from '../core/push.ts';
import { hasEnded } from '../core/recovery.ts';
import { nextVisit } from '../core/retention.ts';
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
  readonly retire: string;
  readonly now: Now;
}

/**
 * What was started and did not help is started again this much later, no sooner: its own end calls the sweep, and weights
 * that a person changed may stop one recovery after the other.
 */
const againMs = 300_000;

/** The retire machine of the last deployment comes by itself, minutes after a generation is due at the latest. */
const overdueMs = 600_000;

export interface SweepOutput {
  readonly started: readonly string[];
}

export async function sweep(ports: SweepPorts): Promise<SweepOutput> {
  const services = await ports.ledger.open();
  const swept = await Promise.allSettled(services.map((service) => sweepService(service, ports)));
  // One service that fails must not keep the others; the whole is tried again.
  const failed = swept.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { started: swept.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])) };
}

interface Start {
  readonly machine: string;
  readonly name: string;
  readonly input: object;
}

async function sweepService(service: ServiceName, ports: SweepPorts): Promise<readonly string[]> {
  const item = await ports.ledger.read(service);
  const starts = item.owner === null ? waitingIn(item, ports) : await recovering(item, item.owner, ports);
  for (const { machine, name, input } of starts) await ports.executions.start(machine, name, input);
  return starts.map(({ name }) => name);
}

async function recovering(
  { service }: ServiceItem,
  { execution, since }: NonNullable<ServiceItem['owner']>,
  { executions, recover, now }: SweepPorts,
): Promise<readonly Start[]> {
  if (!hasEnded(await executions.status(execution), since, now())) return [];
  return [{ machine: recover, name: `recover-${service}-${period(now())}`, input: { service } }];
}

function waitingIn(
  { service, pending, retained }: ServiceItem,
  { deploy, retire, now }: SweepPorts,
): readonly Start[] {
  const starts: Start[] = [];
  const due = nextVisit(retained);
  if (due !== null && due + overdueMs <= now())
    starts.push({ machine: retire, name: `retire-${service}-${period(now())}`, input: { service } });
  if (pending !== null) {
    const name = `${service}-${period(now())}-${pending.eventId}`
      .replace(/[^0-9A-Za-z_-]/g, '-')
      .slice(0, 80);
    starts.push({ machine: deploy, name, input: { service, event: eventOf(pending) } });
  }
  return starts;
}

function period(now: number): number {
  return Math.floor(now / againMs);
}
