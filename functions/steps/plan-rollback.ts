/**
 * Decides what an order to go back comes to. Runs first in every execution of the rollback machine; changes nothing but the
 * service item. A repeat in the same execution returns the same plan.
 */
import * as z from 'zod';
import type { Admission } from '../core/deployment/admission.ts';
import { admitRollback, rollbackOrder } from '../core/deployment/rollback.ts';
import type { Digest } from '../core/names.ts';
import { parse } from '../core/parse.ts';
import type { Images } from '../ports/images.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import type { Now } from './clock.ts';
import { type DeclarationPorts, declaredSettings, notDeclared } from './declared-settings.ts';

/** What a person gave the machine, and the execution; an order that does not fit is answered with every mistake. */
export const planRollbackInput = z.looseObject({
  execution: z.object({ arn: z.string(), redrives: z.int() }),
});

export interface PlanRollbackPorts extends DeclarationPorts {
  readonly ledger: Ledger;
  readonly traffic: Traffic;
  readonly images: Pick<Images, 'existing'>;
  readonly now: Now;
}

export async function planRollback(
  { execution, ...given }: z.infer<typeof planRollbackInput>,
  ports: PlanRollbackPorts,
): Promise<Admission> {
  const rejected = (reason: string): Admission => ({
    admission: 'rejected',
    plan: null,
    reason,
    notBefore: null,
  });
  const parsed = parse(rollbackOrder, given);
  if (!parsed.ok) {
    return rejected(
      `the order is not valid; nothing was changed. ${parsed.mistakes.join('; ')}. The least is {"service":"web"}; "to", "by", "reason" and "strategy" may be added`,
    );
  }
  const order = parsed.value;
  const settings = await declaredSettings(order.service, ports);
  if (settings === undefined) return rejected(notDeclared(order.service));
  const weights = await ports.traffic.weights(settings.traffic);
  const pullable = new Map<Digest, boolean>();
  for (;;) {
    const offer = { order, execution, settings, weights, pullable, now: ports.now() };
    const { admission, ask } = await ports.ledger.change(order.service, (item) => admitRollback(item, offer));
    if (ask === undefined) return admission;
    const existing = await ports.images.existing(settings.repository, ask);
    for (const digest of ask) pullable.set(digest, existing.has(digest));
  }
}
