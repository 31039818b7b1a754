/** Metrics that a service names, their limits, and what is said when they are not kept. */
import { describe, expect, it } from 'vitest';
import {
  type GateValues,
  metricGate,
  metricGates,
  metricVerdict,
} from '../../functions/core/gates/metric-gate.ts';
import type { Verdict } from '../../functions/core/gates/verdict.ts';
import { parse } from '../../functions/core/parse.ts';

const metric = { id: 'depth', namespace: 'Shop', metricName: 'Depth', stat: 'Average' };
const gateOf = (kind: string, value: number, missing = 'wait') =>
  metricGate.parse({ name: 'queue depth', metrics: [metric], limit: { kind, value }, missing });
const pass: Verdict = { verdict: 'pass' };
const fails = (reason: string): Verdict => ({ verdict: 'fail', reasons: [reason] });

describe('the mean of the minutes', () => {
  it.each<[string, ReturnType<typeof gateOf>, GateValues, Verdict]>([
    ['at a limit passes', gateOf('atMost', 10), { fresh: [5, 15], old: [] }, pass],
    [
      'above a limit fails',
      gateOf('atMost', 10),
      { fresh: [11, 10], old: [] },
      fails('queue depth is 10.5, and may be 10 at most'),
    ],
    [
      'below a limit fails',
      gateOf('atLeast', 99),
      { fresh: [98], old: [] },
      fails('queue depth is 98, and may be 99 at least'),
    ],
    [
      'above so many times that of the old generation fails',
      gateOf('atMostTimesOld', 1.2),
      { fresh: [130], old: [100] },
      fails("queue depth is 130, and may be 120, 1.2 × the old generation's 100 at most"),
    ],
    ['within that passes', gateOf('atMostTimesOld', 1.2), { fresh: [120], old: [100] }, pass],
    [
      'below so many times that of the old generation fails',
      gateOf('atLeastTimesOld', 0.5),
      { fresh: [49], old: [100] },
      fails("queue depth is 49, and may be 50, 0.5 × the old generation's 100 at least"),
    ],
  ])('%s', (_, gate, values, verdict) => {
    expect(metricVerdict(gate, values)).toEqual(verdict);
  });
});

describe('a value that is not there', () => {
  it.each<[string, GateValues, Verdict]>([
    [
      'wait',
      { fresh: [], old: [1] },
      { verdict: 'wait', missing: ['queue depth has no value for the new generation yet'] },
    ],
    [
      'wait',
      { fresh: [1], old: [] },
      { verdict: 'wait', missing: ['queue depth has no value for the old generation yet'] },
    ],
    ['fail', { fresh: [], old: [] }, fails('queue depth has no value for the new generation yet')],
    ['pass', { fresh: [], old: [] }, pass],
  ])('where the policy is %s', (missing, values, verdict) => {
    expect(metricVerdict(gateOf('atMostTimesOld', 1, missing), values)).toEqual(verdict);
  });
});

it('every mistake in the gates is told at once', () => {
  const other = { ...metric, id: 'rate' };
  const limit = { kind: 'atMost', value: 1 };
  const parsed = parse(metricGates, [
    { name: 'two of a name', metrics: [metric, metric], expression: 'depth', limit },
    { name: 'no one value', metrics: [metric, other], limit },
  ]);
  expect(parsed).toEqual({
    ok: false,
    mistakes: ['0/metrics: two are called depth', '1/expression: is needed to make one value of depth, rate'],
  });
});
