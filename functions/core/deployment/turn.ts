/** A deployment turns back once: its first reason is the one that counts. */
import { type Failure, reasonOf, shortened } from '../errors.ts';
import type { Deployment } from '../ledger/service-item.ts';

export function turned(deployment: Deployment, failure: Failure, now: number): Deployment {
  return {
    ...deployment,
    reason: deployment.reason ?? shortened(reasonOf(failure)),
    turned: deployment.turned ?? { error: failure.Error, at: now },
  };
}
