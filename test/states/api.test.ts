import { expect, test } from 'vitest';
import {
  awaitToken,
  EmbeddedStates,
  FunctionError,
  invoke,
  machineArn,
  only,
  roleArn,
} from './embedded-states.ts';

const wait = only({ Type: 'Wait', Seconds: 60, End: true });
/** All of each event but its time. */
const untimed = (events: readonly object[]) =>
  events.map((event) => Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'timestamp')));

const definition = (states: object) => JSON.stringify({ QueryLanguage: 'JSONata', ...states });

test('the same name and input while running is answered as the first start; else the name is taken', async () => {
  const embedded = new EmbeddedStates();
  embedded.create(wait);
  const start = (input: string) => embedded.states.start(machineArn(), { name: 'one', input });
  const first = start('{"a":1}');
  expect(start('{"a":1}')).toEqual(first);
  expect(() => start('{"a":2}')).toThrow(`Execution Already Exists: '${first.executionArn}'`);
  await embedded.clock.advance(60_000);
  expect(() => start('{"a":1}')).toThrow('Execution Already Exists');
  await embedded.clock.advance(90 * 86_400_000 + 1);
  expect(start('{"a":1}').startDate).not.toEqual(first.startDate);
});

test.each([
  ['a name with a space', { name: 'a b' }, `Invalid Name: 'a b'`],
  ['a name of a digest', { name: 'sha256:ab' }, `Invalid Name: 'sha256:ab'`],
  ['a long name', { name: 'x'.repeat(81) }, 'failed to satisfy constraint'],
  ['input that is no JSON', { input: '{' }, 'Invalid State Machine Execution Input'],
  [
    'input that is too large',
    { input: JSON.stringify('x'.repeat(262_144)) },
    'length less than or equal to 262144',
  ],
  [
    'a machine that is not there',
    { stateMachineArn: machineArn('n') },
    `State Machine Does Not Exist: '${machineArn('n')}'`,
  ],
  ['no ARN', { stateMachineArn: 'm' }, `Invalid Arn: 'Invalid ARN prefix: m'`],
])('StartExecution refuses %s', (_case, input, message) => {
  const embedded = new EmbeddedStates();
  embedded.create(wait);
  expect(() => embedded.call('StartExecution', { stateMachineArn: machineArn(), ...input })).toThrow(message);
});

test("the history tells the course of an execution in AWS's events", async () => {
  const embedded = new EmbeddedStates();
  let token = '';
  embedded.handlers.set('f', (payload: { token: string }) => {
    token = payload.token;
    return 'asked';
  });
  const arn = embedded.start(
    only(awaitToken('f', { TimeoutSeconds: 9, Assign: { x: '{% $states.result %}' }, End: true })),
    { a: 1 },
  );
  await embedded.clock.advance(1000);
  embedded.call('SendTaskSuccess', { taskToken: token, output: '"yes"' });
  await embedded.clock.advance(0);

  const resource = { resourceType: 'lambda', resource: 'invoke.waitForTaskToken' };
  const untruncated = { truncated: false };
  expect(untimed(embedded.history(arn))).toEqual([
    {
      id: 1,
      previousEventId: 0,
      type: 'ExecutionStarted',
      executionStartedEventDetails: { input: '{"a":1}', inputDetails: untruncated, roleArn },
    },
    {
      id: 2,
      previousEventId: 0,
      type: 'TaskStateEntered',
      stateEnteredEventDetails: { name: 'S', input: '{"a":1}', inputDetails: untruncated },
    },
    {
      id: 3,
      previousEventId: 2,
      type: 'TaskScheduled',
      taskScheduledEventDetails: {
        ...resource,
        region: 'us-east-1',
        parameters: expect.stringContaining(token) as string,
        timeoutInSeconds: 9,
      },
    },
    { id: 4, previousEventId: 3, type: 'TaskStarted', taskStartedEventDetails: resource },
    {
      id: 5,
      previousEventId: 4,
      type: 'TaskSubmitted',
      taskSubmittedEventDetails: {
        ...resource,
        output: '{"ExecutedVersion":"$LATEST","Payload":"asked","StatusCode":200}',
        outputDetails: untruncated,
      },
    },
    {
      id: 6,
      previousEventId: 5,
      type: 'TaskSucceeded',
      taskSucceededEventDetails: { ...resource, output: '"yes"', outputDetails: untruncated },
    },
    {
      id: 7,
      previousEventId: 6,
      type: 'TaskStateExited',
      stateExitedEventDetails: {
        name: 'S',
        output: '"yes"',
        outputDetails: untruncated,
        assignedVariables: { x: '"yes"' },
        assignedVariablesDetails: untruncated,
      },
    },
    {
      id: 8,
      previousEventId: 7,
      type: 'ExecutionSucceeded',
      executionSucceededEventDetails: { output: '"yes"', outputDetails: untruncated },
    },
  ]);
  const bare = embedded.history(arn, { includeExecutionData: false });
  expect(bare[1]?.stateEnteredEventDetails).toEqual({ name: 'S' });
});

