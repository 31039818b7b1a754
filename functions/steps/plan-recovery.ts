/**
 * Takes over what a dead execution left: runs first in every execution of the recover machine; changes nothing but the service
 * item. A repeat in the same execution returns the same plan.
 */
import * as z from 'zod';
import type { Admission } from '../core/deployment/admission.ts';
import { recover } from '../core/deployment/recovery.ts';
import { serviceName } from '../core/names.ts';
import type { Executions } from '../ports/executions.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';

export const planRecoveryInput = z.object({
  service: serviceName,
  execution: z.object({ arn: z.string(), redrives: z.int() }),
});

export interface PlanRecoveryPorts {
  readonly ledger: Ledger;
  readonly executions: Pick<Executions, 'status'>;
  readonly now: Now;
}

export async function planRecovery(
  { service, execution }: z.infer<typeof planRecoveryInput>,
  { ledger, executions, now }: PlanRecoveryPorts,
): Promise<Admission> {
  const owner = (await ledger.read(service)).owner?.execution;
  const status = owner === undefined ? 'unknown' : await executions.status(owner);
  const { admission } = await ledger.change(service, (item) =>
    recover(item, { execution, status, owner, now: now() }),
  );
  return admission;
}
