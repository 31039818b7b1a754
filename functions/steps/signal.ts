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
  /** What came of it, for each service that it may concern. */
  readonly remarks: readonly string[];
}

export async function signal(event: unknown, ports: SignalPorts): Promise<SignalOutput> {
  const reading = readSignal(event);
  if (reading.kind !== 'signal') return { remarks: [reading.reason] };
  const services = await concerned(reading.signal, ports.ledger);
  const remarks: string[] = [];
  for (const service of services) {
    const latched = await ports.ledger.change(service, (item) => latch(item, reading.signal, ports.now()));
    if (latched.end !== undefined)
      await ports.waits.fail(latched.end.token, latched.end.error, latched.end.cause);
    remarks.push(
      `${service}: ${latched.remark}${latched.end === undefined ? '' : `, ended the wait: ${latched.end.cause}`}`,
    );
  }
  return { remarks };
}

async function concerned(of: Signal, ledger: Ledger): Promise<readonly ServiceName[]> {
  return of.kind === 'alarm' ? ledger.owned() : [of.service];
}
