import { describe, expect, it } from 'vitest';
import { parse } from '../../functions/core/parse.ts';
import {
  onCreate,
  onDelete,
  onUpdate,
  type RuleDecision,
  type RuleProperties,
  rulePhysicalId,
  ruleProperties,
  type StandingRule,
} from '../../functions/core/traffic/listener-rule.ts';
import { group, rule, web } from './examples.ts';

const listener = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/main/1/2';
const other = `${listener}-other`;

function properties(
  changes: Record<string, unknown> = {},
  slots: readonly string[] = ['blue', 'green', 'red'],
): RuleProperties {
  return ruleProperties.parse({
    Service: 'web',
    ListenerArn: listener,
    Priority: '100',
    Conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/*'] } }],
    Slots: slots.map((Name) => ({ Name, TargetGroupArn: group(Name) })),
    ...changes,
  });
}

function standing(
  weights: Record<string, number> = { blue: 100, green: 0, red: 0 },
  changes: Partial<StandingRule> = {},
): StandingRule {
  return { arn: rule, listener, priority: 100, weights: byGroup(weights), ...changes };
}

function byGroup(weights: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(weights).map(([slot, weight]) => [group(slot), weight]));
}

const effects = (decision: RuleDecision) => ('effects' in decision ? decision.effects : decision);

describe('the rule is created', () => {
  it('with everything on the first slot', () => {
    expect(effects(onCreate(properties(), undefined))).toEqual([
      { do: 'create', listener, weights: byGroup({ blue: 100, green: 0, red: 0 }) },
    ]);
  });

  it('by adopting one from an earlier try, whose weights stay', () => {
    expect(effects(onCreate(properties(), standing({ blue: 90, green: 10, red: 0 })))).toEqual([
      { do: 'setConditions', rule },
    ]);
  });

  it('never by dropping a group that has traffic', () => {
    expect(onCreate(properties(), standing({ amber: 100, blue: 0 }))).toHaveProperty('refusal');
  });
});

describe('an update', () => {
  it('sends conditions, and never weights', () => {
    for (const weights of [{ blue: 100 }, { blue: 90, green: 10 }, { red: 100 }]) {
      expect(
        effects(
          onUpdate(properties(), properties(), standing({ blue: 0, green: 0, red: 0, ...weights }), {}),
        ),
      ).toEqual([{ do: 'setConditions', rule }]);
    }
  });

  it('sends the priority when it differs', () => {
    expect(effects(onUpdate(properties({ Priority: 7 }), properties(), standing(), {}))).toEqual([
      { do: 'setConditions', rule },
      { do: 'setPriority', rule },
    ]);
  });

  it('makes the rule again when somebody deleted it', () => {
    expect(effects(onUpdate(properties(), properties(), undefined, {}))).toMatchObject([{ do: 'create' }]);
  });

  it('adds a slot without touching the rule: the next weights written name it', () => {
    expect(
      effects(onUpdate(properties({}, ['blue', 'green', 'red', 'amber']), properties(), standing(), {})),
    ).toEqual([{ do: 'setConditions', rule }]);
  });

  it('takes an idle slot out, and keeps the weights of the others', () => {
    expect(
      effects(
        onUpdate(
          properties({}, ['blue', 'green']),
          properties(),
          standing({ blue: 90, green: 10, red: 0 }),
          {},
        ),
      ),
    ).toEqual([
      { do: 'setConditions', rule },
      { do: 'dropSlots', rule, weights: byGroup({ blue: 90, green: 10 }) },
    ]);
  });

  it.each([
    ['has weight', standing({ blue: 0, green: 0, red: 100 }), {}],
    ['has targets', standing(), { [group('red')]: 1 }],
    ['has targets, while the rule is gone', undefined, { [group('red')]: 1 }],
  ])('is refused when the slot that it removes %s', (_, rules, occupancy) => {
    expect(onUpdate(properties({}, ['blue', 'green']), properties(), rules, occupancy)).toEqual({
      refusal:
        'the slot red of web is not idle and cannot be removed: a generation lives in it. Wait until it has retired, or keep the slot',
    });
  });

  it('is refused when a slot gets another target group while its old one has traffic', () => {
    const replaced = properties({
      Slots: [
        { Name: 'blue', TargetGroupArn: group('blue-2') },
        { Name: 'green', TargetGroupArn: group('green') },
      ],
    });
    expect(onUpdate(replaced, properties(), standing({ blue: 100, green: 0 }), {})).toHaveProperty('refusal');
    expect(
      effects(onUpdate(replaced, properties({}, ['blue', 'green']), standing({ blue: 0, green: 100 }), {})),
    ).toEqual([
      { do: 'setConditions', rule },
      { do: 'dropSlots', rule, weights: byGroup({ green: 100 }) },
    ]);
  });

  it('moves to another listener with its weights: the new rule first', () => {
    expect(
      effects(
        onUpdate(
          properties({ ListenerArn: other }),
          properties(),
          standing({ blue: 0, green: 100, red: 0 }),
          {},
        ),
      ),
    ).toEqual([
      { do: 'create', listener: other, weights: byGroup({ blue: 0, green: 100, red: 0 }) },
      { do: 'delete', rule },
    ]);
  });

  it('does not move while a second generation lives: its deployment would look for the rule where it was', () => {
    const decision = onUpdate(
      properties({ ListenerArn: other }),
      properties(),
      standing({ blue: 100, green: 0 }),
      byGroup({ blue: 2, green: 2 }),
    );
    expect(decision).toMatchObject({
      refusal: expect.stringContaining('while a generation lives in green') as string,
    });
  });

  it('does not move while the traffic is split', () => {
    expect(
      onUpdate(properties({ ListenerArn: other }), properties(), standing({ blue: 90, green: 10 }), {}),
    ).toEqual({
      refusal:
        'the rule of web cannot move to another listener while its traffic is split (blue 90, green 10): a deployment is running. Deploy the stack again when it has ended',
    });
  });
});

describe('a deletion', () => {
  it('takes the rule away when nothing runs behind it', () => {
    expect(effects(onDelete(properties(), standing(), {}))).toEqual([{ do: 'delete', rule }]);
    expect(effects(onDelete(properties(), undefined, {}))).toEqual([]);
  });

  it('is refused while a generation runs', () => {
    expect(onDelete(properties(), standing(), { [group('green')]: 2, [group('blue')]: 0 })).toEqual({
      refusal:
        'web still runs in green; deleting its rule would cut its traffic. End its generations first (aws ecs delete-service --force), then delete the stack again',
    });
  });
});

describe('the properties', () => {
  it('come as strings from CloudFormation', () => {
    expect(properties().Priority).toBe(100);
    expect(rulePhysicalId(web)).toBe('cutover-rule-web');
  });

  it.each([
    ['Priority', { Priority: '0' }],
    ['Priority', { Priority: '50001' }],
    ['Priority', { Priority: 'first' }],
    ['Service', { Service: 'Web' }],
    ['Conditions', { Conditions: [] }],
    ['Slots', { Slots: [{ Name: 'blue', TargetGroupArn: 'x' }] }],
    ['ListenerArn', { ListenerArn: '' }],
  ])('name a wrong %s', (path, changes) => {
    const parsed = parse(ruleProperties, { ...properties(), ...changes });
    expect(!parsed.ok && parsed.mistakes.map((mistake) => mistake.split(': ')[0])).toEqual([path]);
  });
});
