import { expect, it } from 'vitest';
import { isUnixCron } from '../../functions/core/fleet/unix-cron.ts';

it.each([
  ['0 8 * * *', true],
  ['*/15 6-18 1,15 JAN-MAR mon-fri', true],
  ['0 0 31 12 SUN', true],
  ['0-30/5 * * * 0', true],
  ['0 0 * * 5-7', true],
  ['99 8 * * *', false],
  ['0 24 * * *', false],
  ['0 8 0 * *', false],
  ['0 8 * 13 *', false],
  ['0 8 * * 9', false],
  ['0 8 * * 5-1', false],
  ['*/0 8 * * *', false],
  ['1-2-3 8 * * *', false],
  ['every day at 8 oclock', false],
  ['cron(0 8 * * ? *)', false],
  ['0 8 * *', false],
  ['', false],
])('%s is a cron expression of Unix: %s', (expression, expected) => {
  expect(isUnixCron(expression)).toBe(expected);
});
