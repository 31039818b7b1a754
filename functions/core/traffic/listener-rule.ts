/**
 * What CloudFormation may ask of a service's production rule, and what it comes to. Infrastructure code owns conditions,
 * priority and listener; weights belong to deployments, so no update ever sends them.
 */
import * as z from 'zod';
import { type ServiceName, type SlotName, serviceName, slotName } from '../names.ts';
import { inWords, soleSlot, type Weights } from './weights.ts';

const condition = z.looseObject({ Field: z.string() });

/** CloudFormation sends every scalar as a string. */
export const ruleProperties = z.object({
  Service: serviceName,
  ListenerArn: z.string().min(1),
  Priority: z.coerce.number().int().min(1).max(50_000),
  Conditions: z.array(condition).min(1),
  Slots: z
    .array(z.object({ Name: slotName, TargetGroupArn: z.string().min(1) }))
    .min(2)
    .max(5),
});
export type RuleProperties = z.infer<typeof ruleProperties>;

/** The rule as it stands on its listener, found by its tags. */
export interface StandingRule {
  readonly arn: string;
  readonly listener: string;
  readonly priority: number;
  /** By target group ARN: the rule may still hold a slot that is being removed. */
  readonly weights: Readonly<Record<string, number>>;
}

export type RuleEffect =
  | { readonly do: 'create'; readonly listener: string; readonly weights: Readonly<Record<string, number>> }
  | { readonly do: 'setConditions'; readonly rule: string }
  | { readonly do: 'setPriority'; readonly rule: string }
  /** Weights stay; the groups of removed slots, whose weight is 0, are left out. */
  | { readonly do: 'dropSlots'; readonly rule: string; readonly weights: Readonly<Record<string, number>> }
  | { readonly do: 'delete'; readonly rule: string };

export type RuleDecision = { readonly effects: readonly RuleEffect[] } | { readonly refusal: string };

/** Targets that are registered and not draining, by target group ARN. */
export type Occupancy = Readonly<Record<string, number>>;

/** The name that CloudFormation knows the rule by. It never changes, so no update is ever a replacement. */
export function rulePhysicalId(service: ServiceName): string {
  return `cutover-rule-${service}`;
}

/** A rule that is there already, from an earlier try, is adopted: conditions and priority are set, weights are not. */
export function onCreate(wanted: RuleProperties, standing: StandingRule | undefined): RuleDecision {
  if (standing !== undefined) return onUpdate(wanted, wanted, standing, {});
  return { effects: [{ do: 'create', listener: wanted.ListenerArn, weights: firstWeights(wanted) }] };
}

/** `standing` is the rule on the wanted listener or, when there is none yet, on that of `before`. */
export function onUpdate(
  wanted: RuleProperties,
  before: RuleProperties,
  standing: StandingRule | undefined,
  occupancy: Occupancy,
): RuleDecision {
  const kept = wanted.Slots.map(({ TargetGroupArn }) => TargetGroupArn);
  // By target group, not by name: a slot whose group is replaced loses what lives in it all the same.
  const removed = before.Slots.filter(({ TargetGroupArn }) => !kept.includes(TargetGroupArn));
  const busy = removed.filter(({ TargetGroupArn }) => isBusy(TargetGroupArn, standing, occupancy));
  if (busy.length > 0) {
    return {
      refusal: `the slot ${busy.map(({ Name }) => Name).join(', ')} of ${wanted.Service} is not idle and cannot be removed: a generation lives in it. Wait until it has retired, or keep the slot`,
    };
  }
  if (standing === undefined)
    return { effects: [{ do: 'create', listener: wanted.ListenerArn, weights: firstWeights(wanted) }] };
  const lost = Object.keys(standing.weights).filter(
    (group) => !kept.includes(group) && isBusy(group, standing, {}),
  );
  if (lost.length > 0) {
    return {
      refusal: `the rule of ${wanted.Service} (${standing.arn}) sends traffic to ${lost.join(', ')}, which is no slot of it; taking that out would cut the traffic. Put all weight on a slot, then deploy the stack again`,
    };
  }
  if (wanted.ListenerArn !== standing.listener) return move(wanted, standing, occupancy);

  const holdsRemoved = Object.keys(standing.weights).some((group) => !kept.includes(group));
  const effects: RuleEffect[] = [{ do: 'setConditions', rule: standing.arn }];
  if (wanted.Priority !== standing.priority) effects.push({ do: 'setPriority', rule: standing.arn });
  if (holdsRemoved)
    effects.push({ do: 'dropSlots', rule: standing.arn, weights: only(standing.weights, kept) });
  return { effects };
}

