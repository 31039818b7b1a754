/**
 * The way back: all weight to where it was before the deployment. At most one write to AWS, nothing asked of alarms, hooks
 * or the registry. Runs in the same function as `shift`, which is warm when it matters. A repeat writes nothing.
 */
import * as z from 'zod';
import { committed, restoredWeights, restoring } from '../core/deployment/course.ts';
import { type Plan, planSchema } from '../core/deployment/plan.ts';
import { CutoverError, failureSchema, reasonOf } from '../core/errors.ts';
import { unitOf } from '../core/fleet/unit.ts';
import { running } from '../core/ledger/ownership.ts';
import type { Deployment, ServiceItem } from '../core/ledger/service-item.ts';
import { judgedFrom } from '../core/traffic/quiet.ts';
import { restoreCommand } from '../core/traffic/restore-command.ts';
import { inWords, sameWeights, type Weights } from '../core/traffic/weights.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Traffic } from '../ports/traffic.ts';
import { accepted } from './accepted.ts';
import type { Now } from './clock.ts';
import { wantedOfOld } from './look.ts';

export const restoreInput = z.object({
  direction: z.literal('back'),
  plan: planSchema,
  failure: failureSchema,
});

export interface RestorePorts {
  readonly ledger: Ledger;
  readonly traffic: Traffic;
  readonly fleet: Pick<Fleet, 'wanted'>;
  readonly now: Now;
}

type RestoreInput = z.infer<typeof restoreInput>;

export interface RestoreOutput {
  readonly reason: string;
  readonly quietSeconds: number;
}

/** Throws `Cutover.Committed` when the deployment is live: it was promoted, and only the answer was lost. */
export async function restore({ plan, failure }: RestoreInput, ports: RestorePorts): Promise<RestoreOutput> {
  const { service, traffic } = plan.settings;
  const reason = reasonOf(failure);
  const found = await ports.ledger.read(service);
  if (committed(found, plan)) {
    throw new CutoverError('Cutover.Committed', `${plan.to.name} is live already; nothing is taken back`);
  }
  const item = await accepted(found, plan, ports);
  const deployment = running(item, plan);
  const current = await ports.traffic.weights(traffic, item.weights ?? plan.weightsBefore);
  if (!isOurs(current, item, plan.weightsBefore)) {
    throw new CutoverError(
      'Cutover.ForeignWeights',
      `${reason}. The weights are not put back, because somebody else changed them: Cutover wrote ${inWords(item.weights ?? plan.weightsBefore)}, the rule has ${inWords(current)}. Both generations stay up. To restore: ${restoreCommand(traffic, plan.weightsBefore)}`,
    );
  }
  if (!sameWeights(current, plan.weightsBefore)) await refuseOntoNothing(plan, reason, ports);
  await ports.ledger.change(service, (now) => ({
    item: restoring(now, plan, current, failure, ports.now()),
  }));
  await ports.traffic.shift(traffic, current, plan.weightsBefore);
  // What is kept is not ended, so nothing has to be waited out.
  const hadWeight = !plan.kept && tookTraffic(deployment, item, current, plan.to.slot);
  const now = ports.now();
  const restored = await ports.ledger.change(service, (noted) => ({
    item: restoredWeights(noted, plan, hadWeight ? judgedFrom(now) : now, now),
  }));
  const quietAt = running(restored.item, plan).quietAt ?? now;
  return { reason, quietSeconds: Math.max(0, Math.ceil((quietAt - now) / 1_000)) };
}

/**
 * All weight on a generation without a healthy target would be an outage by our own hand, while the new one may serve. What
 * cannot be read does not stop the way back.
 */
async function refuseOntoNothing(plan: Plan, reason: string, ports: RestorePorts): Promise<void> {
  if (plan.from === null) return;
  const [old, wanted, coming] = await Promise.all([
    healthyIn(plan, plan.from.slot, ports.traffic),
    known(() => wantedOfOld(plan, ports).then((count) => count ?? 0)),
    healthyIn(plan, plan.to.slot, ports.traffic),
  ]);
  // Scaled to nothing, it may have healthy targets for some seconds more.
  if ((old !== 0 && wanted !== 0) || coming === undefined || coming === 0) return;
  const why = wanted === 0 ? `is scaled to 0 ${unitOf(plan.settings)}s, or gone` : 'has no healthy target';
  throw new CutoverError(
    'Cutover.Guarded',
    `${reason}. The weights are not put back: ${plan.from.name} ${why}, and ${plan.to.name} has ${coming}. Bring ${plan.from.name} back, and the restore goes on; or, to do it all the same: ${restoreCommand(plan.settings.traffic, plan.weightsBefore)}`,
  );
}

async function healthyIn(
  plan: Plan,
  slot: Plan['to']['slot'],
  traffic: Pick<Traffic, 'targets'>,
): Promise<number | undefined> {
  const targets = await known(() => traffic.targets(plan.settings.traffic, slot));
  return targets?.filter(({ state }) => state === 'healthy').length;
}

/** Undefined when it cannot be read. */
async function known<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (unreadable) {
    if (unreadable instanceof CutoverError) return undefined;
    throw unreadable;
  }
}

/**
 * What stands in the rule was written by us, be it recorded or only intended, or is already what we go back to. What an
 * intent found was ours too: a try of this very step that failed leaves no other trace of it.
 */
function isOurs(current: Weights, item: ServiceItem, before: Weights): boolean {
  const written = [item.weights, item.intent?.before ?? null, item.intent?.after ?? null, before];
  return written.some((weights) => weights !== null && sameWeights(weights, current));
}

/** When in doubt it did: what an earlier try of this step found in the rule is known no more. */
function tookTraffic(
  deployment: Deployment,
  item: ServiceItem,
  current: Weights,
  slot: Deployment['plan']['to']['slot'],
): boolean {
  const inDoubt = item.intent?.kind === 'shift' || deployment.phase === 'restoring';
  return deployment.step >= 0 || inDoubt || (current[slot] ?? 0) > 0;
}
