/** Health, alarms and what the gates say together. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AlarmState, alarmVerdict, redInWords } from '../../functions/core/gates/alarms.ts';
import {
  allRunning,
  type FleetState,
  healthVerdict,
  strangersIn,
  type TargetState,
} from '../../functions/core/gates/health.ts';
import { together, type Verdict } from '../../functions/core/gates/verdict.ts';

const target = (
  id: string,
  state: TargetState['state'] = 'healthy',
  reason?: string,
  description?: string,
): TargetState => ({ id, state, reason, description });
const fleet = (changes: Partial<FleetState> = {}): FleetState => ({
  desired: 2,
  running: 2,
  own: ['10.0.0.1', '10.0.0.2'],
  ...changes,
});

describe('a generation of which fewer must be healthy than are wanted', () => {
  const growing = fleet({ desired: 4, running: 2 });
  const both = [target('10.0.0.1'), target('10.0.0.2')];
  it.each<[string, readonly TargetState[], number, Verdict]>([
    ['is healthy while the rest starts', [...both, target('10.0.0.3', 'initial')], 2, { verdict: 'pass' }],
    [
      'is not with fewer than that',
      both,
      3,
      { verdict: 'wait', missing: ['2 of 3 tasks run', '2 of 3 targets are healthy'] },
    ],
    [
      'needs no more than are wanted',
      both,
      9,
      { verdict: 'wait', missing: ['2 of 4 tasks run', '2 of 4 targets are healthy'] },
    ],
  ])('%s', (_, targets, least, verdict) => {
    expect(healthVerdict(growing, targets, least)).toEqual(verdict);
  });
});

describe('a generation is healthy', () => {
  it.each<[string, FleetState, readonly TargetState[], Verdict]>([
    ['when all its targets are', fleet(), [target('10.0.0.1'), target('10.0.0.2')], { verdict: 'pass' }],
    [
      'whatever the targets of others are',
      fleet(),
      [target('10.0.0.1'), target('10.0.0.2'), target('10.0.0.9', 'unhealthy')],
      { verdict: 'pass' },
    ],
    [
      'not by the targets of others',
      fleet(),
      [target('10.0.0.1'), target('10.0.0.8'), target('10.0.0.9')],
      { verdict: 'wait', missing: ['1 of 2 targets are healthy'] },
    ],
    [
      'not by targets that are draining',
      fleet(),
      [target('10.0.0.1'), target('10.0.0.2', 'draining')],
      { verdict: 'wait', missing: ['1 of 2 targets are healthy'] },
    ],
    [
      'not while tasks are missing',
      fleet({ running: 1, own: ['10.0.0.1'] }),
      [target('10.0.0.1')],
      { verdict: 'wait', missing: ['1 of 2 tasks run', '1 of 2 targets are healthy'] },
    ],
    [
      'not while its targets are unhealthy, and it says why',
      fleet(),
      [
        target('10.0.0.1'),
        target(
          '10.0.0.2',
          'unhealthy',
          'Target.ResponseCodeMismatch',
          'Health checks failed with these codes: [500]',
        ),
      ],
      {
        verdict: 'wait',
        missing: [
          '1 of 2 targets are healthy; 10.0.0.2 is unhealthy (Target.ResponseCodeMismatch: Health checks failed with these codes: [500])',
        ],
      },
    ],
    ['not without any target', fleet(), [], { verdict: 'wait', missing: ['0 of 2 targets are healthy'] }],
    [
      'not when nobody wants any task of it: no weight may go to nothing',
      fleet({ desired: 0, running: 0, own: [] }),
      [],
      { verdict: 'wait', missing: ['it is scaled to 0 tasks'] },
    ],
  ])('%s', (_, state, targets, expected) => {
    expect(healthVerdict(state, targets)).toEqual(expected);
  });

  it.each(['Target.NotInUse', 'Target.InvalidState', 'Target.IpUnusable'])(
    'never with the wiring fault %s: it fails at once',
    (reason) => {
      expect(
        healthVerdict(fleet(), [target('10.0.0.1', 'unused', reason), target('10.0.0.2', 'initial')]),
      ).toEqual({
        verdict: 'fail',
        reasons: [
          `10.0.0.1 is unused (${reason}): waiting cannot mend this. Check that a rule forwards to the slot's target group and that the balancer has the targets' zones`,
        ],
      });
    },
  );

  it('and says it in a few words, however many targets are miswired', () => {
    const own = Array.from({ length: 1_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    const verdict = healthVerdict(
      fleet({ desired: 1_000, running: 1_000, own }),
      own.map((id) => target(id, 'unused', 'Target.NotInUse')),
    );
    expect(verdict.verdict === 'fail' && verdict.reasons.join('').length).toBeLessThan(500);
  });

  it('when every own target is, and never otherwise', () => {
    const states = ['initial', 'healthy', 'unhealthy', 'unused', 'draining', 'unavailable'] as const;
    const anyTargets = fc.uniqueArray(
      fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), state: fc.constantFrom(...states) }),
      {
        selector: ({ id }) => id,
      },
    );
    const anyOwn = fc.subarray(['a', 'b', 'c', 'd']);
    fc.assert(
      fc.property(anyTargets, anyOwn, fc.nat({ max: 4 }), (targets, own, desired) => {
        const healthy = targets.filter(({ id, state }) => own.includes(id) && state === 'healthy').length;
        const passes = healthVerdict({ desired, running: own.length, own }, targets).verdict === 'pass';
        expect(passes).toBe(desired > 0 && own.length >= desired && healthy >= desired);
      }),
    );
  });
});

describe('the fleet', () => {
  it('runs when all its tasks do, and never when it is to have none', () => {
    expect(allRunning(fleet())).toBe(true);
    expect(allRunning(fleet({ running: 1 }))).toBe(false);
    expect(allRunning(fleet({ desired: 0, running: 0 }))).toBe(false);
  });

  it('has strangers in its slot when targets that are not draining are not its own', () => {
    const targets = [target('10.0.0.1'), target('10.0.0.8', 'unhealthy'), target('10.0.0.9', 'draining')];
    expect(strangersIn(fleet(), targets).map(({ id }) => id)).toEqual(['10.0.0.8']);
  });
});

const lenient = { noData: 'pass' } as const;

describe('alarms', () => {
  it.each([
    ['OK', { verdict: 'pass' }],
    ['INSUFFICIENT_DATA', { verdict: 'pass' }],
    ['ALARM', { verdict: 'fail', reasons: ['the alarm errors is red: 5 > 1'] }],
    [
      'missing',
      {
        verdict: 'fail',
        reasons: ["the alarm errors does not exist: create it, or take it out of the service's alarms"],
      },
    ],
  ] as const)('in %s', (state, expected) => {
    expect(alarmVerdict([{ name: 'errors', state, reason: '5 > 1', since: 1_000 }], lenient, null)).toEqual(
      expected,
    );
  });

  it('are said together, each with its reason', () => {
    const states = [
      { name: 'a', state: 'ALARM', reason: '', since: null },
      { name: 'b', state: 'OK', reason: '', since: null },
      { name: 'c', state: 'missing', reason: '', since: null },
    ] as const;
    const verdict = alarmVerdict(states, lenient, null);
    expect(verdict.verdict === 'fail' && verdict.reasons).toHaveLength(2);
    expect(redInWords({ name: 'a', reason: '' })).toBe('the alarm a is red');
    expect(alarmVerdict([], lenient, null)).toEqual({ verdict: 'pass' });
  });

  it.each<[string, AlarmState['state'], number | null, 'pass' | 'fail']>([
    ['red since before it is excused', 'ALARM', 1_999, 'pass'],
    ['red since then is not', 'ALARM', 2_000, 'fail'],
    ['red since nobody knows when is not', 'ALARM', null, 'fail'],
    ['missing is never excused', 'missing', null, 'fail'],
  ])('%s', (_, state, since, verdict) => {
    const alarms = [{ name: 'errors', state, reason: '', since }];
    expect(alarmVerdict(alarms, lenient, 2_000).verdict).toBe(verdict);
  });

  it('without data say no where that does not count as green', () => {
    const alarms = [{ name: 'errors', state: 'INSUFFICIENT_DATA', reason: '', since: 1 }] as const;
    expect(alarmVerdict(alarms, { noData: 'fail' }, 2)).toEqual({
      verdict: 'fail',
      reasons: ['the alarm errors has no data, which does not count as green here'],
    });
  });
});

describe('gates together', () => {
  const wait: Verdict = { verdict: 'wait', missing: ['w'] };
  const fail: Verdict = { verdict: 'fail', reasons: ['f'] };
  it.each<[readonly Verdict[], Verdict]>([
    [[], { verdict: 'pass' }],
    [[{ verdict: 'pass' }], { verdict: 'pass' }],
    [[{ verdict: 'pass' }, wait, wait], { verdict: 'wait', missing: ['w', 'w'] }],
    [[wait, fail, { verdict: 'pass' }, fail], { verdict: 'fail', reasons: ['f', 'f'] }],
  ])('%j come to %j', (verdicts, expected) => {
    expect(together(verdicts)).toEqual(expected);
  });
});
