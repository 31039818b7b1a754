import { describe, expect, test } from 'vitest';
import { checkDefinition } from '../../local/services/states/check/check.ts';
import { findingText } from '../../local/services/states/check/finding.ts';
import { awaitToken, EmbeddedStates, functionArn, invoke, only, roleArn } from './embedded-states.ts';

function findings(definition: object | string): string[] {
  const text =
    typeof definition === 'string' ? definition : JSON.stringify({ QueryLanguage: 'JSONata', ...definition });
  return checkDefinition(text).findings.map(findingText);
}

const task = (more: object) => only(invoke('f', {}, { End: true, ...more }));
const output = (text: string) => only({ Type: 'Pass', Output: text, End: true });

test.each<[string, object | string, string]>([
  ['no JSON', '{', 'INVALID_JSON_DESCRIPTION'],
  [
    'two states of one name',
    `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Succeed"},"A":{"Type":"Succeed"}}}`,
    'INVALID_JSON_DESCRIPTION: Duplicate field at /States/A',
  ],
  [
    'JSONPath',
    { QueryLanguage: 'JSONPath', ...only({ Type: 'Succeed' }) },
    'NOT_EMBEDDED: Only definitions in JSONata run here',
  ],
  [
    'no language',
    JSON.stringify(only({ Type: 'Succeed' })),
    `without 'QueryLanguage' (which means JSONPath)`,
  ],
  [
    'Parallel',
    only({ Type: 'Parallel', Branches: [] }),
    'NOT_EMBEDDED: Parallel states do not run here at /States/S/Type',
  ],
  ['an unknown type', only({ Type: 'Sleep' }), 'SCHEMA_VALIDATION_FAILED: Value should be one of'],
  [
    'an unknown field',
    only({ Type: 'Succeed', Next: 'S' }),
    `Field 'Next' is not supported by states of type Succeed at /States/S/Next`,
  ],
  [
    'a JSONPath field',
    task({ ResultPath: '$' }),
    `field 'ResultPath' is only supported for the 'JSONPath' QueryLanguage at /States/S`,
  ],
  [
    'a missing target',
    only({ Type: 'Pass', Next: 'Nowhere' }),
    `MISSING_TRANSITION_TARGET: There is no state 'Nowhere' in this workflow at /States/S/Next`,
  ],
  ['a missing start', { ...only({ Type: 'Succeed' }), StartAt: 'T' }, 'at /StartAt'],
  ['a missing catcher', task({ Catch: [{ ErrorEquals: ['A'], Next: 'T' }] }), 'at /States/S/Catch[0]/Next'],
  ['a loop without end', only({ Type: 'Pass', Next: 'S' }), 'MISSING_END_STATE'],
  [
    'an unreachable state',
    { StartAt: 'A', States: { A: { Type: 'Succeed' }, B: { Type: 'Succeed' } } },
    'State B is not reachable',
  ],
  ['neither Next nor End', only({ Type: 'Pass' }), 'SCHEMA_VALIDATION_FAILED'],
  [
    'concurrent items',
    only({ Type: 'Map', ItemProcessor: { StartAt: 'I', States: { I: { Type: 'Succeed' } } }, End: true }),
    'NOT_EMBEDDED: A Map runs here one item after the other only: say MaxConcurrency 1 at /States/S/MaxConcurrency',
  ],
  [
    'a distributed Map',
    only({
      Type: 'Map',
      MaxConcurrency: 1,
      ItemProcessor: {
        ProcessorConfig: { Mode: 'DISTRIBUTED' },
        StartAt: 'I',
        States: { I: { Type: 'Succeed' } },
      },
      End: true,
    }),
    'Only a Map with Mode INLINE',
  ],
  [
    'equal names in and around a Map',
    only({ Type: 'Map', MaxConcurrency: 1, ItemProcessor: only({ Type: 'Succeed' }), End: true }),
    'DUPLICATE_STATE_NAME',
  ],
  [
    'a misspelled integration',
    task({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskTokn' }),
    'NOT_EMBEDDED: The resource arn:aws:states:::lambda:invoke.waitForTaskTokn is not embedded',
  ],
  [
    'another integration',
    task({ Resource: 'arn:aws:states:::sns:publish' }),
    'NOT_EMBEDDED: The resource arn:aws:states:::sns:publish',
  ],
  [
    'a token that nobody gets',
    only({ ...awaitToken('f', { End: true }), Arguments: { FunctionName: 'f' } }),
    'UNUSED_TASK_TOKEN',
  ],
  [
    'no function',
    task({ Arguments: { Payload: 1 } }),
    `The argument 'FunctionName' is required at /States/S/Arguments`,
  ],
  [
    'an asynchronous call',
    task({ Arguments: { FunctionName: 'f', InvocationType: 'Event' } }),
    'Only the InvocationType RequestResponse',
  ],
  [
    'a heartbeat as long as the time-out',
    only(awaitToken('f', { TimeoutSeconds: 5, HeartbeatSeconds: 5, End: true })),
    'HeartbeatSeconds (5) must be smaller than TimeoutSeconds (5)',
  ],
  [
    'a time-out of nothing',
    task({ TimeoutSeconds: 0 }),
    'Expected an integer between 1 and 99999999 or a JSONata expression at /States/S/TimeoutSeconds',
  ],
  [
    'States.ALL before others',
    task({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['A'] }] }),
    'States.ALL must appear in the last entry',
  ],
  [
    'States.ALL beside others',
    task({ Retry: [{ ErrorEquals: ['States.ALL', 'A'] }] }),
    'States.ALL must appear alone at /States/S/Retry[0]/ErrorEquals',
  ],
  ['no error names', task({ Retry: [{ ErrorEquals: [] }] }), 'Expected a list with at least one error name'],
  [
    'a retrier field',
    task({ Retry: [{ ErrorEquals: ['A'], Attempts: 2 }] }),
    `Field 'Attempts' is not supported at /States/S/Retry[0]/Attempts`,
  ],
  [
    'a wait for both',
    only({ Type: 'Wait', Seconds: 1, Timestamp: '2026-01-01T00:00:00Z', End: true }),
    `exactly one of 'Seconds' and 'Timestamp'`,
  ],
  ['a syntax error', output('{% $states.input.( %}'), 'INVALID_JSONATA_EXPRESSION: S0'],
  ['a half expression', output('{% 1 '), `INVALID_JSONATA_EXPRESSION: An expression starts with '{%'`],
  [
    'a name at the top level',
    output('{% phone %}'),
    `UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at /States/S/Output`,
  ],
  ['the context', output('{% $.a %}'), `Reference to '$' at the top level is not supported.`],
  ['the root', output('{% $$.a %}'), `Reference to '$$' is not supported.`],
  ['$eval', output('{% $eval("1") %}'), 'The function $eval is not supported; use $parse'],
  ['an unknown function', output('{% $uper("a") %}'), 'UNASSIGNED_VARIABLE: There is no function $uper'],
  ['a misspelled member of $states', output('{% $states.inptu %}'), `'$states.inptu' does not exist`],
  [
    'a misspelled member of the context',
    output('{% $states.context.Execution.Nmae %}'),
    `'$states.context.Execution.Nmae' does not exist`,
  ],
  ['a result where there is none', output('{% $states.result %}'), `'$states.result' is not available here`],
  [
    'a result in arguments',
    task({ Arguments: { FunctionName: 'f', Payload: '{% $states.result %}' } }),
    `'$states.result' is not available here`,
  ],
  [
    'an error outside a catcher',
    task({ Output: '{% $states.errorOutput %}' }),
    `'$states.errorOutput' is not available here`,
  ],
  [
    'a token where there is none',
    task({ Arguments: { FunctionName: 'f', Payload: '{% $states.context.Task.Token %}' } }),
    `'$states.context.Task.Token' is not available here`,
  ],
  [
    'an item outside a Map',
    output('{% $states.context.Map.Item.Value %}'),
    `'$states.context.Map.Item.Value' is not available here`,
  ],
  [
    'an unassigned variable',
    output('{% $x %}'),
    'UNASSIGNED_VARIABLE: The variable $x is not assigned in any state on the way to this one at /States/S/Output',
  ],
  [
    'a variable used where it is assigned',
    only({ Type: 'Pass', Assign: { x: 1, y: '{% $x %}' }, End: true }),
    'The variable $x is not assigned',
  ],
  [
    'the variable name states',
    only({ Type: 'Pass', Assign: { states: 1 }, End: true }),
    `The variable name 'states' is reserved`,
  ],
  [
    'a Map that assigns an outer variable',
    {
      StartAt: 'A',
      States: {
        A: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
        M: {
          Type: 'Map',
          MaxConcurrency: 1,
          ItemProcessor: { StartAt: 'I', States: { I: { Type: 'Pass', Assign: { x: 2 }, End: true } } },
          End: true,
        },
      },
    },
    'whose states may read but not assign it at /States/M/ItemProcessor/States/I/Assign/x',
  ],
])('refuses %s', (_case, definition, expected) => {
  expect(findings(definition).join('\n')).toContain(expected);
});

