import { expect, test } from 'vitest';
import { AwsError } from '../../local/call.ts';
import { awaitToken, EmbeddedStates, FunctionError, invoke, machineArn } from './embedded-states.ts';

const second = 1000;
const toRestore = [
  { ErrorEquals: ['States.ALL'], Assign: { cause: '{% $states.errorOutput.Cause %}' }, Next: 'Restore' },
];

const waiting = {
  TimeoutSeconds: '{% $max([1, $floor(($deadline - $millis()) / 1000)]) %}',
  Assign: { verdict: '{% $states.result.verdict %}' },
};

const deployment = {
  StartAt: 'Plan',
  States: {
    Plan: invoke('plan', '{% $states.input %}', {
      Assign: {
        plan: '{% $states.result.Payload %}',
        deadline: '{% $millis() + $states.result.Payload.patience * 1000 %}',
      },
      Next: 'Anything to do?',
    }),
    'Anything to do?': {
      Type: 'Choice',
      Choices: [{ Condition: `{% $plan.generation = null %}`, Output: 'nothing to do', Next: 'Done' }],
      Default: 'Launch',
    },
    Launch: invoke('launch', { generation: '{% $plan.generation %}' }, { Catch: toRestore, Next: 'Await' }),
    Await: awaitToken('await', {
      ...waiting,
      Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Late?' }, ...toRestore],
      Next: 'Steps',
    }),
    'Late?': {
      Type: 'Choice',
      Choices: [
        {
          Condition: '{% $millis() >= $deadline %}',
          Assign: { cause: 'not healthy in time' },
          Next: 'Restore',
        },
      ],
      Default: 'Await',
    },
    Steps: {
      Type: 'Map',
      Items: '{% $plan.steps %}',
      MaxConcurrency: 1,
      ItemSelector: {
        weight: '{% $states.context.Map.Item.Value %}',
        number: '{% $states.context.Map.Item.Index %}',
      },
      ItemProcessor: {
        ProcessorConfig: { Mode: 'INLINE' },
        StartAt: 'Shift',
        States: {
          Shift: invoke(
            'shift',
            { to: '{% $plan.generation %}', weight: '{% $states.input.weight %}' },
            {
              Assign: { weight: '{% $states.input.weight %}' },
              Next: 'Bake',
            },
          ),
          Bake: awaitToken('await', {
            TimeoutSeconds: 60,
            Catch: [{ ErrorEquals: ['States.Timeout'], Next: 'Judge' }],
            Next: 'Judge',
          }),
          Judge: invoke('judge', { weight: '{% $weight %}' }, { End: true }),
        },
      },
      Assign: { verdicts: '{% $states.result %}' },
      Catch: toRestore,
      Next: 'Promote',
    },
    Promote: invoke('promote', {}, { Next: 'Retire the old one' }),
    'Retire the old one': {
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution',
      Arguments: {
        StateMachineArn: machineArn('retire'),
        Name: '{% $plan.generation %}',
        Input: { generation: '{% $plan.old %}' },
      },
      Output: { verdicts: '{% $verdicts %}' },
      Next: 'Done',
    },
    Done: { Type: 'Succeed' },
    Restore: invoke('restore', {}, { Next: 'Drain' }),
    Drain: { Type: 'Wait', Seconds: 30, Next: 'Terminate' },
    Terminate: invoke('terminate', {}, { Next: 'Rejected' }),
    Rejected: { Type: 'Fail', Error: 'Rejected', Cause: '{% $cause %}' },
  },
};

const plan = { generation: 'web-g0002', old: 'web-g0001', steps: [10, 100], patience: 90 };

function deploying(): EmbeddedStates & { readonly called: string[]; readonly tokens: string[] } {
  const embedded = Object.assign(new EmbeddedStates(), { called: [] as string[], tokens: [] as string[] });
  embedded.create({ StartAt: 'Gone', States: { Gone: { Type: 'Succeed' } } }, 'retire');
  for (const name of ['plan', 'launch', 'shift', 'judge', 'promote', 'restore', 'terminate', 'await']) {
    embedded.handlers.set(name, (payload: { weight?: number; token?: string }) => {
      embedded.called.push(payload.weight === undefined ? name : `${name} ${payload.weight}`);
      if (payload.token !== undefined) embedded.tokens.push(payload.token);
      if (name === 'plan') return plan;
      return name === 'judge' ? `pass at ${payload.weight}` : {};
    });
  }
  return embedded;
}

