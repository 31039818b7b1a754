/** A service's production rule in an ALB listener. */
import {
  type Action,
  CreateRuleCommand,
  DeleteRuleCommand,
  DescribeRulesCommand,
  DescribeTagsCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  type Rule,
  type RuleCondition,
  SetRulePrioritiesCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CutoverError } from '../core/errors.ts';
import { ruleTag, serviceTag } from '../core/tags.ts';
import type { Occupancy, RuleEffect, RuleProperties, StandingRule } from '../core/traffic/listener-rule.ts';
import type { ProductionRule } from '../ports/production-rule.ts';
import { calling, codeOf } from './failures.ts';

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html */
const tagsPerCall = 20;

export class AlbProductionRule implements ProductionRule {
  readonly #client: ElasticLoadBalancingV2Client;

  constructor(client: ElasticLoadBalancingV2Client) {
    this.#client = client;
  }

  async find(listener: string, { Service }: RuleProperties): Promise<StandingRule | undefined> {
    const rules = await calling(`reading the rules of ${listener}`, () => this.#rules(listener));
    const arns = rules.flatMap(({ RuleArn, IsDefault }) =>
      RuleArn === undefined || IsDefault === true ? [] : [RuleArn],
    );
    const ours = await calling(`reading the tags of the rules of ${listener}`, () =>
      this.#tagged(arns, Service),
    );
    const rule = rules.find(({ RuleArn }) => RuleArn === ours);
    if (rule?.RuleArn === undefined) return undefined;
    const groups = rule.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
    return {
      arn: rule.RuleArn,
      listener,
      priority: Number(rule.Priority),
      weights: Object.fromEntries(
        groups.map(({ TargetGroupArn, Weight }) => [TargetGroupArn ?? '', Weight ?? 1]),
      ),
    };
  }

  async occupancy(groups: readonly string[]): Promise<Occupancy> {
    const counted = await Promise.all(
      groups.map(async (group) => {
        const states = await calling(`reading the targets of ${group}`, () => this.#targets(group));
        return [group, states.filter((state) => state !== 'draining').length] as const;
      }),
    );
    return Object.fromEntries(counted);
  }

  async apply(effect: RuleEffect, properties: RuleProperties): Promise<string | undefined> {
    const { Priority } = properties;
    const conditions = conditionsOf(properties);
    switch (effect.do) {
      case 'create':
        return this.#create(effect.listener, effect.weights, properties);
      case 'setConditions':
        await calling(`setting the conditions of ${effect.rule}`, () =>
          this.#client.send(new ModifyRuleCommand({ RuleArn: effect.rule, Conditions: conditions })),
        );
        return effect.rule;
      case 'setPriority':
        await calling(`setting the priority of ${effect.rule} to ${Priority}`, () =>
          this.#client.send(
            new SetRulePrioritiesCommand({ RulePriorities: [{ RuleArn: effect.rule, Priority }] }),
          ),
        );
        return effect.rule;
      case 'dropSlots':
        await calling(`taking removed slots out of ${effect.rule}`, () =>
          this.#client.send(
            new ModifyRuleCommand({ RuleArn: effect.rule, Actions: [forward(effect.weights)] }),
          ),
        );
        return effect.rule;
      case 'delete':
        await calling(`deleting ${effect.rule}`, async () => {
          try {
            await this.#client.send(new DeleteRuleCommand({ RuleArn: effect.rule }));
          } catch (thrown) {
            if (codeOf(thrown) !== 'RuleNotFoundException') throw thrown;
          }
        });
        return undefined;
    }
  }

  async #create(
    listener: string,
    weights: Readonly<Record<string, number>>,
    properties: RuleProperties,
  ): Promise<string> {
    const { Service, Priority } = properties;
    return calling(`creating the rule of ${Service} on ${listener}`, async () => {
      try {
        const { Rules } = await this.#client.send(
          new CreateRuleCommand({
            ListenerArn: listener,
            Priority,
            Conditions: conditionsOf(properties),
            Actions: [forward(weights)],
            Tags: [
              { Key: serviceTag, Value: Service },
              { Key: ruleTag, Value: 'production' },
            ],
          }),
        );
        const arn = Rules?.[0]?.RuleArn;
        if (arn !== undefined) return arn;
      } catch (thrown) {
        // The client's second try, after the answer to the first was lost, meets the rule that the first one made.
        const standing =
          codeOf(thrown) === 'PriorityInUseException' && (await this.find(listener, properties));
        if (!standing) throw thrown;
        return standing.arn;
      }
      throw new CutoverError(
        'Cutover.AwsUnavailable',
        `ELB created the rule of ${Service} without naming it`,
      );
    });
  }

  /** A listener that is gone has no rules. */
  async #rules(listener: string): Promise<readonly Rule[]> {
    const rules: Rule[] = [];
    let marker: string | undefined;
    do {
      try {
        const page = await this.#client.send(
          new DescribeRulesCommand({ ListenerArn: listener, ...(marker && { Marker: marker }) }),
        );
        rules.push(...(page.Rules ?? []));
        marker = page.NextMarker;
      } catch (thrown) {
        if (codeOf(thrown) === 'ListenerNotFoundException') return [];
        throw thrown;
      }
    } while (marker !== undefined);
    return rules;
  }

  async #tagged(arns: readonly string[], service: string): Promise<string | undefined> {
    for (let at = 0; at < arns.length; at += tagsPerCall) {
      const ResourceArns = arns.slice(at, at + tagsPerCall);
      const { TagDescriptions } = await this.#client.send(new DescribeTagsCommand({ ResourceArns }));
      const found = TagDescriptions?.find(
        ({ Tags }) =>
          Tags?.some(({ Key, Value }) => Key === serviceTag && Value === service) &&
          Tags.some(({ Key, Value }) => Key === ruleTag && Value === 'production'),
      );
      if (found?.ResourceArn !== undefined) return found.ResourceArn;
    }
    return undefined;
  }

  /** A target group that is gone has no targets. */
  async #targets(group: string): Promise<readonly (string | undefined)[]> {
    try {
      const { TargetHealthDescriptions } = await this.#client.send(
        new DescribeTargetHealthCommand({ TargetGroupArn: group }),
      );
      return (TargetHealthDescriptions ?? []).map(({ TargetHealth }) => TargetHealth?.State);
    } catch (thrown) {
      if (codeOf(thrown) === 'TargetGroupNotFoundException') return [];
      throw thrown;
    }
  }
}

function forward(weights: Readonly<Record<string, number>>): Action {
  const TargetGroups = Object.entries(weights).map(([TargetGroupArn, Weight]) => ({
    TargetGroupArn,
    Weight,
  }));
  return { Type: 'forward', ForwardConfig: { TargetGroups } };
}

/** What the template says goes to ELB as it is. */
function conditionsOf({ Conditions }: RuleProperties): RuleCondition[] {
  return Conditions as unknown as RuleCondition[];
}
