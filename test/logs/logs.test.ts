import { beforeEach, describe, expect, it } from 'vitest';
import type { Call } from '../../local/call.ts';
import { Logs } from '../../local/services/logs/logs.ts';
import { ManualClock } from '../manual-clock.ts';

let clock: ManualClock;
let logs: Logs;

beforeEach(() => {
  clock = new ManualClock();
  logs = new Logs({ clock, maxEventsPerGroup: 100 });
});

const logGroupName = '/aws/lambda/plan';
const logStreamName = '2026/01/01/[$LATEST]1';

function call<T = Record<string, unknown>>(operation: string, input: object): T {
  const context: Call = {
    principal: { kind: 'root' },
    requestId: 'request',
    endpoint: 'http://127.0.0.1:4566',
  };
  return (logs.operations[operation] as unknown as (input: object, call: Call) => T)(input, context);
}

const messages = (output: Record<string, unknown>) =>
  (output['events'] as { message: string }[]).map(({ message }) => message);

describe('events', () => {
  it('that a service appends make group and stream', () => {
    logs.append(logGroupName, logStreamName, 'one');
    expect(messages(call('GetLogEvents', { logGroupName, logStreamName }))).toEqual(['one']);
    expect(call('DescribeLogGroups', { logGroupNamePrefix: '/aws/' })).toMatchObject({
      logGroups: [
        {
          logGroupName,
          arn: 'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/plan:*',
          creationTime: Date.UTC(2026, 0, 1),
          storedBytes: 29,
        },
      ],
    });
    expect(call('DescribeLogStreams', { logGroupName })).toMatchObject({
      logStreams: [{ logStreamName, lastEventTimestamp: Date.UTC(2026, 0, 1) }],
    });
  });

  it('are read from the tail, then onwards by token until it stays the same', () => {
    for (const line of ['a', 'b', 'c']) logs.append(logGroupName, logStreamName, line);
    const tail = call('GetLogEvents', { logGroupName, logStreamName, limit: 2 });
    expect(messages(tail)).toEqual(['b', 'c']);
    const before = call('GetLogEvents', {
      logGroupName,
      logStreamName,
      nextToken: tail['nextBackwardToken'],
    });
    expect(messages(before)).toEqual(['a']);
    const end = call('GetLogEvents', { logGroupName, logStreamName, nextToken: tail['nextForwardToken'] });
    expect([messages(end), end['nextForwardToken']]).toEqual([[], tail['nextForwardToken']]);
    logs.append(logGroupName, logStreamName, 'd');
    expect(
      messages(call('GetLogEvents', { logGroupName, logStreamName, nextToken: tail['nextForwardToken'] })),
    ).toEqual(['d']);
    expect(
      messages(call('GetLogEvents', { logGroupName, logStreamName, limit: 1, startFromHead: true })),
    ).toEqual(['a']);
  });

  it('of all streams are filtered by terms, page by page, in order of time', async () => {
    logs.append(logGroupName, 's1', 'ERROR red alarm');
    await clock.advance(10);
    logs.append(logGroupName, 's2', 'INFO green');
    await clock.advance(10);
    logs.append(logGroupName, 's2', 'ERROR "no slot" at web');
    const filter = (input: object) => messages(call('FilterLogEvents', { logGroupName, ...input }));
    expect(filter({ filterPattern: 'ERROR' })).toEqual(['ERROR red alarm', 'ERROR "no slot" at web']);
    expect(filter({ filterPattern: '"red alarm"' })).toEqual(['ERROR red alarm']);
    expect(filter({ filterPattern: 'ERROR -web' })).toEqual(['ERROR red alarm']);
    expect(filter({ filterPattern: '?green ?red' })).toEqual(['ERROR red alarm', 'INFO green']);
    expect(filter({ logStreamNamePrefix: 's2', startTime: clock.now() })).toEqual(['ERROR "no slot" at web']);
    const first = call('FilterLogEvents', { logGroupName, limit: 2 });
    const second = call('FilterLogEvents', { logGroupName, nextToken: first['nextToken'] });
    expect([messages(first).length, messages(second).length, second['nextToken']]).toEqual([2, 1, undefined]);
    expect(() => filter({ filterPattern: '{ $.level = "ERROR" }' })).toThrow(/matches terms only/);
  });

  it('are kept up to the bound, the newest', () => {
    for (let n = 0; n < 500; n++) logs.append(logGroupName, logStreamName, String(n));
    const kept = messages(call('GetLogEvents', { logGroupName, logStreamName }));
    expect(kept.length).toBeLessThanOrEqual(110);
    expect(kept.at(-1)).toBe('499');
  });

  it('are gone after the retention', async () => {
    logs.append(logGroupName, logStreamName, 'old');
    call('PutRetentionPolicy', { logGroupName, retentionInDays: 1 });
    await clock.advance(86_400_001);
    expect(messages(call('GetLogEvents', { logGroupName, logStreamName }))).toEqual([]);
    expect(() => call('PutRetentionPolicy', { logGroupName, retentionInDays: 2 })).toThrow(/enum value set/);
  });

  it('that are put must be in order, not too old, not too new', () => {
    call('CreateLogGroup', { logGroupName });
    call('CreateLogStream', { logGroupName, logStreamName });
    const now = clock.now();
    const put = (...timestamps: number[]) =>
      call('PutLogEvents', {
        logGroupName,
        logStreamName,
        logEvents: timestamps.map((timestamp) => ({ timestamp, message: 'm' })),
      });
    expect(put(now - 15 * 86_400_000, now - 1, now, now + 3 * 3_600_000)).toEqual({
      rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 3 },
    });
    expect(messages(call('GetLogEvents', { logGroupName, logStreamName }))).toHaveLength(2);
    expect(() => put(now, now - 1)).toThrow(/chronological order/);
  });
});

