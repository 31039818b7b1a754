import { expect, test } from 'vitest';
import { EmbeddedStates, invoke, only } from './embedded-states.ts';

const pass = (output: unknown) => only({ Type: 'Pass', Output: output, End: true });

test.each([
  ['{% $states.input.n + 1 %}', 3],
  [
    { a: ['{% $states.input.n %}', 'literal', null], b: { c: true } },
    { a: [2, 'literal', null], b: { c: true } },
  ],
  ['{% [1..3] %}', [1, 2, 3]],
  ['{% $states.input.list[$ > 1] %}', [2, 3]],
  ['{% $states.input.list[$ > 2] %}', 3],
  ['{% $states.input.nothing %}', null],
  ['{% $partition([1..5], 2) %}', [[1, 2], [3, 4], [5]]],
  ['{% $range(0, 10, 5) %}', [0, 5, 10]],
  ['{% $hash("a", "SHA-256") %}', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ['{% $parse("{\\"a\\":1}").a %}', 1],
  ['{% $random(7) = $random(7) %}', true],
  ['{% $fromMillis($millis()) = $now() %}', true],
  ['{% $now() %}', '2026-01-01T00:00:00.000Z'],
  ['{% $match("web-g0042", /g(\\d+)/).groups[0] %}', '0042'],
  ['{%\n  $uppercase("two lines")\n%}', 'TWO LINES'],
  ['{% $states.context.Execution.Name & " of " & $states.context.StateMachine.Name %}', 'run of m'],
  ['{% $states.context.State.Name %}', 'S'],
])('%j puts out %j', async (output, expected) => {
  const embedded = new EmbeddedStates();
  const outcome = await embedded.run(pass(output), { n: 2, list: [1, 2, 3], nothing: null });
  expect(outcome).toEqual({ status: 'SUCCEEDED', output: expected });
});

test.each([
  [
    '{% $states.input.absent %}',
    `'$states.input.absent' specified for the field 'Output' returned nothing (undefined).`,
  ],
  [
    { a: [{ b: '{% $states.input.absent %}' }] },
    `for the field 'Output/a[0]/b' returned nothing (undefined).`,
  ],
  ['{% $abs("x") %}', `threw an error during evaluation. T0410: Argument 1 of function "abs"`],
  ['{% $error("mine") %}', 'D3137: mine'],
  ['{% $sum %}', 'return a function'],
  ['{% ($f := function($n){ 1 + $f($n) }; $f(1)) %}', 'exceeded its limit of steps'],
  ['{% ($f := function($n){ $f($n) }; $f(1)) %}', 'exceeded its limit of steps'],
  ['{% $contains("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", /^(a+)+$/) %}', 'timed out'],
])('%j fails the state', async (output, cause) => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start(pass(output));
  await embedded.clock.advance(1);
  while (embedded.outcome(arn).status === 'RUNNING') await embedded.clock.advance(0);
  const outcome = embedded.outcome(arn);
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  expect(outcome.cause).toContain(
    `An error occurred while executing the state 'S' (entered at the event id #2). `,
  );
  expect(outcome.cause).toContain(cause);
  expect(embedded.types(arn)).toEqual([
    'ExecutionStarted',
    'PassStateEntered',
    'EvaluationFailed',
    'ExecutionFailed',
  ]);
});

test.each([
  [
    'a condition',
    { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'Z' }], Default: 'Z' },
    `'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1`,
  ],
  [
    'a time-out',
    invoke('f', {}, { TimeoutSeconds: '{% 0 %}', Next: 'Z' }),
    `'TimeoutSeconds' returned a value that is not an integer between 1`,
  ],
  [
    'a wait',
    { Type: 'Wait', Seconds: '{% "1" %}', Next: 'Z' },
    `'Seconds' returned an unexpected result type. Expected 'number', but was 'string'`,
  ],
  [
    'items',
    {
      Type: 'Map',
      MaxConcurrency: 1,
      Items: '{% {} %}',
      ItemProcessor: only({ Type: 'Succeed' }),
      Next: 'Z',
    },
    `'Items' returned an unexpected result type. Expected 'array', but was 'object'`,
  ],
])('%s of a wrong value fails the state', async (_case, state, cause) => {
  const processor = JSON.stringify(state).replaceAll('"S"', '"Inner"');
  const outcome = await new EmbeddedStates().run({
    StartAt: 'S',
    States: { S: JSON.parse(processor), Z: { Type: 'Succeed' } },
  });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
  expect(outcome.cause).toContain(cause);
});

test('assignments see the variables as they were, and take effect in the next state', async () => {
  const outcome = await new EmbeddedStates().run({
    StartAt: 'A',
    States: {
      A: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { x: '{% $y %}', y: '{% $x %}' }, Output: '{% $x %}', Next: 'C' },
      C: { Type: 'Succeed', Output: { was: '{% $states.input %}', x: '{% $x %}', y: '{% $y %}' } },
    },
  });
  expect(outcome.output).toEqual({ was: 1, x: 2, y: 1 });
});

test('a Map has variables of its own for each item and reads those around it', async () => {
  const outcome = await new EmbeddedStates().run({
    StartAt: 'A',
    States: {
      A: { Type: 'Pass', Assign: { base: 10 }, Next: 'M' },
      M: {
        Type: 'Map',
        Items: [1, 2],
        MaxConcurrency: 1,
        ItemProcessor: {
          StartAt: 'I',
          States: {
            I: { Type: 'Pass', Assign: { sum: '{% $base + $states.input %}' }, Next: 'J' },
            J: {
              Type: 'Pass',
              Output: '{% $string($sum) & "#" & $string($states.context.Map.Item.Index) %}',
              End: true,
            },
          },
        },
        End: true,
      },
    },
  });
  expect(outcome.output).toEqual(['11#0', '12#1']);
});

test('a choice that nothing matches ends the execution', async () => {
  const outcome = await new EmbeddedStates().run({
    StartAt: 'S',
    States: {
      S: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'Z' }] },
      Z: { Type: 'Succeed' },
    },
  });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(outcome.cause).toContain('Failed to transition out of the state.');
});

test('a wait lasts until its timestamp', async () => {
  const embedded = new EmbeddedStates();
  const arn = embedded.start(
    only({ Type: 'Wait', Timestamp: '{% $fromMillis($millis() + 5000) %}', End: true }),
  );
  await embedded.clock.advance(4999);
  expect(embedded.outcome(arn).status).toBe('RUNNING');
  await embedded.clock.advance(1);
  expect(embedded.outcome(arn).status).toBe('SUCCEEDED');
});