test('lists come in pages, newest first, and by status', async () => {
  const embedded = new EmbeddedStates();
  embedded.create(wait);
  for (const name of ['a', 'b', 'c']) embedded.states.start(machineArn(), { name, input: '{}' });
  const list = (input: object) =>
    embedded.call('ListExecutions', { stateMachineArn: machineArn(), ...input }) as {
      executions: { name: string }[];
      nextToken?: string;
    };
  const first = list({ maxResults: 2 });
  expect(first.executions.map(({ name }) => name)).toEqual(['c', 'b']);
  embedded.states.start(machineArn(), { name: 'd', input: '{}' });
  const second = list({ maxResults: 2, nextToken: first.nextToken });
  expect(second.executions.map(({ name }) => name)).toEqual(['a']);
  expect(second.nextToken).toBeUndefined();
  expect(() => list({ nextToken: 'x' })).toThrow('Invalid Token');

  const executionArn = `${machineArn().replace('stateMachine', 'execution')}:a`;
  embedded.call('StopExecution', { executionArn, error: 'E', cause: 'because' });
  expect(list({ statusFilter: 'ABORTED' }).executions.map(({ name }) => name)).toEqual(['a']);
  expect(list({ statusFilter: 'RUNNING' }).executions).toHaveLength(3);
});

test('stopping runs no catcher and drops what its task still answers', async () => {
  const embedded = new EmbeddedStates();
  let finished = false;
  embedded.handlers.set('f', async () => {
    await embedded.clock.sleep(5000);
    finished = true;
  });
  const arn = embedded.start({
    StartAt: 'S',
    States: {
      S: invoke('f', {}, { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'C' }], End: true }),
      C: { Type: 'Pass', End: true },
    },
  });
  await embedded.clock.advance(1000);
  embedded.call('StopExecution', { executionArn: arn, error: 'Abort', cause: 'by hand' });
  await embedded.clock.advance(10_000);
  expect(finished).toBe(true);
  expect(embedded.outcome(arn)).toEqual({ status: 'ABORTED', error: 'Abort', cause: 'by hand' });
  expect(embedded.types(arn)).toEqual([
    'ExecutionStarted',
    'TaskStateEntered',
    'TaskScheduled',
    'TaskStarted',
    'ExecutionAborted',
  ]);
});

test('a redrive goes on from the state that failed, within a Map from the item that failed', async () => {
  const embedded = new EmbeddedStates();
  const calls: number[] = [];
  let broken = true;
  embedded.handlers.set('f', (item: number) => {
    calls.push(item);
    if (item === 2 && broken) throw new FunctionError('Broken');
    return item * 10;
  });
  const arn = embedded.start({
    StartAt: 'A',
    States: {
      A: { Type: 'Pass', Assign: { seen: 'before' }, Next: 'M' },
      M: {
        Type: 'Map',
        Items: [1, 2, 3],
        MaxConcurrency: 1,
        ItemProcessor: { StartAt: 'I', States: { I: invoke('f', '{% $states.input %}', { End: true }) } },
        Output: { all: '{% $states.result %}', seen: '{% $seen %}' },
        End: true,
      },
    },
  });
  await embedded.clock.advance(1000);
  expect(embedded.outcome(arn)).toMatchObject({ status: 'FAILED', error: 'Broken' });
  broken = false;
  const redrive = () => embedded.call('RedriveExecution', { executionArn: arn, clientToken: 'one' });
  const answer = redrive();
  await embedded.clock.advance(1000);

  expect(embedded.outcome(arn)).toEqual({
    status: 'SUCCEEDED',
    output: { all: [10, 20, 30], seen: 'before' },
  });
  expect(calls).toEqual([1, 2, 2, 3]);
  expect(redrive()).toEqual(answer);
  expect(() => embedded.call('RedriveExecution', { executionArn: arn })).toThrow(
    'Execution is SUCCEEDED and cannot be redriven',
  );
  const types = embedded.types(arn);
  expect(types.slice(types.indexOf('ExecutionRedriven')).slice(0, 3)).toEqual([
    'ExecutionRedriven',
    'MapIterationStarted',
    'TaskScheduled',
  ]);
});

