/** The operations on listener rules. */
import type {
  CreateRuleCommandInput,
  CreateRuleCommandOutput,
  DeleteRuleCommandInput,
  DeleteRuleCommandOutput,
  DescribeRulesCommandInput,
  DescribeRulesCommandOutput,
  ModifyRuleCommandInput,
  ModifyRuleCommandOutput,
  Rule,
  RuleTransform,
  SetRulePrioritiesCommandInput,
  SetRulePrioritiesCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { acceptActions } from './actions.ts';
import { acceptConditions } from './conditions.ts';
import type { Listeners } from './listeners.ts';
import { page } from './paging.ts';
import { quotas } from './quotas.ts';
import type { Resources, RuleRecord } from './resources.ts';
import type { Tags } from './tags.ts';
import { inRange, invalid } from './validation.ts';

export interface RulesOptions {
  readonly resources: Resources;
  readonly tags: Tags;
  readonly listeners: Listeners;
}

export function ruleOperations({ resources, tags, listeners }: RulesOptions) {
  return {
    async CreateRule(input: CreateRuleCommandInput): Promise<Output<CreateRuleCommandOutput>> {
      const listener = resources.listener(input.ListenerArn);
      tags.check(input.Tags);
      refuseTransforms(input.Transforms);
      if (input.Priority === undefined) throw invalid('A priority must be specified');
      inRange('priority', input.Priority, 1, 50_000);
      const conditions = acceptConditions(input.Conditions ?? []);
      const actions = acceptActions(input.Actions ?? [], listener.loadBalancer, resources);
      if (resources.rulesOf(listener.arn).some((rule) => rule.priority === input.Priority)) {
        throw inUse(input.Priority);
      }
      // ELB guide, quotas: default rules are not counted.
      const rules = resources
        .rulesOfLoadBalancer(listener.loadBalancer)
        .filter((rule) => rule.priority !== undefined);
      if (rules.length >= quotas.rulesPerLoadBalancer) {
        throw new AwsError(
          'TooManyRulesException',
          `The maximum number of rules on load balancer '${listener.loadBalancer.arn}' has been reached`,
        );
      }
      const rule: RuleRecord = {
        arn: resources.newRuleArn(listener.arn),
        listenerArn: listener.arn,
        priority: input.Priority,
        conditions,
        actions,
      };
      resources.rules.set(rule.arn, rule);
      tags.put(rule.arn, input.Tags);
      await listeners.routesChanged(listener.arn);
      return { Rules: [shownAs(rule)] };
    },

    /**
     * Actions and conditions are each replaced as a whole, and only when given. Answers when the change is accepted;
     * the data plane follows after the propagation delay.
     */
    async ModifyRule(input: ModifyRuleCommandInput): Promise<Output<ModifyRuleCommandOutput>> {
      const rule = changeable(resources.rule(input.RuleArn), 'modified');
      refuseTransforms(input.Transforms);
      const { loadBalancer } = resources.listener(rule.listenerArn);
      const conditions =
        input.Conditions === undefined ? rule.conditions : acceptConditions(input.Conditions);
      const actions =
        input.Actions === undefined
          ? rule.actions
          : acceptActions(input.Actions, loadBalancer, resources, rule);
      rule.conditions = conditions;
      rule.actions = actions;
      const answer = { Rules: [shownAs(rule)] };
      await listeners.routesChanged(rule.listenerArn);
      return answer;
    },

    /** All the priorities change, or none. */
    async SetRulePriorities(
      input: SetRulePrioritiesCommandInput,
    ): Promise<Output<SetRulePrioritiesCommandOutput>> {
      const wanted = new Map<RuleRecord, number>();
      for (const pair of input.RulePriorities ?? []) {
        inRange('priority', pair.Priority, 1, 50_000);
        wanted.set(changeable(resources.rule(pair.RuleArn), 'modified'), pair.Priority ?? 0);
      }
      const listenerArns = new Set([...wanted.keys()].map((rule) => rule.listenerArn));
      for (const listenerArn of listenerArns) {
        const priorities = resources.rulesOf(listenerArn).map((rule) => wanted.get(rule) ?? rule.priority);
        const twice = priorities.find((priority, index) => priorities.indexOf(priority) !== index);
        if (twice !== undefined) throw inUse(twice);
      }
      for (const [rule, priority] of wanted) rule.priority = priority;
      for (const listenerArn of listenerArns) await listeners.routesChanged(listenerArn);
      return { Rules: [...wanted.keys()].map(shownAs) };
    },

    async DeleteRule(input: DeleteRuleCommandInput): Promise<Output<DeleteRuleCommandOutput>> {
      const rule = changeable(resources.rule(input.RuleArn), 'deleted');
      resources.rules.delete(rule.arn);
      tags.forget(rule.arn);
      await listeners.routesChanged(rule.listenerArn);
      return {};
    },

    /** In the order in which rules are tried, the default rule last. */
    DescribeRules(input: DescribeRulesCommandInput): Output<DescribeRulesCommandOutput> {
      if ((input.ListenerArn === undefined) === (input.RuleArns === undefined)) {
        throw invalid('You must specify either listener rule ARNs or a listener ARN');
      }
      const selected =
        input.RuleArns?.map((arn) => resources.rule(arn)) ??
        resources.rulesOf(resources.listener(input.ListenerArn).arn);
      const { items, next } = page(selected, input);
      return { Rules: items.map(shownAs), ...next };
    },
  } satisfies Operations;
}

function shownAs(rule: RuleRecord): Rule {
  return {
    RuleArn: rule.arn,
    Priority: rule.priority === undefined ? 'default' : String(rule.priority),
    Conditions: structuredClone([...rule.conditions]),
    Actions: structuredClone([...rule.actions]),
    IsDefault: rule.priority === undefined,
  };
}

/** The default rule is the listener's: it changes with ModifyListener and goes with DeleteListener. */
function changeable(rule: RuleRecord, verb: 'modified' | 'deleted'): RuleRecord {
  if (rule.priority === undefined) {
    throw new AwsError('OperationNotPermittedException', `Default rule '${rule.arn}' cannot be ${verb}`);
  }
  return rule;
}

function inUse(priority: number): AwsError {
  return new AwsError('PriorityInUseException', `Priority '${priority}' is currently in use`);
}

/** Rewrites of host and URL are not embedded: refused rather than ignored. */
function refuseTransforms(transforms: readonly RuleTransform[] | undefined): void {
  if (transforms === undefined || transforms.length === 0) return;
  throw new AwsError('InvalidConfigurationRequestException', 'Rule transforms are not embedded');
}
