import { describe, expect, it } from 'vitest';
import { heldAt, isOver, sameBounds, scalingSettings } from '../../functions/core/fleet/scaling.ts';
import { parse } from '../../functions/core/parse.ts';

describe('bounds that are held', () => {
  it.each([
    [{ minimum: 2, maximum: 8 }, 5, { minimum: 5, maximum: 8 }],
    [{ minimum: 2, maximum: 8 }, 1, { minimum: 2, maximum: 8 }],
    [{ minimum: 2, maximum: 8 }, 9, { minimum: 9, maximum: 9 }],
  ])('%o, at %i, are %o', (bounds, floor, held) => {
    expect(heldAt(bounds, floor)).toEqual(held);
    expect(heldAt(held, floor)).toEqual(held);
    expect(sameBounds(held, bounds)).toBe(floor <= bounds.minimum);
  });
});

it.each([
  ['at(2026-01-01T12:00:00)', undefined, true],
  ['at(2026-01-01T12:00:01)', undefined, false],
  ['at(2026-01-01T13:00:00)', 'Europe/Berlin', true],
  ['at(2026-01-01T13:00:01)', 'Europe/Berlin', false],
  ['cron(0 8 * * ? *)', undefined, false],
  ['rate(1 day)', undefined, false],
] as const)('%s in %s lies behind at noon UTC of that day: %s', (expression, timezone, over) => {
  expect(isOver(expression, timezone, Date.UTC(2026, 0, 1, 12))).toBe(over);
});

describe('what a service says of its scaling', () => {
  it('is complete with what is usual', () => {
    const said = {
      minimum: 2,
      maximum: 8,
      policies: [{ name: 'requests', metric: 'requestsPerTarget', target: 1_000 }],
      schedule: [{ name: 'morning', expression: 'cron(0 8 * * ? *)', timezone: 'Europe/Berlin', minimum: 4 }],
    };
    const [policy] = said.policies;
    expect(parse(scalingSettings, said)).toEqual({
      ok: true,
      value: {
        ...said,
        policies: [{ ...policy, scaleInCooldownSeconds: 300, scaleOutCooldownSeconds: 300 }],
      },
    });
    expect(parse(scalingSettings, { minimum: 1, maximum: 1 })).toEqual({
      ok: true,
      value: { minimum: 1, maximum: 1, policies: [], schedule: [] },
    });
  });

  it('is refused with all its mistakes', () => {
    const cpu = { name: 'cpu', metric: 'cpu', target: 50 };
    const parsed = parse(scalingSettings, {
      minimum: 0,
      maximum: 8,
      policies: [
        cpu,
        { ...cpu, target: 150 },
        { name: 'a b', metric: 'requestsPerTarget', target: 0, to: 1 },
      ],
      schedule: [
        { name: 'night', expression: 'cron(0 8 * * ?)', timezone: 'Moon/Base', minimum: 1 },
        { name: 'noon', expression: 'rate(1 day)' },
        { name: 'noon', expression: 'rate(1 day)', minimum: 3, maximum: 2 },
      ],
    });
    expect(parsed.ok ? [] : parsed.mistakes).toEqual([
      'minimum: Too small: expected number to be >=1, got 0',
      'policies/1/target: is a percentage for this metric: at most 100, got 150',
      'policies/2/name: must be 1 to 128 letters, digits, ., _ and -, beginning with one of the first two, got a b',
      'policies/2/target: Too small: expected number to be >0, got 0',
      'policies/2: Unrecognized key: "to"',
      "policies/1/name: is another one's already: cpu",
      "policies/1/metric: is another one's already: cpu",
      'schedule/0/expression: must be at(yyyy-mm-ddThh:mm:ss), cron() with six fields, or rate(), got cron(0 8 * * ?)',
      'schedule/0/timezone: must be a time zone such as Europe/Zurich, got Moon/Base',
      'schedule/1: changes nothing: needs minimum, maximum or both',
      'schedule/2/maximum: is less than minimum, got 2',
      "schedule/2/name: is another one's already: noon",
    ]);
  });

  it.each([
    [{ minimum: 3, maximum: 2 }, 'maximum: is less than minimum, got 2'],
    [
      {
        policies: [
          { name: 'one', metric: 'cpu', target: 50 },
          { name: 'one', metric: 'memory', target: 50 },
          { name: 'two', metric: 'cpu', target: 60 },
        ],
      },
      "policies/1/name: is another one's already: one; policies/2/metric: is another one's already: cpu",
    ],
    [
      { schedule: [1, 2].map((minimum) => ({ name: 'one', expression: 'rate(1 day)', minimum })) },
      "schedule/1/name: is another one's already: one",
    ],
  ])('is refused: %o', (changes, mistakes) => {
    const parsed = parse(scalingSettings, { minimum: 1, maximum: 2, ...changes });
    expect(parsed.ok ? '' : parsed.mistakes.join('; ')).toBe(mistakes);
  });
});
