import { describe, expect, test } from 'vitest';
import { parseExpression } from '../../local/services/cloudwatch/expression.ts';
import { evaluate, type Value } from '../../local/services/cloudwatch/metric-math.ts';

const series = (...values: (number | undefined)[]) =>
  new Map(values.flatMap((value, period) => (value === undefined ? [] : [[period, value] as const])));

const metrics: Readonly<Record<string, Value>> = {
  errors: series(1, 0, undefined, 4),
  requests: series(10, 0, 30, 40),
  none: series(),
};

function compute(expression: string): unknown {
  const value = evaluate(parseExpression(expression), {
    lookup: (name) => metrics[name],
    periods: [0, 1, 2, 3],
  });
  return value instanceof Map ? [0, 1, 2, 3].map((period) => value.get(period)) : value;
}

const _ = undefined;

describe('an expression', () => {
  test.each<[string, unknown]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3 - -1', 10],
    ['2 ^ 3 / 4', 2],
    ['requests * 2', [20, 0, 60, 80]],
    ['errors + requests', [11, 0, _, 44]],
    ['100 * errors / requests', [10, _, _, 10]],
    ['requests > 20', [0, 0, 1, 1]],
    ['requests >= 10 AND requests < 40', [1, 0, 1, 0]],
    ['requests == 0 || errors == 4', [0, 1, _, 1]],
    ['SUM(requests)', 80],
    ['AVG(requests)', 20],
    ['MIN(requests)', 0],
    ['MAX(requests)', 40],
    ['requests / MAX(requests)', [0.25, 0, 0.75, 1]],
    ['SUM([errors, requests])', [11, 0, 30, 44]],
    ['max([errors, requests])', [10, 0, 30, 40]],
    ['FILL(errors, 0)', [1, 0, 0, 4]],
    ['FILL(errors, REPEAT)', [1, 0, 0, 4]],
    ['FILL(errors, LINEAR)', [1, 0, 2, 4]],
    ['FILL(errors, requests)', [1, 0, 30, 4]],
    ['FILL(none, 7)', [7, 7, 7, 7]],
    ['SUM(FILL([errors, none], 1))', [2, 1, 2, 5]],
    ['IF(requests > 20, errors, 0)', [0, 0, _, 4]],
    ['IF(requests > 0, 100 * FILL(errors, 0) / requests)', [10, _, 0, 10]],
    ['IF(1, 5, 6)', 5],
  ])('%s', (expression, expected) => {
    expect(compute(expression)).toEqual(expected);
  });

  test.each([
    ['ANOMALY_DETECTION_BAND(errors)', "Unsupported function 'ANOMALY_DETECTION_BAND'"],
    ['RATE(errors)', "Unsupported function 'RATE'"],
    ['m9 + 1', "Undeclared name 'm9'"],
    ['errors +', 'Unexpected the end of the expression'],
    ['(errors', "Expected ')' but found the end of the expression"],
    ['errors errors', "Unexpected 'errors'"],
    ['errors % 2', "Unexpected '% 2'"],
    ['SUM(errors, requests)', "Wrong number of operands for 'SUM': 2"],
  ])('%s is refused: %s', (expression, reason) => {
    expect(() => compute(expression)).toThrow(reason);
  });
});
