import { expect, test } from 'vitest';
import { Distribution } from '../../local/services/cloudwatch/distribution.ts';
import { statisticNamed } from '../../local/services/cloudwatch/statistic.ts';

function hundred(): Distribution {
  const values = new Distribution();
  for (let value = 1; value <= 100; value += 1) values.add(value);
  return values;
}

test.each([
  ['SampleCount', 100],
  ['Sum', 5050],
  ['Average', 50.5],
  ['Minimum', 1],
  ['Maximum', 100],
  ['p50', 50],
  ['p99', 99],
  ['p99.9', 100],
  ['p100', 100],
  ['TC(:10)', 10],
  ['TC(10:20)', 10],
  ['TC(90%:)', 10],
  ['PR(:25)', 25],
  ['TS(98:)', 199],
  ['TM(10%:90%)', 50.5],
  ['tm90', 45.5],
  ['IQM', 50.5],
  ['WM(:10)', 9.55],
])('%s of 1 to 100 is %d', (name, expected) => {
  expect(statisticNamed(name)(hundred())).toBeCloseTo(expected, 10);
});

test('a statistic that does not exist is refused by name', () => {
  expect(() => statisticNamed('Median')).toThrow('The value Median for parameter Stat is not supported.');
});

test('merging keeps sums exact and percentiles within half a percent', () => {
  const [all, other] = [new Distribution(), new Distribution()];
  for (let index = 0; index < 1000; index += 1) (index % 2 ? all : other).add(0.1 + index * 0.000_123);
  all.merge(other);
  expect(all.count).toBe(1000);
  expect(all.sum).toBeCloseTo(1000 * 0.1 + 0.000_123 * ((999 * 1000) / 2), 6);
  const exact = 0.1 + 989 * 0.000_123;
  expect(Math.abs(statisticNamed('p99')(all) / exact - 1)).toBeLessThan(0.005);
});