test('a deployment goes through its steps and starts the retirement of the old generation', async () => {
  const embedded = deploying();
  const arn = embedded.start(deployment, { service: 'web' });
  await embedded.clock.advance(5 * second);
  expect(embedded.called).toEqual(['plan', 'launch', 'await']);
  embedded.call('SendTaskSuccess', { taskToken: embedded.tokens[0], output: '{"verdict":"healthy"}' });
  await embedded.clock.advance(200 * second);

  expect(embedded.outcome(arn)).toEqual({
    status: 'SUCCEEDED',
    output: { verdicts: ['pass at 10', 'pass at 100'] },
  });
  expect(embedded.called.slice(3)).toEqual([
    'shift 10',
    'await',
    'judge 10',
    'shift 100',
    'await',
    'judge 100',
    'promote',
  ]);
  const retired = 'arn:aws:states:us-east-1:123456789012:execution:retire:web-g0002';
  expect(embedded.outcome(retired)).toEqual({ status: 'SUCCEEDED', output: { generation: 'web-g0001' } });
  // Plan, Choice, Launch, Await, Steps, 2 × (Shift, Bake, Judge), Promote, Retire, Done
  expect(embedded.states.transitions(arn)).toBe(14);
  expect(
    embedded.requests.filter(({ principal }) => principal.kind === 'role').map(({ action }) => action),
  ).toContain('states:StartExecution');
});

test('a wait re-enters itself with a new token until its deadline, then everything is restored', async () => {
  const embedded = deploying();
  const arn = embedded.start(deployment);
  await embedded.clock.advance(90 * second - 1);
  expect(embedded.called).toEqual(['plan', 'launch', 'await']);
  await embedded.clock.advance(40 * second);

  expect(embedded.called).toEqual(['plan', 'launch', 'await', 'restore', 'terminate']);
  expect(embedded.outcome(arn)).toEqual({
    status: 'FAILED',
    error: 'Rejected',
    cause: 'not healthy in time',
  });
  expect(() => embedded.call('SendTaskSuccess', { taskToken: embedded.tokens[0], output: '{}' })).toThrow(
    `Task Timed Out: 'Provided task does not exist anymore'`,
  );
});

test('a failing verdict within a step restores, with the verdict as the cause', async () => {
  const embedded = deploying();
  embedded.handlers.set('judge', () => {
    throw new FunctionError('VerdictFail', '5 % of requests failed');
  });
  const arn = embedded.start(deployment);
  await embedded.clock.advance(1);
  embedded.call('SendTaskSuccess', { taskToken: embedded.tokens[0], output: '{"verdict":"healthy"}' });
  await embedded.clock.advance(200 * second);

  const { status, error, cause } = embedded.outcome(arn);
  expect({ status, error }).toEqual({ status: 'FAILED', error: 'Rejected' });
  expect(JSON.parse(cause ?? '')).toMatchObject({
    errorType: 'VerdictFail',
    errorMessage: '5 % of requests failed',
  });
  expect(embedded.types(arn)).toEqual(
    expect.arrayContaining(['MapIterationFailed', 'MapStateFailed', 'MapStateExited']),
  );
});

test('nothing to do ends at once', async () => {
  const embedded = deploying();
  embedded.handlers.set('plan', () => ({ ...plan, generation: null }));
  expect(await embedded.run(deployment)).toEqual({ status: 'SUCCEEDED', output: 'nothing to do' });
});

test('a role that may not invoke fails the task as Lambda would', async () => {
  const embedded = new EmbeddedStates({
    authorizer: {
      authorize: ({ action, principal }) => {
        if (principal.kind === 'role')
          throw new AwsError('AccessDeniedException', `User: x is not authorized to perform: ${action}`);
      },
    },
  });
  const outcome = await embedded.run({ StartAt: 'S', States: { S: invoke('plan', {}, { End: true }) } });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'Lambda.AWSLambdaException' });
  expect(outcome.cause).toContain(`not authorized to perform: lambda:InvokeFunction`);
});
