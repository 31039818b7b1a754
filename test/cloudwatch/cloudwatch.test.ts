import type * as Sdk from '@aws-sdk/client-cloudwatch';
import { describe, expect, test } from 'vitest';
import type { AwsEvent } from '../../local/aws-event.ts';
import { CloudWatch } from '../../local/services/cloudwatch/cloudwatch.ts';
import { asker } from '../events/ask.ts';
import { ManualClock } from '../manual-clock.ts';

const topicArn = 'arn:aws:sns:us-east-1:123456789012:oncall';
const minute = 60_000;
const start = Date.UTC(2026, 10, 20, 5, 0);
const targetGroup = { TargetGroup: 'targetgroup/web-green/1', LoadBalancer: 'app/web/2' };
const Dimensions = Object.entries(targetGroup).map(([Name, Value]) => ({ Name, Value }));

function world() {
  const clock = new ManualClock(start);
  const events: AwsEvent[] = [];
  const published: { topicArn: string; subject: string; message: string }[] = [];
  const cloudwatch = new CloudWatch({
    clock,
    emit: (event) => events.push(event),
    publish: (arn, subject, message) => {
      if (arn.endsWith('gone')) throw new Error('Topic does not exist');
      published.push({ topicArn: arn, subject, message });
    },
  });
  const ask = asker(cloudwatch.operations);
  const record = (metric: string, ...values: number[]) =>
    cloudwatch.record({
      namespace: 'AWS/ApplicationELB',
      metric,
      dimensions: targetGroup,
      at: clock.now(),
      values,
    });
  const stateOf = async (name: string) => {
    const { MetricAlarms } = await ask<unknown, Sdk.DescribeAlarmsOutput>('DescribeAlarms', {
      AlarmNames: [name],
    });
    return MetricAlarms?.[0];
  };
  const states = () =>
    events.map((event) => {
      const detail = event.detail as { state: { value: string; timestamp: string } };
      return `${detail.state.timestamp.slice(11, 19)} ${detail.state.value}`;
    });
  return { clock, events, published, cloudwatch, ask, record, stateOf, states };
}

function metric(MetricName: string, Stat = 'Sum') {
  return { Metric: { Namespace: 'AWS/ApplicationELB', MetricName, Dimensions }, Period: 60, Stat };
}

function alarm(changes: Partial<Sdk.PutMetricAlarmInput> = {}): Sdk.PutMetricAlarmInput {
  return {
    AlarmName: 'web-errors',
    Namespace: 'AWS/ApplicationELB',
    MetricName: 'HTTPCode_Target_5XX_Count',
    Dimensions,
    Statistic: 'Sum',
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 10,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching',
    AlarmActions: [topicArn],
    ...changes,
  };
}

describe("a service's metric", () => {
  test('is seen a minute after its minute has ended', async () => {
    const { clock, ask, record } = world();
    const values = async () => {
      const [StartTime, EndTime] = [new Date(start), new Date(start + 10 * minute)];
      const MetricDataQueries = [{ Id: 'm1', MetricStat: metric('RequestCount') }];
      const input = { StartTime, EndTime, MetricDataQueries };
      return (await ask<unknown, Sdk.GetMetricDataOutput>('GetMetricData', input)).MetricDataResults?.[0]
        ?.Values;
    };
    record('RequestCount', 1, 1, 1);
    await clock.advance(30_000);
    record('RequestCount', 2);
    await clock.advance(89_999);
    expect(await values()).toEqual([]);
    await clock.advance(1);
    expect(await values()).toEqual([5]);
  });

  test('may come as values with how often each came', async () => {
    const { clock, ask, cloudwatch } = world();
    cloudwatch.record({
      namespace: 'AWS/ApplicationELB',
      metric: 'TargetResponseTime',
      dimensions: targetGroup,
      at: clock.now(),
      values: [0.1, 0.5],
      counts: [9, 1],
    });
    await clock.advance(2 * minute);
    const statistics = ['SampleCount', 'Sum', 'p90', 'p99'];
    const { MetricDataResults } = await ask<unknown, Sdk.GetMetricDataOutput>('GetMetricData', {
      StartTime: new Date(start),
      EndTime: new Date(start + minute),
      MetricDataQueries: statistics.map((statistic, index) => ({
        Id: `m${index}`,
        MetricStat: metric('TargetResponseTime', statistic),
      })),
    });
    expect(MetricDataResults?.map(({ Values }) => Values?.[0])).toEqual([10, 1.4, 0.1, 0.5]);
  });

  test('is listed by namespace, name and dimensions once it is seen', async () => {
    const { clock, ask, record } = world();
    record('RequestCount', 1);
    record('TargetResponseTime', 0.2);
    const list = async (input: Sdk.ListMetricsInput) => {
      const { Metrics } = await ask<unknown, Sdk.ListMetricsOutput>('ListMetrics', input);
      return Metrics?.map(({ MetricName }) => MetricName);
    };
    expect(await list({})).toEqual([]);
    await clock.advance(2 * minute);
    expect(await list({ Namespace: 'AWS/ApplicationELB' })).toEqual(['RequestCount', 'TargetResponseTime']);
    expect(await list({ Dimensions: [{ Name: 'TargetGroup' }], MetricName: 'RequestCount' })).toEqual([
      'RequestCount',
    ]);
    expect(await list({ Dimensions: [{ Name: 'TargetGroup', Value: 'other' }] })).toEqual([]);
  });
});