test('tells all findings, each with its place', () => {
  const embedded = new EmbeddedStates();
  const definition = {
    StartAt: 'A',
    States: {
      A: { Type: 'Pass', Output: { a: '{% $x %}', b: ['{% $y %}'] }, Next: 'B' },
      B: { Type: 'Pass', Result: 1, End: true },
    },
  };
  expect(() => embedded.create(definition)).toThrow(
    /^Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: .* at \/States\/B, UNASSIGNED_VARIABLE: .* at \/States\/A\/Output\/a, UNASSIGNED_VARIABLE: .* at \/States\/A\/Output\/b\[0\]'$/,
  );
  const { result, diagnostics } = embedded.call('ValidateStateMachineDefinition', {
    definition: JSON.stringify({ QueryLanguage: 'JSONata', ...definition }),
  }) as { result: string; diagnostics: object[] };
  expect(result).toBe('FAIL');
  expect(diagnostics).toContainEqual(
    expect.objectContaining({ severity: 'ERROR', location: '/States/A/Output/a' }),
  );
});

describe('accepts', () => {
  test.each([
    [
      'a variable that only one way assigns',
      {
        StartAt: 'C',
        States: {
          C: {
            Type: 'Choice',
            Choices: [{ Condition: '{% true %}', Assign: { x: 1 }, Next: 'Z' }],
            Default: 'Z',
          },
          Z: { Type: 'Succeed', Output: '{% $exists($x) ? $x : 0 %}' },
        },
      },
    ],
    [
      'a variable that a later state assigns and a loop brings back',
      {
        StartAt: 'A',
        States: {
          A: {
            Type: 'Choice',
            Choices: [{ Condition: '{% $exists($n) and $n > 2 %}', Next: 'Z' }],
            Default: 'B',
          },
          B: { Type: 'Pass', Assign: { n: 3 }, Next: 'A' },
          Z: { Type: 'Succeed' },
        },
      },
    ],
    [
      'what a catcher assigns',
      {
        StartAt: 'A',
        States: {
          A: invoke(
            'f',
            {},
            {
              Catch: [
                {
                  ErrorEquals: ['States.ALL'],
                  Assign: { cause: '{% $states.errorOutput.Cause %}' },
                  Next: 'F',
                },
              ],
              End: true,
            },
          ),
          F: { Type: 'Fail', Error: 'E', Cause: '{% $cause %}' },
        },
      },
    ],
    [
      'names bound in the expression',
      output('{% ($a := 1; $f := function($v, $i) { $v + $i + $a + $f(1, 2) }; $map([1], $f)) %}'),
    ],
    [
      'names behind the first step of a path',
      output('{% $states.input.items[value > 3 and $ != 4]^(<price){ sku: $sum(price) } %}'),
    ],
    ['focus and index', output('{% $states.input.a@$x.b#$i.{ "x": $x, "i": $i } %}')],
    ['a transform', output('{% $states.input ~> | items | { "price": price * 2 } | %}')],
    [
      "all of AWS's functions",
      output(
        '{% [$partition([1], 1), $range(1, 2, 1), $hash("a", "MD5"), $random(), $uuid(), $parse("1")] %}',
      ),
    ],
    [
      'a token within the whole context',
      only({
        ...awaitToken('f', { End: true }),
        Arguments: { FunctionName: 'f', Payload: '{% $states.context %}' },
      }),
    ],
    [
      'arguments that are one expression',
      only({
        ...awaitToken('f', { End: true }),
        Arguments: '{% { "FunctionName": "f", "Payload": $states.context.Task } %}',
      }),
    ],
    [
      'empty texts, lists in lists and a state named like a field',
      {
        StartAt: 'Arguments',
        States: {
          Arguments: { Type: 'Pass', Output: { a: '', b: [['x']] }, Next: 'Output' },
          Output: { Type: 'Succeed' },
        },
      },
    ],
    ['a function by its ARN', only({ Type: 'Task', Resource: functionArn('f:3'), End: true })],
  ])('%s', (_case, definition) => {
    expect(findings(definition)).toEqual([]);
  });
});

test('refuses express workflows and versions', () => {
  const embedded = new EmbeddedStates();
  const input = {
    name: 'm',
    roleArn,
    definition: JSON.stringify({ QueryLanguage: 'JSONata', ...only({ Type: 'Succeed' }) }),
  };
  expect(() => embedded.call('CreateStateMachine', { ...input, type: 'EXPRESS' })).toThrow(
    'Express workflows do not run here',
  );
  expect(() => embedded.call('CreateStateMachine', { ...input, publish: true })).toThrow(
    'Versions are not supported here',
  );
});
