/**
 * Latches a signal on the service item, then ends the wait that it decides. Changes nothing in ECS or ELB. A signal that
 * comes twice, late or for nobody changes nothing.
 */
import { latch } from '../core/latch.ts';
import type { ServiceName } from '../core/names.ts';
import { readSignal, type Signal } from '../core/signal.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Waits } from '../ports/waits.ts';
import type { Now } from './clock.ts';

export interface SignalPorts {
  readonly ledger: Ledger;
  readonly waits: Waits;
  readonly now: Now;
}

export interface SignalOutput {
  /** What came of it, for each deployment (or service without one) that it may concern. */
  readonly remarks: readonly string[];
}

export async function signal(event: unknown, ports: SignalPorts): Promise<SignalOutput> {
  const reading = readSignal(event);
  if (reading.kind !== 'signal') return { remarks: [reading.reason] };
  const services = await concerned(reading.signal, ports.ledger);
  const told = await Promise.allSettled(services.map((service) => tell(service, reading.signal, ports)));
  // One service that fails must not keep the signal from the others; the whole is tried again, and finds those told.
  const failed = told.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { remarks: told.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])) };
}

async function tell(service: ServiceName, of: Signal, { ledger, waits, now }: SignalPorts): Promise<string> {
  const { item, end, remark } = await ledger.change(service, (before) => latch(before, of, now()));
  const whose = item.owner === null ? service : (item.deployment?.plan.deployment ?? service);
  if (end === undefined) return `${whose}: ${remark}`;
  await waits.fail(end.token, end.error, end.cause);
  return `${whose}: ${remark}, ended the wait: ${end.cause}`;
}

async function concerned(of: Signal, ledger: Ledger): Promise<readonly ServiceName[]> {
  return of.kind === 'alarm' ? ledger.open() : [of.service];
}