test('an execution is redrivable for 14 days', async () => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start(only({ Type: 'Fail', Error: 'E' }));
  await embedded.clock.advance(14 * 86_400_000 + 1);
  expect(() => embedded.call('RedriveExecution', { executionArn: arn })).toThrow(
    'Execution redrivable period exceeded',
  );
});

test('an update changes what starts later, not what runs', async () => {
  const embedded = new EmbeddedStates();
  const first = embedded.start({
    StartAt: 'W',
    States: { W: { Type: 'Wait', Seconds: 10, Output: 'old', End: true } },
  });
  embedded.call('UpdateStateMachine', {
    stateMachineArn: machineArn(),
    definition: definition(only({ Type: 'Pass', Output: 'new', End: true })),
  });
  const second = embedded.states.start(machineArn(), { input: '{}' }).executionArn;
  await embedded.clock.advance(10_000);
  expect([embedded.outcome(first).output, embedded.outcome(second).output]).toEqual(['old', 'new']);
  expect(embedded.call('DescribeStateMachineForExecution', { executionArn: first })['definition']).toContain(
    'old',
  );
});

test('creating a machine again is answered as the first time only when it is the same', () => {
  const embedded = new EmbeddedStates();
  const create = (states: object, role = roleArn) =>
    embedded.call('CreateStateMachine', { name: 'm', roleArn: role, definition: definition(states) });
  expect(create(wait, `${roleArn}2`)).toEqual(create(wait));
  expect(() => create(only({ Type: 'Succeed' }))).toThrow(`State Machine Already Exists: '${machineArn()}'`);
});

test('a machine is deleted when its last execution has ended', async () => {
  const embedded = new EmbeddedStates();
  embedded.start(wait);
  embedded.call('DeleteStateMachine', { stateMachineArn: machineArn() });
  expect(embedded.call('DescribeStateMachine', { stateMachineArn: machineArn() })['status']).toBe('DELETING');
  expect(() => embedded.states.start(machineArn(), { input: '{}' })).toThrow(
    'State Machine is being deleted',
  );
  await embedded.clock.advance(60_000);
  expect(() => embedded.call('DescribeStateMachine', { stateMachineArn: machineArn() })).toThrow(
    'State Machine Does Not Exist',
  );
});

test('tags are kept, changed and taken away', () => {
  const embedded = new EmbeddedStates();
  embedded.create(wait);
  const tags = () => embedded.call('ListTagsForResource', { resourceArn: machineArn() })['tags'];
  embedded.call('TagResource', {
    resourceArn: machineArn(),
    tags: [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ],
  });
  embedded.call('UntagResource', { resourceArn: machineArn(), tagKeys: ['a'] });
  expect(tags()).toEqual([{ key: 'b', value: '2' }]);
});

test('each change of status is put on the bus', async () => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start(wait, { a: 1 });
  await embedded.clock.advance(60_000);
  expect(embedded.events.map(({ detail }) => (detail as { status: string }).status)).toEqual([
    'RUNNING',
    'SUCCEEDED',
  ]);
  expect(embedded.events[1]).toMatchObject({
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn: machineArn(),
      name: 'run',
      input: '{"a":1}',
      output: '{"a":1}',
      error: null,
    },
  });
});

test('a token that never was is invalid', () => {
  const embedded = new EmbeddedStates();
  expect(() => embedded.call('SendTaskSuccess', { taskToken: 'x', output: '{}' })).toThrow(
    `Invalid Token: 'Invalid token'`,
  );
});

test('closing ends runs without telling', async () => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start(wait);
  embedded.states.close();
  await embedded.clock.advance(120_000);
  expect(embedded.types(arn)).toEqual(['ExecutionStarted', 'WaitStateEntered']);
  expect(embedded.events).toHaveLength(1);
});