describe('groups', () => {
  it('are refused twice, and when they are not there', () => {
    call('CreateLogGroup', { logGroupName, tags: { a: '1' } });
    expect(() => call('CreateLogGroup', { logGroupName })).toThrow(
      expect.objectContaining({ code: 'ResourceAlreadyExistsException' }),
    );
    call('DeleteLogGroup', { logGroupName });
    expect(() => call('DeleteLogGroup', { logGroupName })).toThrow(
      expect.objectContaining({ code: 'ResourceNotFoundException' }),
    );
  });

  it('carry tags and a key', () => {
    call('CreateLogGroup', { logGroupName, tags: { a: '1' } });
    const resourceArn = 'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/plan:*';
    call('TagResource', { resourceArn, tags: { b: '2' } });
    call('UntagResource', { resourceArn, tagKeys: ['a'] });
    call('AssociateKmsKey', { logGroupName, kmsKeyId: 'key' });
    expect(call('ListTagsForResource', { resourceArn })).toEqual({ tags: { b: '2' } });
    expect(call('DescribeLogGroups', {})).toMatchObject({ logGroups: [{ kmsKeyId: 'key' }] });
  });

  it('come page by page', () => {
    for (const name of ['c', 'a', 'b']) call('CreateLogGroup', { logGroupName: name });
    const first = call('DescribeLogGroups', { limit: 2 });
    const second = call('DescribeLogGroups', { limit: 2, nextToken: first['nextToken'] });
    const names = (page: Record<string, unknown>) =>
      (page['logGroups'] as { logGroupName: string }[]).map((group) => group.logGroupName);
    expect([names(first), names(second), second['nextToken']]).toEqual([['a', 'b'], ['c'], undefined]);
  });

  it('have resource policies beside them', () => {
    call('PutResourcePolicy', { policyName: 'p', policyDocument: '{}' });
    expect(call('DescribeResourcePolicies', {})).toEqual({
      resourcePolicies: [{ policyName: 'p', policyDocument: '{}', lastUpdatedTime: clock.now() }],
    });
  });
});
