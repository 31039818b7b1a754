import { describe, expect, test } from 'vitest';
import {
  type Datapoint,
  evaluationRange,
  judge,
  type Rule,
} from '../../local/services/cloudwatch/alarm-evaluation.ts';
import { reasonFor } from '../../local/services/cloudwatch/alarm-reason.ts';

const start = Date.UTC(2026, 10, 20, 5, 4);
const PERIOD = 300;

/** `0 - X - X`: within the threshold of 10, missing, breaching; the oldest first, as AWS writes its tables. */
function timeline(text: string): (Datapoint | undefined)[] {
  const values: Readonly<Record<string, number>> = { '0': 5, X: 12 };
  return text
    .split(' ')
    .toReversed()
    .map((mark, age) => {
      const value = values[mark];
      return value === undefined ? undefined : { at: start - age * PERIOD * 1000, value, sampleCount: 4 };
    });
}

function rule(changes: Partial<Rule> = {}): Rule {
  return {
    threshold: 10,
    comparison: 'GreaterThanThreshold',
    evaluationPeriods: 3,
    datapointsToAlarm: 3,
    treatMissingData: 'missing',
    ...changes,
  };
}

const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
const INSUFFICIENT = 'INSUFFICIENT_DATA';
const RETAIN = undefined;

/** The tables of "How alarm state is evaluated when data is missing", CloudWatch user guide. */
describe.each<[string, number, [string, ...(string | undefined)[]][]]>([
  [
    '3 out of 3',
    3,
    [
      ['0 - X - X', 'OK', 'OK', 'OK', 'OK'],
      ['0 - - - -', 'OK', 'OK', 'OK', 'OK'],
      ['- - - - -', INSUFFICIENT, RETAIN, 'ALARM', 'OK'],
      ['0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
      ['- - X - -', 'ALARM', RETAIN, 'ALARM', 'OK'],
      ['- - - - X', RETAIN, RETAIN, 'ALARM', 'OK'],
      ['- - - X -', RETAIN, RETAIN, 'ALARM', 'OK'],
    ],
  ],
  [
    '2 out of 3',
    2,
    [
      ['0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
      ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
      ['0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
      ['- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
      ['- - - X -', 'ALARM', RETAIN, 'ALARM', 'OK'],
    ],
  ],
])('an alarm on %s datapoints', (_, datapointsToAlarm, rows) => {
  test.each(
    rows.flatMap(([points, ...states]) =>
      treatments.map((treatment, at) => [points, treatment, states[at]] as const),
    ),
  )('%s, missing as %s: %s', (points, treatMissingData, state) => {
    expect(judge(timeline(points), rule({ datapointsToAlarm, treatMissingData }))?.state).toBe(state);
  });
});

test.each<[Rule['comparison'], string]>([
  ['GreaterThanThreshold', 'OK OK ALARM'],
  ['GreaterThanOrEqualToThreshold', 'OK ALARM ALARM'],
  ['LessThanThreshold', 'ALARM OK OK'],
  ['LessThanOrEqualToThreshold', 'ALARM ALARM OK'],
])('%s at 9, 10 and 11 against 10: %s', (comparison, states) => {
  const one = rule({ comparison, evaluationPeriods: 1, datapointsToAlarm: 1 });
  expect([9, 10, 11].map((value) => judge([{ at: start, value }], one)?.state).join(' ')).toBe(states);
});

test('the range that is looked at is longer than the evaluation periods', () => {
  expect(evaluationRange(3, 300)).toBe(5);
  expect(evaluationRange(2, 60)).toBe(7);
});

describe('the reason', () => {
  test.each<[string, string, Partial<Rule>, boolean, string]>([
    [
      'one breaching datapoint',
      'X',
      { evaluationPeriods: 1 },
      false,
      'Threshold Crossed: 1 datapoint [12.0 (20/11/26 05:04:00)] was greater than the threshold (10.0).',
    ],
    [
      'one good datapoint',
      '0',
      { evaluationPeriods: 1 },
      false,
      'Threshold Crossed: 1 datapoint [5.0 (20/11/26 05:04:00)] was not greater than the threshold (10.0).',
    ],
    [
      'two datapoints, newest first',
      'X X',
      { evaluationPeriods: 2, comparison: 'GreaterThanOrEqualToThreshold' },
      false,
      'Threshold Crossed: 2 datapoints [12.0 (20/11/26 05:04:00), 12.0 (20/11/26 04:59:00)] were greater than or equal to the threshold (10.0).',
    ],
    [
      '1 out of 1, alarm',
      'X',
      { evaluationPeriods: 1 },
      true,
      'Threshold Crossed: 1 out of the last 1 datapoints [12.0 (20/11/26 05:04:00)] was greater than the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition).',
    ],
    [
      '2 out of 3, alarm',
      'X 0 X',
      { datapointsToAlarm: 2 },
      true,
      'Threshold Crossed: 2 out of the last 3 datapoints [12.0 (20/11/26 05:04:00), 12.0 (20/11/26 04:54:00)] were greater than the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition).',
    ],
    [
      '3 out of 3, back to OK',
      '0 0 0',
      {},
      true,
      'Threshold Crossed: 3 out of the last 3 datapoints [5.0 (20/11/26 05:04:00), 5.0 (20/11/26 04:59:00), 5.0 (20/11/26 04:54:00)] were not greater than the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition).',
    ],
    [
      'nothing, breaching',
      '- - - -',
      { evaluationPeriods: 2, treatMissingData: 'breaching' },
      false,
      'Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].',
    ],
    [
      'nothing, not breaching',
      '- - -',
      { evaluationPeriods: 1, treatMissingData: 'notBreaching' },
      false,
      'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].',
    ],
    [
      'some missing',
      '- - - 0',
      { evaluationPeriods: 2, treatMissingData: 'notBreaching' },
      false,
      'Threshold Crossed: 1 datapoint [5.0 (20/11/26 05:04:00)] was not greater than the threshold (10.0) and 1 missing datapoint was treated as [NonBreaching].',
    ],
    ['nothing, missing', '- - - - -', {}, false, 'Insufficient Data: 3 datapoints were unknown.'],
  ])('for %s is in the words of AWS', (_name, points, changes, mOfN, expected) => {
    const judged = rule({ datapointsToAlarm: changes.evaluationPeriods ?? 3, ...changes });
    const judgement = judge(timeline(points), judged);
    const query = { at: start, period: PERIOD, mOfN, periods: [] };
    expect(reasonFor(judgement!, judged, query).text).toBe(expected);
  });

  test('is also given as JSON, with doubles as AWS writes them', () => {
    const judged = rule({ evaluationPeriods: 2, datapointsToAlarm: 1 });
    const query = { at: start + 75_123, statistic: 'Average', period: PERIOD, mOfN: true, periods: [] };
    expect(reasonFor(judge(timeline('0 X'), judged)!, judged, query).data).toBe(
      '{"version":"1.0","queryDate":"2026-11-20T05:05:15.123+0000","startDate":"2026-11-20T04:59:00.000+0000","statistic":"Average","period":300,"recentDatapoints":[5.0,12.0],"threshold":10.0,"evaluatedDatapoints":[{"timestamp":"2026-11-20T05:04:00.000+0000","sampleCount":4.0,"value":12.0}]}',
    );
  });
});