describe('GetMetricData', () => {
  async function filled() {
    const aws = world();
    for (const requests of [100, 200, 0, 400]) {
      if (requests > 0) aws.record('RequestCount', ...Array.from({ length: requests }, () => 1));
      aws.record('HTTPCode_Target_2XX_Count', requests * 0.9);
      aws.record('TargetResponseTime', 0.1, 0.2, 0.3, 0.9);
      await aws.clock.advance(minute);
    }
    await aws.clock.advance(minute);
    const get = (MetricDataQueries: Sdk.MetricDataQuery[], more: Partial<Sdk.GetMetricDataInput> = {}) =>
      aws.ask<unknown, Sdk.GetMetricDataOutput>('GetMetricData', {
        StartTime: new Date(start),
        EndTime: new Date(start + 4 * minute),
        ScanBy: 'TimestampAscending',
        MetricDataQueries,
        ...more,
      });
    return get;
  }

  test('gives failures from requests and good answers, latency as a proportion, in one call', async () => {
    const get = await filled();
    const { MetricDataResults } = await get([
      { Id: 'requests', MetricStat: metric('RequestCount'), ReturnData: false },
      { Id: 'good', MetricStat: metric('HTTPCode_Target_2XX_Count'), ReturnData: false },
      { Id: 'failed', Expression: 'MAX([requests - good, requests * 0])', Label: 'Failed' },
      { Id: 'fast', MetricStat: metric('TargetResponseTime', 'TC(:0.5)') },
      { Id: 'p75', MetricStat: metric('TargetResponseTime', 'p75') },
      { Id: 'whole', MetricStat: { ...metric('RequestCount'), Period: 120 } },
    ]);
    const minutes = (...numbers: number[]) => numbers.map((number) => new Date(start + number * minute));
    expect(MetricDataResults).toEqual([
      {
        Id: 'failed',
        Label: 'Failed',
        Timestamps: minutes(0, 1, 3),
        Values: [10, 20, 40],
        StatusCode: 'Complete',
      },
      {
        Id: 'fast',
        Label: 'TargetResponseTime',
        Timestamps: minutes(0, 1, 2, 3),
        Values: [3, 3, 3, 3],
        StatusCode: 'Complete',
      },
      {
        Id: 'p75',
        Label: 'TargetResponseTime',
        Timestamps: minutes(0, 1, 2, 3),
        Values: [0.3, 0.3, 0.3, 0.3],
        StatusCode: 'Complete',
      },
      {
        Id: 'whole',
        Label: 'RequestCount',
        Timestamps: minutes(0, 2),
        Values: [300, 400],
        StatusCode: 'Complete',
      },
    ]);
  });

  test('gives the newest first, in pages', async () => {
    const get = await filled();
    const queries = [
      { Id: 'a', MetricStat: metric('RequestCount') },
      { Id: 'b', MetricStat: metric('HTTPCode_Target_2XX_Count') },
    ];
    const paging = { ScanBy: 'TimestampDescending', MaxDatapoints: 4 } as const;
    const first = await get(queries, paging);
    expect(first.MetricDataResults?.map(({ Id, Values }) => [Id, Values])).toEqual([
      ['a', [400, 200, 100]],
      ['b', [360]],
    ]);
    const second = await get(queries, { ...paging, NextToken: first.NextToken });
    expect(second.MetricDataResults?.map(({ Id, Values }) => [Id, Values])).toEqual([['b', [0, 180, 90]]]);
    expect(second.NextToken).toBeUndefined();
  });

  test.each<[string, Sdk.MetricDataQuery[]]>([
    ["Error in expression 'e1' [Unsupported function 'SEARCH']", [{ Id: 'e1', Expression: 'SEARCH(1)' }]],
    ["Error in expression 'e1' [Undeclared name 'm1']", [{ Id: 'e1', Expression: 'm1 + 1' }]],
    [
      "Error in expression 'b' [Circular reference to 'a']",
      [
        { Id: 'a', Expression: 'b' },
        { Id: 'b', Expression: 'a' },
      ],
    ],
    [
      'The value Median for parameter Stat is not supported.',
      [{ Id: 'm1', MetricStat: metric('RequestCount', 'Median') }],
    ],
  ])('refuses: %s', async (message, queries) => {
    const get = await filled();
    await expect(get(queries)).rejects.toMatchObject({ code: 'ValidationError', message });
  });
});

