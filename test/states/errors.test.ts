import { describe, expect, test } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { matches, StateFailure, TaskTimeout } from '../../local/services/states/failure.ts';
import { retryDelay } from '../../local/services/states/recovery.ts';
import { awaitToken, EmbeddedStates, FunctionError, functionArn, invoke, only } from './embedded-states.ts';

const failed = (error: string) => new StateFailure(error, 'why');

test.each([
  ['its own name', ['Mine'], failed('Mine'), true],
  ['another name', ['Mine'], failed('Other'), false],
  ['States.ALL', ['States.ALL'], failed('Other'), true],
  ['States.ALL and an error without a name', ['States.ALL'], new StateFailure(undefined, undefined), true],
  ['States.ALL and a data limit', ['States.ALL'], failed('States.DataLimitExceeded'), false],
  ['a data limit by its name', ['States.DataLimitExceeded'], failed('States.DataLimitExceeded'), true],
  ['States.ALL and a runtime error', ['States.ALL'], failed('States.Runtime'), false],
  ['a runtime error by its name', ['States.Runtime'], failed('States.Runtime'), false],
  ['States.TaskFailed', ['States.TaskFailed'], failed('Other'), true],
  ['States.TaskFailed and a time-out', ['States.TaskFailed'], new TaskTimeout('answer'), false],
  ['States.Timeout and a missed heartbeat', ['States.Timeout'], new TaskTimeout('heartbeat'), true],
  [
    'States.HeartbeatTimeout and a missed heartbeat',
    ['States.HeartbeatTimeout'],
    new TaskTimeout('heartbeat'),
    true,
  ],
  ['States.HeartbeatTimeout and a time-out', ['States.HeartbeatTimeout'], new TaskTimeout('answer'), false],
])('ErrorEquals: %s', (_case, names, failure, expected) => {
  expect(matches(names, failure)).toBe(expected);
});

test.each([
  ['the defaults', {}, [1000, 2000, 4000]],
  ['a cap', { IntervalSeconds: 3, BackoffRate: 3, MaxDelaySeconds: 10 }, [3000, 9000, 10_000]],
  ['full jitter', { IntervalSeconds: 4, JitterStrategy: 'FULL' as const }, [1000, 2000, 4000]],
])('a retry waits by %s', (_case, retrier, delays) => {
  const each = [0, 1, 2].map((attempts) =>
    retryDelay({ ErrorEquals: ['States.ALL'], ...retrier }, attempts, () => 0.25),
  );
  expect(each).toEqual(delays);
});

