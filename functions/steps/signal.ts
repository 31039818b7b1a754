/**
 * Latches a signal on the service item, then ends the wait that it decides. Changes nothing in ECS or ELB. A signal that
 * comes twice, late or for nobody changes nothing.
 */

import type { ServiceName } from '../core/names.ts';
import { latch } from '../core/signals/latch.ts';
import { readSignal, type Signal } from '../core/signals/signal.ts';
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
  /** The deployments that it concerned. */
  readonly deployments: readonly string[];
}

export async function signal(event: unknown, ports: SignalPorts): Promise<SignalOutput> {
  const reading = readSignal(event);
  if (reading.kind !== 'signal') return { remarks: [reading.reason], deployments: [] };
  const services = await concerned(reading.signal, ports.ledger);
  const told = await Promise.allSettled(services.map((service) => tell(service, reading.signal, ports)));
  // One service that fails must not keep the signal from the others; the whole is tried again, and finds those told.
  const failed = told.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const heard = told.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  return {
    remarks: heard.map(({ remark }) => remark),
    deployments: heard.flatMap(({ deployment }) => deployment ?? []),
  };
}

interface Heard {
  readonly remark: string;
  readonly deployment: string | undefined;
}

async function tell(service: ServiceName, of: Signal, { ledger, waits, now }: SignalPorts): Promise<Heard> {
  const { item, end, remark } = await ledger.change(service, (before) => latch(before, of, now()));
  const deployment = item.owner === null ? undefined : item.deployment?.plan.deployment;
  const whose = deployment ?? service;
  if (end === undefined) return { remark: `${whose}: ${remark}`, deployment };
  await waits.fail(end.token, end.error, end.cause);
  return { remark: `${whose}: ${remark}, its wait ends now: ${end.cause}`, deployment };
}

async function concerned(of: Signal, ledger: Ledger): Promise<readonly ServiceName[]> {
  return of.kind === 'alarm' ? ledger.open() : [of.service];
}
