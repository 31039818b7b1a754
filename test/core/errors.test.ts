import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { variables } from '../../functions/core/environment.ts';
import { CutoverError, reasonOf, shortened } from '../../functions/core/errors.ts';
import { parse, parseOrThrow } from '../../functions/core/parse.ts';

describe('the reason of a failure', () => {
  it.each([
    ['our own words', { Error: 'Cutover.AlarmRed', Cause: 'the alarm is red' }, 'the alarm is red'],
    [
      'an error that a function threw',
      {
        Error: 'Cutover.Unhealthy',
        Cause: '{"errorType":"Cutover.Unhealthy","errorMessage":"1 of 2 targets","trace":[]}',
      },
      '1 of 2 targets',
    ],
    [
      "somebody else's error, with its name",
      { Error: 'TypeError', Cause: '{"errorType":"TypeError","errorMessage":"x is not a function"}' },
      'TypeError: x is not a function',
    ],
    [
      'an error of Step Functions',
      { Error: 'States.Timeout' },
      'States.Timeout, for which Step Functions gave no cause',
    ],
    [
      'an empty cause',
      { Error: 'States.Timeout', Cause: '' },
      'States.Timeout, for which Step Functions gave no cause',
    ],
    ['words that only look like JSON', { Error: 'Cutover.Aborted', Cause: '{not json' }, '{not json'],
    ['JSON of something else', { Error: 'Lambda.Unknown', Cause: '{"a":1}' }, 'Lambda.Unknown: {"a":1}'],
    ['a message that is no text', { Error: 'X', Cause: '{"errorMessage":7}' }, 'X: 7'],
    ['a JSON null', { Error: 'X', Cause: 'null' }, 'X: null'],
  ])('is %s', (_, failure, reason) => {
    expect(reasonOf(failure)).toBe(reason);
  });

  it('is kept short', () => {
    expect(shortened('x')).toBe('x');
    expect(shortened('x'.repeat(2_001))).toBe(`${'x'.repeat(1_999)}…`);
  });
});

describe('an error', () => {
  it('carries the name that the state machine matches, and its cause', () => {
    const cause = new Error('why');
    expect(new CutoverError('Cutover.Busy', 'later', { cause })).toMatchObject({
      name: 'Cutover.Busy',
      message: 'later',
      cause,
    });
  });
});

describe('parsing', () => {
  const schema = z.strictObject({ a: z.int(), b: z.array(z.string()) });

  it('names every mistake with its path', () => {
    expect(parse(schema, { a: 0.5, b: ['x', 1] })).toMatchObject({
      ok: false,
      mistakes: [expect.stringMatching(/^a: /), expect.stringMatching(/^b\/1: /)],
    });
    expect(parse(schema, 7)).toMatchObject({ mistakes: [expect.stringMatching(/^\(the whole\): /)] });
    expect(parse(schema, { a: 1, b: [] })).toEqual({ ok: true, value: { a: 1, b: [] } });
  });

  it('throws with all of them, and says that nothing was changed', () => {
    expect(() => parseOrThrow(schema, {}, 'the order')).toThrow(
      /^the order is not valid; nothing was changed\. a: .*; b: /,
    );
  });

  it('names every variable that a function lacks', () => {
    expect(variables({ LEDGER_TABLE: 'x', TOPIC_ARN: 'y' }, 'LEDGER_TABLE', 'TOPIC_ARN')).toEqual({
      LEDGER_TABLE: 'x',
      TOPIC_ARN: 'y',
    });
    expect(() => variables({ TOPIC_ARN: '' }, 'LEDGER_TABLE', 'TOPIC_ARN')).toThrow(
      /LEDGER_TABLE: .*TOPIC_ARN: /,
    );
  });
});
