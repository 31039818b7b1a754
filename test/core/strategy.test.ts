import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseStrategy,
  type Strategy,
  stepsOf,
  strategySchema,
} from '../../functions/core/deployment/strategy.ts';

const bakeSeconds = 600;

describe('stepsOf', () => {
  it.each<[string, Strategy, readonly (readonly [number, number])[]]>([
    ['all at once', { kind: 'allAtOnce', bakeSeconds }, [[100, 600]]],
    [
      'linear that divides 100',
      { kind: 'linear', stepPercent: 25, stepBakeSeconds: 60, bakeSeconds },
      [
        [25, 60],
        [50, 60],
        [75, 60],
        [100, 600],
      ],
    ],
    [
      'linear that does not divide 100',
      { kind: 'linear', stepPercent: 40, stepBakeSeconds: 60, bakeSeconds },
      [
        [40, 60],
        [80, 60],
        [100, 600],
      ],
    ],
    [
      'linear in one step',
      { kind: 'linear', stepPercent: 100, stepBakeSeconds: 60, bakeSeconds },
      [[100, 600]],
    ],
    [
      'canary',
      { kind: 'canary', canaryPercent: 5, canaryBakeSeconds: 300, bakeSeconds },
      [
        [5, 300],
        [100, 600],
      ],
    ],
    [
      "a list of one's own",
      {
        kind: 'custom',
        steps: [
          { weightPercent: 1, bakeSeconds: 0 },
          { weightPercent: 100, bakeSeconds: 7 },
        ],
      },
      [
        [1, 0],
        [100, 7],
      ],
    ],
  ])('%s', (_, strategy, expected) => {
    expect(stepsOf(strategy).map((step) => [step.weightPercent, step.bakeSeconds])).toEqual(expected);
  });

  const bake = fc.integer({ min: 0, max: 86_400 });
  const anyStrategy = fc.oneof(
    fc.record({ kind: fc.constant('allAtOnce'), bakeSeconds: bake }),
    fc.record({
      kind: fc.constant('linear'),
      stepPercent: fc.integer({ min: 3, max: 100 }),
      stepBakeSeconds: bake,
      bakeSeconds: bake,
    }),
    fc.record({
      kind: fc.constant('canary'),
      canaryPercent: fc.integer({ min: 1, max: 99 }),
      canaryBakeSeconds: bake,
      bakeSeconds: bake,
    }),
    fc.uniqueArray(fc.integer({ min: 1, max: 99 })).map((weights) => ({
      kind: 'custom',
      steps: [...weights.toSorted((a, b) => a - b), 100].map((weightPercent) => ({
        weightPercent,
        bakeSeconds: 1,
      })),
    })),
  );

  it('rises strictly and ends at 100, for every legal strategy', () => {
    fc.assert(
      fc.property(anyStrategy, (given) => {
        const weights = stepsOf(strategySchema.parse(given)).map((step) => step.weightPercent);
        expect(weights.at(-1)).toBe(100);
        expect(weights.every((weight, index) => weight > (weights[index - 1] ?? 0))).toBe(true);
      }),
    );
  });
});

describe('parseStrategy', () => {
  it.each<[string, unknown, readonly string[]]>([
    ['an unknown kind', { kind: 'blueGreen' }, ['kind']],
    ['no strategy', undefined, ['(the whole)']],
    ['a bake below zero', { kind: 'allAtOnce', bakeSeconds: -1 }, ['bakeSeconds']],
    ['a bake above a day', { kind: 'allAtOnce', bakeSeconds: 86_401 }, ['bakeSeconds']],
    ['half a second', { kind: 'allAtOnce', bakeSeconds: 0.5 }, ['bakeSeconds']],
    [
      'linear in steps of 2',
      { kind: 'linear', stepPercent: 2, stepBakeSeconds: 1, bakeSeconds: 1 },
      ['stepPercent'],
    ],
    [
      'a canary of everything',
      { kind: 'canary', canaryPercent: 100, canaryBakeSeconds: 1, bakeSeconds: 1 },
      ['canaryPercent'],
    ],
    ['a misspelt member', { kind: 'allAtOnce', bakeSeconds: 1, bakeSecond: 1 }, ['(the whole)']],
    ['no steps', { kind: 'custom', steps: [] }, ['steps']],
    [
      'every mistake of a list at once',
      {
        kind: 'custom',
        steps: [
          { weightPercent: 20, bakeSeconds: 1 },
          { weightPercent: 20, bakeSeconds: 1 },
          { weightPercent: 10, bakeSeconds: 1 },
        ],
      },
      ['steps/1/weightPercent', 'steps/2/weightPercent', 'steps/2/weightPercent'],
    ],
    [
      'every mistake of a canary at once',
      { kind: 'canary', canaryPercent: 0, canaryBakeSeconds: 'long' },
      ['canaryPercent', 'canaryBakeSeconds', 'bakeSeconds'],
    ],
  ])('refuses %s, with its path', (_, given, paths) => {
    const parsed = parseStrategy(given);
    expect(parsed.ok).toBe(false);
    expect(!parsed.ok && parsed.mistakes.map((mistake) => mistake.split(': ')[0])).toEqual(paths);
  });

  it('says what the step before had', () => {
    const steps = [
      { weightPercent: 50, bakeSeconds: 1 },
      { weightPercent: 40, bakeSeconds: 1 },
    ];
    expect(parseStrategy({ kind: 'custom', steps })).toEqual({
      ok: false,
      mistakes: [
        'steps/1/weightPercent: must be above the step before it (50), got 40',
        'steps/1/weightPercent: must be 100 at the last step, got 40',
      ],
    });
  });
});
