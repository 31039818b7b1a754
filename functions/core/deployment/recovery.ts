/** What is done for a service whose owner died: its deployment is taken over to go back, or the service is set free. */

import { shortened } from '../errors.ts';
import { released } from '../ledger/ownership.ts';
import type { ServiceItem } from '../ledger/service-item.ts';
import { admittedBefore, type Decided } from './admission.ts';
import type { Execution } from './deployment-start.ts';
import { turned } from './turn.ts';

/** How the owner's execution stands; `unknown` when Step Functions has none of that name (any more). */
export type ExecutionStatus =
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'TIMED_OUT'
  | 'ABORTED'
  | 'PENDING_REDRIVE'
  | 'unknown';

export interface Recovery {
  readonly execution: Execution;
  /** Of the owner that was read together with the item. */
  readonly status: ExecutionStatus;
  readonly owner: string | undefined;
  readonly now: number;
}

/** DescribeExecution is eventually consistent: one that has just begun may not be found yet. */
const unseenMs = 600_000;

/** Ownership has no expiry: it passes only when the owner has ended. `since`: when it took the service. */
export function hasEnded(status: ExecutionStatus, since: number, now: number): boolean {
  if (status === 'unknown') return now - since >= unseenMs;
  return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
}

/** Never forward: a bake that nobody watched to its end proves nothing. */
export function recover(item: ServiceItem, { execution, status, owner, now }: Recovery): Decided {
  const again = admittedBefore(item, execution);
  if (again?.plan != null) {
    const notBefore = new Date(Math.max(now, item.mutatingUntil)).toISOString();
    return {
      item,
      admission: { admission: 'recover', plan: again.plan, reason: item.deployment?.reason ?? '', notBefore },
    };
  }
  const nothing = (reason: string): Decided['admission'] => ({
    admission: 'nothing',
    plan: null,
    reason,
    notBefore: null,
  });
  if (item.owner === null)
    return { item, admission: nothing(`nobody holds ${item.service}; there is nothing to recover`) };
  if (item.owner.execution !== owner || !hasEnded(status, item.owner.since, now)) {
    return { item, admission: nothing(`${item.owner.execution} holds ${item.service} and has not ended`) };
  }
  const { deployment } = item;
  if (deployment === null || deployment.outcome !== null) {
    // A function of it may still be ending generations: until then nobody may make one of them live again.
    if (now < item.mutatingUntil) {
      const until = new Date(item.mutatingUntil).toISOString();
      return { item, admission: nothing(`${item.owner.execution} may still be writing until ${until}`) };
    }
    return {
      item: released(item),
      admission: nothing(`${item.owner.execution} has ended (${status}); ${item.service} is free again`),
    };
  }
  const fence = item.fence + 1;
  const plan = { ...deployment.plan, fence };
  const reason =
    deployment.reason ??
    shortened(
      `the execution ${item.owner.execution} ended (${status}) in the middle of ${plan.deployment}, while it was ${deployment.phase}`,
    );
  return {
    item: {
      ...item,
      fence,
      owner: { execution: execution.arn, redrives: execution.redrives, since: now },
      wait: null,
      // The intent stays: it tells what the dead owner may have written.
      deployment: turned({ ...deployment, plan }, { Error: 'Cutover.Died', Cause: reason }, now),
    },
    admission: {
      admission: 'recover',
      plan,
      reason,
      // A function of the dead owner may still be writing.
      notBefore: new Date(Math.max(now, item.mutatingUntil)).toISOString(),
    },
  };
}
