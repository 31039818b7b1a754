/**
 * Answers CloudFormation for a service's production rule. Creates it when it is absent; an update sends conditions and
 * priority, never weights. A repeat finds what it did.
 */
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import {
  onCreate,
  onDelete,
  onUpdate,
  type RuleDecision,
  type RuleProperties,
  ruleProperties,
  withoutLeftover,
} from '../core/traffic/listener-rule.ts';
import type { ProductionRule } from '../ports/production-rule.ts';

export const ruleRequest = z.discriminatedUnion('RequestType', [
  z.object({ RequestType: z.literal('Create'), ResourceProperties: ruleProperties }),
  z.object({
    RequestType: z.literal('Update'),
    ResourceProperties: ruleProperties,
    OldResourceProperties: ruleProperties,
  }),
  z.object({ RequestType: z.literal('Delete'), ResourceProperties: ruleProperties }),
]);
export type RuleRequest = z.infer<typeof ruleRequest>;

/** Returns the ARN of the rule that stands; undefined when there is none any more. */
export async function listenerRule(
  request: RuleRequest,
  rule: ProductionRule,
): Promise<{ readonly ruleArn: string | undefined }> {
  const wanted = request.ResourceProperties;
  const { decision, standing } = await decide(request, rule);
  if ('refusal' in decision) throw new CutoverError('Cutover.Guarded', decision.refusal);
  let ruleArn = standing;
  for (const effect of decision.effects) {
    const arn = await rule.apply(effect, wanted);
    if (effect.do === 'create') ruleArn = arn;
    if (effect.do === 'delete' && effect.rule === ruleArn) ruleArn = undefined;
  }
  return { ruleArn };
}

async function decide(
  request: RuleRequest,
  rule: ProductionRule,
): Promise<{ decision: RuleDecision; standing: string | undefined }> {
  const wanted = request.ResourceProperties;
  switch (request.RequestType) {
    case 'Create': {
      const standing = await rule.find(wanted.ListenerArn, wanted);
      return { decision: onCreate(wanted, standing), standing: standing?.arn };
    }
    case 'Update': {
      const before = request.OldResourceProperties;
      const moves = wanted.ListenerArn !== before.ListenerArn;
      const old = moves ? await rule.find(before.ListenerArn, before) : undefined;
      // A repeat of a move finds the rule on the new listener already, and maybe still on the old one.
      const moved = await rule.find(wanted.ListenerArn, wanted);
      const standing = moved ?? old;
      const decision = onUpdate(wanted, before, standing, await rule.occupancy(groupsOf(before)));
      return {
        decision: moved === undefined ? decision : withoutLeftover(decision, old),
        standing: standing?.arn,
      };
    }
    case 'Delete': {
      const standing = await rule.find(wanted.ListenerArn, wanted);
      return {
        decision: onDelete(wanted, standing, await rule.occupancy(groupsOf(wanted))),
        standing: standing?.arn,
      };
    }
  }
}

function groupsOf({ Slots }: RuleProperties): string[] {
  return Slots.map(({ TargetGroupArn }) => TargetGroupArn);
}
