/** The rules of the default bus and their targets. */
import type * as Sdk from '@aws-sdk/client-eventbridge';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { page, sortedBy } from './page.ts';
import { DEFAULT_BUS, describeRule, putRule, type Rule } from './rule.ts';
import { checkTarget } from './target.ts';

/** "300 rules per event bus", "5 targets per rule" (EventBridge quotas). */
const MAX_RULES = 300;
const MAX_TARGETS = 5;
const PAGE = 100;

export class Rules {
  readonly operations: Operations;
  readonly #rules = new Map<string, Rule>();
  readonly #changed: (name: string, rule: Rule | undefined) => void;

  /** `changed`: told of each rule that is put, enabled, disabled or deleted. */
  constructor({ changed }: { changed: (name: string, rule: Rule | undefined) => void }) {
    this.#changed = changed;
    this.operations = {
      PutRule: (input: Sdk.PutRuleCommandInput) => this.#put(input),
      DeleteRule: (input: Sdk.DeleteRuleCommandInput) => this.#delete(input),
      DescribeRule: (input: Sdk.DescribeRuleCommandInput) => this.#describe(input),
      ListRules: (input: Sdk.ListRulesCommandInput) => this.#list(input),
      EnableRule: (input: Sdk.EnableRuleCommandInput) => this.#enable(input, true),
      DisableRule: (input: Sdk.DisableRuleCommandInput) => this.#enable(input, false),
      PutTargets: (input: Sdk.PutTargetsCommandInput) => this.#putTargets(input),
      RemoveTargets: (input: Sdk.RemoveTargetsCommandInput) => this.#removeTargets(input),
      ListTargetsByRule: (input: Sdk.ListTargetsByRuleCommandInput) => this.#listTargets(input),
      ListRuleNamesByTarget: (input: Sdk.ListRuleNamesByTargetCommandInput) => this.#listNames(input),
      TagResource: (input: Sdk.TagResourceCommandInput) => this.#tag(input),
      UntagResource: (input: Sdk.UntagResourceCommandInput) => this.#untag(input),
      ListTagsForResource: (input: Sdk.ListTagsForResourceCommandInput) => this.#listTags(input),
    };
  }

  all(): Iterable<Rule> {
    return this.#rules.values();
  }

  get(name: string): Rule | undefined {
    return this.#rules.get(name);
  }

