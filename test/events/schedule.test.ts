import { expect, test } from 'vitest';
import { parseSchedule } from '../../local/services/events/schedule.ts';

/** A Friday. */
const from = Date.UTC(2026, 4, 1, 9, 30, 15);

test.each([
  ['rate(1 minute)', '2026-05-01T09:31:15Z'],
  ['rate(5 minutes)', '2026-05-01T09:35:15Z'],
  ['rate(12 hours)', '2026-05-01T21:30:15Z'],
  ['rate(1 day)', '2026-05-02T09:30:15Z'],
  ['cron(0 10 * * ? *)', '2026-05-01T10:00:00Z'],
  ['cron(0/15 * * * ? *)', '2026-05-01T09:45:00Z'],
  ['cron(0 18 ? * MON-FRI *)', '2026-05-01T18:00:00Z'],
  ['cron(0 8 ? * MON *)', '2026-05-04T08:00:00Z'],
  ['cron(0 8 1 * ? *)', '2026-06-01T08:00:00Z'],
  ['cron(0 0 1 JAN ? 2027)', '2027-01-01T00:00:00Z'],
  ['cron(5,35 14 * * ? *)', '2026-05-01T14:05:00Z'],
])('%s comes next at %s', (expression, next) => {
  expect(parseSchedule(expression)(from)).toBe(Date.parse(next));
});

test('a schedule of the past never comes', () => {
  expect(parseSchedule('cron(0 0 1 1 ? 2020)')(from)).toBeUndefined();
});

test.each([
  ['rate(1 minutes)', 'Parameter ScheduleExpression is not valid.'],
  ['rate(5 minute)', 'Parameter ScheduleExpression is not valid.'],
  ['rate(0 minutes)', 'Parameter ScheduleExpression is not valid.'],
  ['every 5 minutes', 'Parameter ScheduleExpression is not valid.'],
  ['cron(0 10 * * *)', 'Parameter ScheduleExpression is not valid.'],
  ['cron(0 10 * * * *)', 'Parameter ScheduleExpression is not valid.'],
  ['cron(61 10 * * ? *)', "Parameter ScheduleExpression is not valid: minutes '61'."],
  ['cron(0 10 L * ? *)', "'L' in the day of month of a cron expression is not modelled."],
])('refuses %s', (expression, reason) => {
  expect(() => parseSchedule(expression)).toThrow(reason);
});