/** A move that was cut short left the old rule behind: its weights follow no deployment any more. */
export function withoutLeftover(decision: RuleDecision, leftover: StandingRule | undefined): RuleDecision {
  if (leftover === undefined || 'refusal' in decision) return decision;
  return { effects: [...decision.effects, { do: 'delete', rule: leftover.arn }] };
}

/** A stack that is deleted must not take a generation's traffic away: whoever wants that ends the generation first. */
export function onDelete(
  wanted: RuleProperties,
  standing: StandingRule | undefined,
  occupancy: Occupancy,
): RuleDecision {
  const lived = wanted.Slots.filter(({ TargetGroupArn }) => (occupancy[TargetGroupArn] ?? 0) > 0);
  if (lived.length > 0) {
    return {
      refusal: `${wanted.Service} still runs in ${lived.map(({ Name }) => Name).join(', ')}; deleting its rule would cut its traffic. End its generations first (aws ecs delete-service --force), then delete the stack again`,
    };
  }
  return { effects: standing === undefined ? [] : [{ do: 'delete', rule: standing.arn }] };
}

/** A rule cannot change its listener: it is made anew with the same weights, then the old one goes. */
function move(wanted: RuleProperties, standing: StandingRule, occupancy: Occupancy): RuleDecision {
  const beside = wanted.Slots.filter(
    ({ TargetGroupArn }) =>
      (standing.weights[TargetGroupArn] ?? 0) === 0 && (occupancy[TargetGroupArn] ?? 0) > 0,
  );
  if (beside.length > 0) {
    return {
      refusal: `the rule of ${wanted.Service} cannot move to another listener while a generation lives in ${beside.map(({ Name }) => Name).join(', ')} beside the live one: a deployment or a rollback would look for it where it was. Deploy the stack again when that one has gone`,
    };
  }
  const weights = bySlot(wanted, standing.weights);
  if (soleSlot(weights) === undefined) {
    return {
      refusal: `the rule of ${wanted.Service} cannot move to another listener while its traffic is split (${inWords(weights)}): a deployment is running. Deploy the stack again when it has ended`,
    };
  }
  const kept = wanted.Slots.map(({ TargetGroupArn }) => TargetGroupArn);
  return {
    effects: [
      { do: 'create', listener: wanted.ListenerArn, weights: only(standing.weights, kept) },
      { do: 'delete', rule: standing.arn },
    ],
  };
}

/** Weights must not all be 0: the first slot has everything until the first deployment, which takes it. */
function firstWeights(wanted: RuleProperties): Record<string, number> {
  return Object.fromEntries(
    wanted.Slots.map(({ TargetGroupArn }, index) => [TargetGroupArn, index === 0 ? 100 : 0]),
  );
}

function isBusy(group: string, standing: StandingRule | undefined, occupancy: Occupancy): boolean {
  return (standing?.weights[group] ?? 0) > 0 || (occupancy[group] ?? 0) > 0;
}

function only(weights: Readonly<Record<string, number>>, groups: readonly string[]): Record<string, number> {
  return Object.fromEntries(Object.entries(weights).filter(([group]) => groups.includes(group)));
}

function bySlot(wanted: RuleProperties, weights: Readonly<Record<string, number>>): Weights {
  return Object.fromEntries(
    wanted.Slots.map(({ Name, TargetGroupArn }) => [Name as SlotName, weights[TargetGroupArn] ?? 0]),
  );
}