  #put(input: Sdk.PutRuleCommandInput): Output<Sdk.PutRuleCommandOutput> {
    checkBus(input.EventBusName);
    const before = this.#rules.get(input.Name!);
    const rule = putRule(input, before);
    if (before === undefined && this.#rules.size >= MAX_RULES) {
      throw new AwsError(
        'LimitExceededException',
        'The requested resource exceeds the maximum number allowed.',
      );
    }
    this.#replace(rule);
    this.#changed(rule.name, rule);
    return { RuleArn: rule.arn };
  }

  /** Deleting what is not there is no error. */
  #delete(input: Sdk.DeleteRuleCommandInput): Output<Sdk.DeleteRuleCommandOutput> {
    checkBus(input.EventBusName);
    const rule = this.#rules.get(input.Name!);
    if (rule === undefined) return {};
    if (rule.targets.size > 0) {
      throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.");
    }
    this.#rules.delete(rule.name);
    this.#changed(rule.name, undefined);
    return {};
  }

  #describe(input: Sdk.DescribeRuleCommandInput): Output<Sdk.DescribeRuleCommandOutput> {
    return describeRule(this.#at(input.Name, input.EventBusName));
  }

  #list(input: Sdk.ListRulesCommandInput): Output<Sdk.ListRulesCommandOutput> {
    checkBus(input.EventBusName);
    const found = [...this.#rules.values()].filter(({ name }) => name.startsWith(input.NamePrefix ?? ''));
    const { entries, token } = paged(found, ({ name }) => name, input);
    return { Rules: entries.map(describeRule), ...(token && { NextToken: token }) };
  }

  #enable(input: Sdk.EnableRuleCommandInput, enabled: boolean): Record<string, never> {
    const rule = this.#at(input.Name, input.EventBusName);
    const State = enabled ? 'ENABLED' : 'DISABLED';
    const changed = { ...rule, enabled, input: { ...rule.input, State } } satisfies Rule;
    this.#replace(changed);
    this.#changed(rule.name, changed);
    return {};
  }

  #putTargets(input: Sdk.PutTargetsCommandInput): Output<Sdk.PutTargetsCommandOutput> {
    const rule = this.#at(input.Rule, input.EventBusName);
    for (const target of input.Targets!) checkTarget(target);
    const targets = new Map([
      ...rule.targets,
      ...input.Targets!.map((target) => [target.Id!, target] as const),
    ]);
    if (targets.size > MAX_TARGETS) {
      throw new AwsError(
        'LimitExceededException',
        'The requested resource exceeds the maximum number allowed.',
      );
    }
    this.#replace({ ...rule, targets });
    return { FailedEntryCount: 0, FailedEntries: [] };
  }

  #removeTargets(input: Sdk.RemoveTargetsCommandInput): Output<Sdk.RemoveTargetsCommandOutput> {
    const rule = this.#at(input.Rule, input.EventBusName);
    const unknown = input.Ids!.filter((id) => !rule.targets.has(id));
    const targets = new Map([...rule.targets].filter(([id]) => !input.Ids!.includes(id)));
    this.#replace({ ...rule, targets });
    return {
      FailedEntryCount: unknown.length,
      FailedEntries: unknown.map((TargetId) => ({
        TargetId,
        ErrorCode: 'ResourceNotFoundException',
        ErrorMessage: `Rule ${rule.name} does not have a target with the Id ${TargetId}.`,
      })),
    };
  }

  #listTargets(input: Sdk.ListTargetsByRuleCommandInput): Output<Sdk.ListTargetsByRuleCommandOutput> {
    const rule = this.#at(input.Rule, input.EventBusName);
    const { entries, token } = paged([...rule.targets.values()], ({ Id }) => Id!, input);
    return { Targets: entries, ...(token && { NextToken: token }) };
  }

  #listNames(input: Sdk.ListRuleNamesByTargetCommandInput): Output<Sdk.ListRuleNamesByTargetCommandOutput> {
    checkBus(input.EventBusName);
    const aims = (rule: Rule) => [...rule.targets.values()].some(({ Arn }) => Arn === input.TargetArn);
    const { entries, token } = paged([...this.#rules.values()].filter(aims), ({ name }) => name, input);
    return { RuleNames: entries.map(({ name }) => name), ...(token && { NextToken: token }) };
  }

  #tag({ ResourceARN, Tags }: Sdk.TagResourceCommandInput): Output<Sdk.TagResourceCommandOutput> {
    const rule = this.#byArn(ResourceARN!);
    const tags = new Map([...rule.tags, ...Tags!.map(({ Key, Value }) => [Key!, Value!] as const)]);
    this.#replace({ ...rule, tags });
    return {};
  }

  #untag({ ResourceARN, TagKeys }: Sdk.UntagResourceCommandInput): Output<Sdk.UntagResourceCommandOutput> {
    const rule = this.#byArn(ResourceARN!);
    this.#replace({ ...rule, tags: new Map([...rule.tags].filter(([key]) => !TagKeys!.includes(key))) });
    return {};
  }

  #listTags({
    ResourceARN,
  }: Sdk.ListTagsForResourceCommandInput): Output<Sdk.ListTagsForResourceCommandOutput> {
    return { Tags: [...this.#byArn(ResourceARN!).tags].map(([Key, Value]) => ({ Key, Value })) };
  }

  #replace(rule: Rule): void {
    this.#rules.set(rule.name, rule);
  }

  #at(name: string | undefined, bus: string | undefined): Rule {
    checkBus(bus);
    const rule = this.#rules.get(name ?? '');
    if (rule !== undefined) return rule;
    throw new AwsError(
      'ResourceNotFoundException',
      `Rule ${name} does not exist on EventBus ${DEFAULT_BUS}.`,
    );
  }

  #byArn(resourceArn: string): Rule {
    const rule = [...this.#rules.values()].find((candidate) => candidate.arn === resourceArn);
    if (rule !== undefined) return rule;
    throw new AwsError('ResourceNotFoundException', `Resource ${resourceArn} does not exist.`);
  }
}

/** Only the default bus exists; it goes by name or ARN. */
function checkBus(bus: string | undefined): void {
  const name = bus?.split('/').at(-1) ?? DEFAULT_BUS;
  if (name === DEFAULT_BUS) return;
  throw new AwsError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
}

function paged<T>(
  entries: readonly T[],
  key: (entry: T) => string,
  input: { NextToken?: string | undefined; Limit?: number | undefined },
) {
  return page(sortedBy(entries, key), { token: input.NextToken, limit: input.Limit ?? PAGE, key });
}
