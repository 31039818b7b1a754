/** CloudFormation's requests for a production rule, against rules in memory. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Occupancy,
  type RuleEffect,
  type RuleProperties,
  ruleProperties,
  type StandingRule,
} from '../../functions/core/traffic/listener-rule.ts';
import type { ProductionRule } from '../../functions/ports/production-rule.ts';
import { listenerRule, type RuleRequest, ruleRequest } from '../../functions/steps/listener-rule.ts';
import { group } from '../core/examples.ts';

class Rules implements ProductionRule {
  readonly standing = new Map<string, StandingRule>();
  readonly applied: string[] = [];
  occupied: Occupancy = {};
  /** Effects that fail, once. */
  failing: RuleEffect['do'] | undefined;

  async find(listener: string): Promise<StandingRule | undefined> {
    return this.standing.get(listener);
  }

  async occupancy(groups: readonly string[]): Promise<Occupancy> {
    return Object.fromEntries(groups.map((each) => [each, this.occupied[each] ?? 0]));
  }

  async apply(effect: RuleEffect, { Priority }: RuleProperties): Promise<string | undefined> {
    if (this.failing === effect.do) {
      this.failing = undefined;
      throw new Error(`${effect.do} failed`);
    }
    this.applied.push(effect.do);
    if (effect.do === 'create') {
      const arn = `rule-on-${effect.listener}`;
      this.standing.set(effect.listener, {
        arn,
        listener: effect.listener,
        priority: Priority,
        weights: effect.weights,
      });
      return arn;
    }
    const [listener, rule] = [...this.standing].find(([, each]) => each.arn === effect.rule) ?? [];
    if (listener === undefined || rule === undefined) throw new Error(`no rule ${effect.rule}`);
    if (effect.do === 'delete') this.standing.delete(listener);
    if (effect.do === 'dropSlots') this.standing.set(listener, { ...rule, weights: effect.weights });
    if (effect.do === 'setPriority') this.standing.set(listener, { ...rule, priority: Priority });
    return effect.do === 'delete' ? undefined : effect.rule;
  }
}

const properties = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  Service: 'web',
  ListenerArn: 'one',
  Priority: '100',
  Conditions: [{ Field: 'path-pattern' }],
  Slots: ['blue', 'green'].map((Name) => ({ Name, TargetGroupArn: group(Name) })),
  ...changes,
});
const request = (
  RequestType: string,
  changes: Record<string, unknown> = {},
  before: Record<string, unknown> = {},
): RuleRequest =>
  ruleRequest.parse({
    RequestType,
    ResourceProperties: properties(changes),
    OldResourceProperties: properties(before),
  });

let rules: Rules;
beforeEach(() => {
  rules = new Rules();
});

describe('the production rule', () => {
  it('is made once, however often it is asked for', async () => {
    expect(await listenerRule(request('Create'), rules)).toEqual({ ruleArn: 'rule-on-one' });
    expect(await listenerRule(request('Create'), rules)).toEqual({ ruleArn: 'rule-on-one' });
    expect(rules.applied).toEqual(['create', 'setConditions']);
  });

  it('keeps its weights through an update', async () => {
    await listenerRule(request('Create'), rules);
    const weights = { [group('blue')]: 90, [group('green')]: 10 };
    rules.standing.set('one', { ...rules.standing.get('one')!, weights });
    expect(await listenerRule(request('Update', { Priority: '7' }), rules)).toEqual({
      ruleArn: 'rule-on-one',
    });
    expect(rules.standing.get('one')).toMatchObject({ weights, priority: 7 });
  });

  it('moves to another listener, new rule first', async () => {
    await listenerRule(request('Create'), rules);
    expect(await listenerRule(request('Update', { ListenerArn: 'two' }), rules)).toEqual({
      ruleArn: 'rule-on-two',
    });
    expect([...rules.standing.keys()]).toEqual(['two']);
    expect(rules.applied).toEqual(['create', 'create', 'delete']);
  });

  it('leaves no rule behind on the old listener when a move was cut short and is repeated', async () => {
    await listenerRule(request('Create'), rules);
    rules.failing = 'delete';
    await expect(listenerRule(request('Update', { ListenerArn: 'two' }), rules)).rejects.toThrow(
      'delete failed',
    );
    expect(await listenerRule(request('Update', { ListenerArn: 'two' }), rules)).toEqual({
      ruleArn: 'rule-on-two',
    });
    expect([...rules.standing.keys()]).toEqual(['two']);
  });

  it('goes back to the old listener when CloudFormation takes a move back', async () => {
    await listenerRule(request('Create'), rules);
    await listenerRule(request('Update', { ListenerArn: 'two' }), rules);
    expect(await listenerRule(request('Update', {}, { ListenerArn: 'two' }), rules)).toEqual({
      ruleArn: 'rule-on-one',
    });
    expect([...rules.standing.keys()]).toEqual(['one']);
  });

  it('is not touched by an update that is refused', async () => {
    await listenerRule(request('Create'), rules);
    rules.occupied = { [group('red')]: 1 };
    const three = { Slots: ['blue', 'green', 'red'].map((Name) => ({ Name, TargetGroupArn: group(Name) })) };
    await expect(listenerRule(request('Update', {}, three), rules)).rejects.toThrow(
      expect.objectContaining({ name: 'Cutover.Guarded' }),
    );
    expect(rules.applied).toEqual(['create']);
  });

  it('goes when nothing runs behind it, and only then', async () => {
    await listenerRule(request('Create'), rules);
    rules.occupied = { [group('blue')]: 2 };
    await expect(listenerRule(request('Delete'), rules)).rejects.toThrow('web still runs in blue');
    rules.occupied = {};
    expect(await listenerRule(request('Delete'), rules)).toEqual({ ruleArn: undefined });
    expect(await listenerRule(request('Delete'), rules)).toEqual({ ruleArn: undefined });
    expect(rules.standing.size).toBe(0);
  });

  it('names every wrong property', () => {
    const parsed = ruleRequest.safeParse({
      RequestType: 'Create',
      ResourceProperties: { ...properties(), Priority: 'x', Service: 'W' },
    });
    expect(parsed.error?.issues.map(({ path }) => path.join('/'))).toEqual([
      'ResourceProperties/Service',
      'ResourceProperties/Priority',
    ]);
    expect(ruleProperties.safeParse(properties()).success).toBe(true);
  });
});