describe('a task', () => {
  test('is retried as often as its retrier says, each time by a transition, and then caught', async () => {
    const embedded = new EmbeddedStates();
    const at: number[] = [];
    embedded.handlers.set('f', () => {
      at.push(embedded.clock.now());
      throw new FunctionError('Broken');
    });
    const arn = embedded.start({
      StartAt: 'S',
      States: {
        S: invoke(
          'f',
          {},
          {
            Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 2, IntervalSeconds: 5 }],
            Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }],
            End: true,
          },
        ),
        C: { Type: 'Pass', End: true },
      },
    });
    await embedded.clock.advance(60_000);
    expect(at.map((one) => one - at[0]!)).toEqual([0, 5000, 15_000]);
    expect(embedded.outcome(arn)).toMatchObject({ status: 'SUCCEEDED', output: { Error: 'Broken' } });
    expect(embedded.states.transitions(arn)).toBe(4);
  });

  test.each([
    [new FunctionError('Broken', 'no'), 'Broken', /"errorMessage":"no"/],
    [
      new FunctionError('Sandbox.Timedout', 'Task timed out after 3.00 seconds'),
      'Sandbox.Timedout',
      /timed out/,
    ],
    [
      new FunctionError('', 'no'),
      'Lambda.Unknown',
      /^The cause could not be determined because Lambda did not return an error type/,
    ],
    [
      new AwsError('TooManyRequestsException', 'Rate Exceeded.'),
      'Lambda.TooManyRequestsException',
      /Status Code: 429/,
    ],
    [
      new AwsError('ServiceException', 'Sorry'),
      'Lambda.ServiceException',
      /Sorry \(Service: Lambda, Status Code: 500/,
    ],
  ])('fails with the error of its function: %s', async (thrown, error, cause) => {
    const embedded = new EmbeddedStates();
    embedded.handlers.set('f', () => {
      throw thrown;
    });
    const outcome = await embedded.run(only(invoke('f', {}, { End: true })));
    expect(outcome).toMatchObject({ status: 'FAILED', error });
    expect(outcome.cause).toMatch(cause);
  });

  test('that answers too late has timed out, and its answer is dropped', async () => {
    const embedded = new EmbeddedStates();
    embedded.handlers.set('f', () => embedded.clock.sleep(10_000));
    const arn = embedded.start(only(invoke('f', {}, { TimeoutSeconds: 3, End: true })));
    await embedded.clock.advance(20_000);
    expect(embedded.outcome(arn)).toEqual({ status: 'FAILED', error: 'States.Timeout' });
    expect(embedded.types(arn).slice(-2)).toEqual(['TaskTimedOut', 'ExecutionFailed']);
  });

  test('that waits lives as long as its heartbeats come', async () => {
    const embedded = new EmbeddedStates();
    let token = '';
    embedded.handlers.set('f', (payload: { token: string }) => void (token = payload.token));
    const arn = embedded.start(
      only(awaitToken('f', { HeartbeatSeconds: 10, TimeoutSeconds: 100, End: true })),
    );
    for (let beat = 0; beat < 3; beat++) {
      await embedded.clock.advance(9000);
      embedded.call('SendTaskHeartbeat', { taskToken: token });
    }
    expect(embedded.outcome(arn).status).toBe('RUNNING');
    await embedded.clock.advance(10_000);
    expect(embedded.outcome(arn)).toEqual({ status: 'FAILED', error: 'States.Timeout' });
  });

  test('that is answered before its function returns goes on at once', async () => {
    const embedded = new EmbeddedStates();
    embedded.handlers.set('f', async ({ token }: { token: string }) => {
      embedded.call('SendTaskSuccess', { taskToken: token, output: '"already so"' });
      await embedded.clock.sleep(1000);
      throw new FunctionError('TooLate');
    });
    const arn = embedded.start(only(awaitToken('f', { End: true })));
    await embedded.clock.advance(0);
    expect(embedded.outcome(arn)).toEqual({ status: 'SUCCEEDED', output: 'already so' });
    await embedded.clock.advance(2000);
    expect(embedded.types(arn)).not.toContain('TaskSubmitted');
  });

  test('fails with what SendTaskFailure says', async () => {
    const embedded = new EmbeddedStates();
    embedded.handlers.set('f', ({ token }: { token: string }) => {
      embedded.call('SendTaskFailure', { taskToken: token, error: 'No', cause: 'not today' });
    });
    const outcome = await embedded.run(only(awaitToken('f', { End: true })));
    expect(outcome).toEqual({ status: 'FAILED', error: 'No', cause: 'not today' });
  });

  test('that names only a function results in what it returns', async () => {
    const embedded = new EmbeddedStates();
    embedded.handlers.set('f', (payload: { a: number }) => payload.a + 1);
    const arn = embedded.start(only({ Type: 'Task', Resource: functionArn('f'), End: true }), { a: 1 });
    await embedded.clock.advance(1);
    expect(embedded.outcome(arn)).toEqual({ status: 'SUCCEEDED', output: 2 });
    expect(embedded.types(arn)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  test('whose result is too large fails beyond the reach of States.ALL', async () => {
    const embedded = new EmbeddedStates();
    embedded.handlers.set('f', () => 'x'.repeat(262_145));
    const all = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'S' }], End: true };
    const outcome = await embedded.run(only(invoke('f', {}, all)));
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

test('an execution ends at its own time limit, without error in its description', async () => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start({ TimeoutSeconds: 10, ...only({ Type: 'Wait', Seconds: 60, End: true }) });
  await embedded.clock.advance(10_000);
  expect(embedded.outcome(arn)).toEqual({ status: 'TIMED_OUT' });
  expect(embedded.history(arn).at(-1)).toMatchObject({
    type: 'ExecutionTimedOut',
    previousEventId: 0,
    executionTimedOutEventDetails: { error: 'States.Timeout' },
  });
});

test('an endless loop ends at 25,000 events', async () => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start({
    StartAt: 'A',
    States: {
      A: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'B' }], Default: 'A' },
      B: { Type: 'Succeed' },
    },
  });
  const ended = () => embedded.outcome(arn).status !== 'RUNNING';
  while (!ended()) await new Promise((resolve) => setImmediate(resolve));
  expect(embedded.outcome(arn)).toEqual({
    status: 'FAILED',
    error: 'States.Runtime',
    cause: 'The execution reached the maximum number of history events (25000).',
  });
  const last = embedded.history(arn, { reverseOrder: true, maxResults: 1 })[0];
  expect(last).toMatchObject({ id: 25_000, type: 'ExecutionFailed', previousEventId: 24_999 });
});
