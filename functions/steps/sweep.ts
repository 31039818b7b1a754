/**
 * Looks after what is open: services whose owner died get a recovery, pushes that waited are offered again, generations that
 * nobody retired are, what scales the live one is given back where the end of a deployment could not, and instances that are drained
 * end in their time. By schedule it also looks after all that is declared: the pushes that no event announced, the images
 * that must stay, and what nothing references. Changes no service; what it starts has names that a repeat gives again.
 */

import { hasEnded } from '../core/deployment/recovery.ts';
import { nextVisit } from '../core/deployment/retention.ts';
import { CutoverError } from '../core/errors.ts';
import { withoutAnswer } from '../core/hooks/hook.ts';
import { eventOf, type Push } from '../core/images/push.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { type ServiceName, serviceName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Drains } from '../ports/drains.ts';
import type { Executions } from '../ports/executions.ts';
import type { Fleet, FleetDeclarations } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';
import { type DeclarationPorts, declaredSettings } from './declared-settings.ts';
import { findDrains, lookAfterDrains } from './look-after-drains.ts';
import { lookAfterFleet } from './look-after-fleet.ts';
import { type LookAfterImagesPorts, lookAfterImages } from './look-after-images.ts';
import { giveScalingBack, type ScalePorts } from './scale.ts';

export interface SweepPorts extends DeclarationPorts, ScalePorts, Pick<LookAfterImagesPorts, 'images'> {
  readonly ledger: Pick<Ledger, 'read' | 'open' | 'change'>;
  readonly fleet: FleetDeclarations & Pick<Fleet, 'standing'>;
  readonly drains: Drains;
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

/** `scope`: what an execution left open when it ended, or everything that is declared too. */
export async function sweep(ports: SweepPorts, scope: 'open' | 'everything' = 'open'): Promise<SweepOutput> {
  const open = await ports.ledger.open();
  const declared = scope === 'open' ? [] : (await ports.settings.list()).flatMap(named);
  const swept = await Promise.allSettled([
    ...open.map((service) => sweepService(service, ports)),
    ...declared.map((service) => lookAfter(service, ports)),
  ]);
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
  const item = await noting(await ports.ledger.read(service), ports);
  // That AWS does not let it keeps no push waiting, which may be what mends that.
  const looked = await Promise.allSettled([
    item.owner === null ? giveScalingBack(item, ports) : undefined,
    lookAfterDrains(item, ports),
  ]);
  const started = await begin(
    item.owner === null ? waitingIn(item, ports) : await recovering(item, item.owner, ports),
    ports,
  );
  const failed = looked.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return started;
}

/** Hooks that nobody waited for, and whose time is over. */
async function noting(item: ServiceItem, { ledger, now }: SweepPorts): Promise<ServiceItem> {
  if (withoutAnswer(item, now()) === item) return item;
  const noted = await ledger.change(item.service, (current) => ({ item: withoutAnswer(current, now()) }));
  return noted.item;
}

async function lookAfter(service: ServiceName, ports: SweepPorts): Promise<readonly string[]> {
  const settings = await validSettings(service, ports);
  if (settings === undefined) return [];
  const item = await ports.ledger.read(service);
  // One that fails must not keep the others; the whole is tried again.
  const [lost, ...others] = await Promise.allSettled([
    lookAfterImages(item, settings, ports),
    lookAfterFleet(item, settings, ports),
    findDrains(item, ports),
  ]);
  const started =
    lost.status === 'rejected' || lost.value === undefined
      ? []
      : await begin([offering(service, lost.value, ports)], ports);
  if (lost.status === 'rejected') throw lost.reason;
  const failed = others.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return started;
}

/** Parameters under our path that are no service's are somebody else's. */
function named(given: string): readonly ServiceName[] {
  const parsed = serviceName.safeParse(given);
  return parsed.success ? [parsed.data] : [];
}

/** What is declared wrongly is for Plan to refuse in words, when something is pushed. */
async function validSettings(service: ServiceName, ports: SweepPorts): Promise<ServiceSettings | undefined> {
  try {
    return await declaredSettings(service, ports);
  } catch (failure) {
    if (failure instanceof CutoverError && failure.name === 'Cutover.InvalidInput') return undefined;
    throw failure;
  }
}

async function begin(starts: readonly Start[], ports: SweepPorts): Promise<readonly string[]> {
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

function waitingIn(item: ServiceItem, ports: SweepPorts): readonly Start[] {
  const { service, pending, retained, collect } = item;
  const { retire, now } = ports;
  const starts: Start[] = [];
  if (collect !== null)
    starts.push({ machine: retire, name: `collect-${service}-${period(now())}`, input: { service } });
  const due = nextVisit(retained);
  if (due !== null && due + overdueMs <= now())
    starts.push({ machine: retire, name: `retire-${service}-${period(now())}`, input: { service } });
  if (pending !== null && (pending.notBefore ?? 0) <= now()) starts.push(offering(service, pending, ports));
  return starts;
}

function offering(service: ServiceName, push: Push, { deploy, now }: SweepPorts): Start {
  const name = `${service}-${period(now())}-${push.eventId}`.replace(/[^0-9A-Za-z_-]/g, '-').slice(0, 80);
  return { machine: deploy, name, input: { service, event: eventOf(push) } };
}

function period(now: number): number {
  return Math.floor(now / againMs);
}
