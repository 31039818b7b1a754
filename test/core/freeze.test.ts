/** Windows in which nothing new is deployed, in the time of the place where they are said. */
import { describe, expect, it } from 'vitest';
import { type FreezeWindow, freezeWindow, frozenAt } from '../../functions/core/gates/freeze.ts';
import { parse } from '../../functions/core/parse.ts';

const weekly = (days: string[], from: string, to: string, timeZone = 'UTC'): FreezeWindow =>
  freezeWindow.parse({ kind: 'weekly', days, from, to, timeZone, reason: 'weekly' });
const once = (from: string, to: string): FreezeWindow =>
  freezeWindow.parse({ kind: 'once', from, to, reason: 'fair' });
const at = (time: string): number => Date.parse(time);

it('of many windows, which follow each other for weeks, is known at once', () => {
  const days = Array.from({ length: 49 }, () => weekly(['mon'], '00:00', '00:05', 'Europe/Zurich'));
  const windows = [...days, once('2026-01-01T00:00:00Z', '2026-01-30T00:00:00Z')];
  const begun = performance.now();
  expect(frozenAt(windows, at('2026-01-01T09:00:00Z'))?.until).toBe(at('2026-01-30T00:00:00Z'));
  // A function of 512 MB has a third of a processor, and decides anew when somebody else wrote meanwhile.
  expect(performance.now() - begun).toBeLessThan(1_000);
});

describe('a window', () => {
  it.each<[string, readonly FreezeWindow[], string, string | undefined]>([
    [
      'of a day holds from its begin',
      [weekly(['thu'], '08:00', '12:00')],
      '2026-01-01T08:00:00Z',
      '2026-01-01T12:00:00Z',
    ],
    ['of a day is over at its end', [weekly(['thu'], '08:00', '12:00')], '2026-01-01T12:00:00Z', undefined],
    ['of another day does not hold', [weekly(['fri'], '08:00', '12:00')], '2026-01-01T09:00:00Z', undefined],
    [
      'over midnight holds on the next day',
      [weekly(['thu'], '22:00', '06:00')],
      '2026-01-02T05:59:00Z',
      '2026-01-02T06:00:00Z',
    ],
    [
      'over midnight does not hold on the morning of its day',
      [weekly(['thu'], '22:00', '06:00')],
      '2026-01-01T05:00:00Z',
      undefined,
    ],
    [
      'of whole days follows itself',
      [weekly(['sat', 'sun'], '00:00', '24:00')],
      '2026-01-03T12:30:10Z',
      '2026-01-05T00:00:00Z',
    ],
    [
      'is meant in its own time zone',
      [weekly(['thu'], '00:00', '01:00', 'Asia/Tokyo')],
      '2025-12-31T15:30:00Z',
      '2025-12-31T16:00:00Z',
    ],
    [
      'that follows another makes one freeze',
      [weekly(['thu'], '08:00', '12:00'), once('2026-01-01T11:00:00Z', '2026-01-01T15:00:00Z')],
      '2026-01-01T09:00:00Z',
      '2026-01-01T15:00:00Z',
    ],
    [
      'in the hour that summer time repeats holds both times',
      [weekly(['sun'], '02:00', '03:00', 'Europe/Zurich')],
      '2026-10-25T00:30:00Z',
      '2026-10-25T02:00:00Z',
    ],
    [
      'without a gap ever is looked at again after a month',
      [weekly(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], '00:00', '24:00')],
      '2026-01-01T00:00:00Z',
      '2026-02-01T00:00:00Z',
    ],
    ['that there is none of freezes nothing', [], '2026-01-01T00:00:00Z', undefined],
  ])('%s', (_, windows, now, until) => {
    const freeze = frozenAt(windows, at(now));
    expect(freeze && new Date(freeze.until).toISOString()).toBe(until && new Date(until).toISOString());
  });

  it.each([
    [
      'a time that no clock shows',
      { kind: 'weekly', days: ['fri'], from: '25:00', to: '26:00', reason: 'x' },
    ],
    [
      'a time zone that does not exist',
      { kind: 'weekly', days: ['fri'], from: '08:00', to: '09:00', timeZone: 'Mars', reason: 'x' },
    ],
    [
      'an end before its begin',
      { kind: 'once', from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z', reason: 'x' },
    ],
  ])('with %s is refused', (_, window) => {
    expect(parse(freezeWindow, window).ok).toBe(false);
  });
});