test('custom metrics are seen at once, with counts, statistic sets and units', async () => {
  const { ask } = world();
  const at = new Date(start);
  await ask('PutMetricData', {
    Namespace: 'Shop',
    MetricData: [
      { MetricName: 'Orders', Timestamp: at, Values: [1, 2], Counts: [10, 5], Unit: 'Count' },
      {
        MetricName: 'Orders',
        Timestamp: at,
        StatisticValues: { Sum: 9, SampleCount: 3, Minimum: 1, Maximum: 6 },
        Unit: 'Count',
      },
      { MetricName: 'Orders', Timestamp: at, Value: 100, Unit: 'Percent' },
    ],
  });
  const { Datapoints } = await ask<unknown, Sdk.GetMetricStatisticsOutput>('GetMetricStatistics', {
    Namespace: 'Shop',
    MetricName: 'Orders',
    StartTime: at,
    EndTime: new Date(start + minute),
    Period: 60,
    Statistics: ['SampleCount', 'Sum', 'Maximum'],
    ExtendedStatistics: ['p50'],
    Unit: 'Count',
  });
  expect(Datapoints).toEqual([
    { Timestamp: at, Unit: 'Count', SampleCount: 18, Sum: 29, Maximum: 6, ExtendedStatistics: { p50: 1 } },
  ]);
});

