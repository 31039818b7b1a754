/**
 * Commits: the new generation is live, the old one is kept for its retention. Then what is live scales as it should: that this
 * fails does not undo a deployment, the sweep finishes it. A repeat changes nothing.
 */
import * as z from 'zod';
import { promoted } from '../core/deployment/course.ts';
import { planSchema } from '../core/deployment/plan.ts';
import type { Ledger } from '../ports/ledger.ts';
import type { Now } from './clock.ts';
import { givenBackOrLeft, type ScalePorts } from './scale.ts';

export const promoteInput = z.object({ plan: planSchema });

export interface PromotePorts extends ScalePorts {
  readonly ledger: Ledger;
  readonly now: Now;
}

export async function promote(
  { plan }: z.infer<typeof promoteInput>,
  ports: PromotePorts,
): Promise<{ readonly live: string; readonly retained: readonly string[] }> {
  const { item } = await ports.ledger.change(plan.settings.service, (current) => ({
    item: promoted(current, plan, ports.now()),
  }));
  await givenBackOrLeft(item, ports);
  return { live: plan.to.name, retained: item.retained.map(({ generation }) => generation.name) };
}