describe('an alarm', () => {
  test('begins without data, then follows its metric, and tells of each change', async () => {
    const { clock, ask, record, stateOf, states, events, published } = world();
    await ask('PutMetricAlarm', alarm({ AlarmDescription: 'too many errors' }));
    expect(await stateOf('web-errors')).toMatchObject({
      StateValue: 'INSUFFICIENT_DATA',
      StateReason: 'Unchecked: Initial alarm creation',
    });
    await clock.advance(minute);
    expect(states()).toEqual(['05:00:10 OK']);
    record('HTTPCode_Target_5XX_Count', ...Array.from({ length: 12 }, () => 1));
    await clock.advance(2 * minute);
    expect(states()).toEqual(['05:00:10 OK', '05:03:00 ALARM']);
    expect(events[1]).toEqual({
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      resources: ['arn:aws:cloudwatch:us-east-1:123456789012:alarm:web-errors'],
      detail: {
        alarmName: 'web-errors',
        state: {
          value: 'ALARM',
          reason:
            'Threshold Crossed: 1 datapoint [12.0 (20/11/26 05:01:00)] was greater than the threshold (10.0).',
          reasonData:
            '{"version":"1.0","queryDate":"2026-11-20T05:03:00.000+0000","startDate":"2026-11-20T05:01:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[12.0],"threshold":10.0,"evaluatedDatapoints":[{"timestamp":"2026-11-20T05:01:00.000+0000","sampleCount":12.0,"value":12.0}]}',
          timestamp: '2026-11-20T05:03:00.000+0000',
        },
        previousState: {
          value: 'OK',
          reason:
            'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].',
          reasonData:
            '{"version":"1.0","queryDate":"2026-11-20T05:00:10.000+0000","statistic":"Sum","period":60,"recentDatapoints":[],"threshold":10.0}',
          timestamp: '2026-11-20T05:00:10.000+0000',
        },
        configuration: {
          description: 'too many errors',
          metrics: [
            {
              id: expect.stringMatching(/^[\da-f-]{36}$/) as string,
              metricStat: {
                metric: {
                  namespace: 'AWS/ApplicationELB',
                  name: 'HTTPCode_Target_5XX_Count',
                  dimensions: targetGroup,
                },
                period: 60,
                stat: 'Sum',
              },
              returnData: true,
            },
          ],
        },
      },
    });
    expect(published).toHaveLength(1);
    expect(published[0]).toMatchObject({ topicArn, subject: 'ALARM: "web-errors" in US East (N. Virginia)' });
    expect(JSON.parse(published[0]!.message)).toMatchObject({
      AlarmName: 'web-errors',
      NewStateValue: 'ALARM',
      OldStateValue: 'OK',
      StateChangeTime: '2026-11-20T05:03:00.000+0000',
      Trigger: { MetricName: 'HTTPCode_Target_5XX_Count', Statistic: 'SUM', Period: 60, Threshold: 10 },
    });
    // The last real datapoint counts until it leaves the evaluation range.
    await clock.advance(10 * minute);
    expect(states()).toEqual(['05:00:10 OK', '05:03:00 ALARM', '05:08:10 OK']);
  });

  test('on an expression watches its value', async () => {
    const { clock, ask, record, states, events } = world();
    const {
      Namespace: _n,
      MetricName: _m,
      Dimensions: _d,
      Statistic: _s,
      Period: _p,
      ...rest
    } = alarm({ Threshold: 5 });
    const Metrics: Sdk.MetricDataQuery[] = [
      { Id: 'requests', MetricStat: metric('RequestCount'), ReturnData: false },
      { Id: 'errors', MetricStat: metric('HTTPCode_Target_5XX_Count'), ReturnData: false },
      { Id: 'rate', Expression: '100 * FILL(errors, 0) / requests', Label: 'Error rate' },
    ];
    await ask('PutMetricAlarm', { ...rest, Metrics });
    record('RequestCount', 50);
    await clock.advance(minute);
    record('RequestCount', 50);
    record('HTTPCode_Target_5XX_Count', 5);
    await clock.advance(2 * minute);
    expect(states()).toEqual(['05:00:10 OK', '05:03:00 ALARM']);
    expect(events[1]?.detail).toMatchObject({
      state: {
        reason:
          'Threshold Crossed: 1 datapoint [10.0 (20/11/26 05:01:00)] was greater than the threshold (5.0).',
      },
      configuration: {
        metrics: [
          { id: 'requests', returnData: false },
          { id: 'errors' },
          { id: 'rate', label: 'Error rate', returnData: true },
        ],
      },
    });
  });

  test('that is set by hand keeps the state until the next evaluation', async () => {
    const { clock, ask, states, published } = world();
    await ask('PutMetricAlarm', alarm({ OKActions: [topicArn] }));
    await clock.advance(20_000);
    await ask('SetAlarmState', { AlarmName: 'web-errors', StateValue: 'ALARM', StateReason: 'drill' });
    await clock.advance(minute);
    expect(states()).toEqual(['05:00:10 OK', '05:00:20 ALARM', '05:01:10 OK']);
    expect(published.map(({ subject }) => subject.split(':')[0])).toEqual(['OK', 'ALARM', 'OK']);
  });

  test('acts only when its actions are enabled, and its history tells what happened', async () => {
    const { clock, ask, published } = world();
    await ask('PutMetricAlarm', alarm({ AlarmActions: [topicArn, `${topicArn}-gone`] }));
    const set = (StateValue: string) =>
      ask('SetAlarmState', { AlarmName: 'web-errors', StateValue, StateReason: 'drill' });
    await ask('DisableAlarmActions', { AlarmNames: ['web-errors'] });
    await set('ALARM');
    await set('OK');
    await ask('EnableAlarmActions', { AlarmNames: ['web-errors'] });
    await set('ALARM');
    await clock.advance(1);
    expect(published).toHaveLength(1);
    const describeHistory = (input: Sdk.DescribeAlarmHistoryInput) =>
      ask<unknown, Sdk.DescribeAlarmHistoryOutput>('DescribeAlarmHistory', {
        AlarmName: 'web-errors',
        ...input,
      });
    const { AlarmHistoryItems } = await describeHistory({ ScanBy: 'TimestampAscending' });
    expect(AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary)).toEqual([
      'Alarm "web-errors" created',
      'Alarm updated from INSUFFICIENT_DATA to ALARM',
      'Alarm updated from ALARM to OK',
      'Alarm updated from OK to ALARM',
      `Successfully executed action ${topicArn}`,
      `Failed to execute action ${topicArn}-gone. Received error: "Topic does not exist"`,
    ]);
    const newest = await describeHistory({ HistoryItemType: 'StateUpdate', MaxRecords: 2 });
    expect(newest.AlarmHistoryItems?.map(({ HistorySummary }) => HistorySummary)).toEqual([
      'Alarm updated from OK to ALARM',
      'Alarm updated from ALARM to OK',
    ]);
    const rest = await describeHistory({ HistoryItemType: 'StateUpdate', NextToken: newest.NextToken });
    expect(rest.AlarmHistoryItems).toHaveLength(1);
  });

  test('is described by name, prefix and state, in pages, until it is deleted', async () => {
    const { clock, ask, states } = world();
    for (const AlarmName of ['web-c', 'web-a', 'api-b']) await ask('PutMetricAlarm', alarm({ AlarmName }));
    const names = async (input: Sdk.DescribeAlarmsInput) => {
      const output = await ask<unknown, Sdk.DescribeAlarmsOutput>('DescribeAlarms', input);
      return [output.MetricAlarms?.map(({ AlarmName }) => AlarmName), output.NextToken] as const;
    };
    expect((await names({ AlarmNamePrefix: 'web-' }))[0]).toEqual(['web-a', 'web-c']);
    expect((await names({ StateValue: 'ALARM' }))[0]).toEqual([]);
    const [first, token] = await names({ MaxRecords: 2 });
    expect([first, (await names({ MaxRecords: 2, NextToken: token }))[0]]).toEqual([
      ['api-b', 'web-a'],
      ['web-c'],
    ]);
    await ask('DeleteAlarms', { AlarmNames: ['web-a', 'web-c', 'unknown'] });
    await clock.advance(2 * minute);
    expect(states()).toEqual(['05:00:10 OK']);
  });

  test.each<[string, Partial<Sdk.PutMetricAlarmInput>, string]>([
    [
      'ValidationError',
      { DatapointsToAlarm: 2 },
      'The value for parameter DatapointsToAlarm must not exceed the value for parameter EvaluationPeriods',
    ],
    ['ValidationError', { Period: 45 }, 'The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60'],
    [
      'ValidationError',
      { EvaluationPeriods: 1500 },
      'Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).',
    ],
    [
      'ValidationError',
      { AlarmActions: ['arn:aws:lambda:us-east-1:123456789012:function:f'] },
      'Invalid action arn:aws:lambda:us-east-1:123456789012:function:f: alarms of the embedded AWS act on SNS topics and on scaling policies of Auto Scaling groups only',
    ],
    [
      'InvalidParameterCombinationException',
      { ExtendedStatistic: 'p99' },
      'Exactly one of Statistic and ExtendedStatistic must be specified',
    ],
    ['MissingRequiredParameterException', { Threshold: undefined }, 'The parameter Threshold is required.'],
  ])('is refused with %s', async (code, changes, message) => {
    const { ask } = world();
    await expect(ask('PutMetricAlarm', alarm(changes))).rejects.toMatchObject({ code, message });
  });
});
