import jsonata from 'jsonata';
import { expect, test } from 'vitest';
import { functionNames } from '../../local/services/states/functions.ts';
import { ManualClock, settled } from '../manual-clock.ts';
import { awaitToken, EmbeddedStates, FunctionError, invoke, only } from './embedded-states.ts';

/** Counts what is in flight. */
class CountingClock extends ManualClock {
  inFlight = 0;

  override async busy<T>(work: () => T | Promise<T>): Promise<T> {
    this.inFlight += 1;
    try {
      return await work();
    } finally {
      this.inFlight -= 1;
    }
  }
}

const broken = () => {
  throw new FunctionError('Broken');
};

test.each<[string, object, () => unknown, number]>([
  ['a wait', { Type: 'Wait', Seconds: 60, End: true }, () => null, 0],
  ['a token', awaitToken('f', { End: true }), () => null, 0],
  ['a retry', invoke('f', {}, { Retry: [{ ErrorEquals: ['Broken'] }], End: true }), broken, 0],
  ['a function', invoke('f', {}, { End: true }), () => new Promise(() => {}), 1],
  ['a function that is to hand on the token', awaitToken('f', { End: true }), () => new Promise(() => {}), 1],
])('waiting for %s has the clock in flight or not', async (_case, state, handler, inFlight) => {
  const clock = new CountingClock();
  const embedded = new EmbeddedStates({ clock });
  embedded.handlers.set('f', handler);
  const arn = embedded.start(only(state));
  await settled();
  expect(clock.inFlight).toBe(inFlight);
  embedded.call('StopExecution', { executionArn: arn });
  await settled();
  expect(clock.inFlight).toBe(0);
});

test('each transition takes its time, in flight', async () => {
  const clock = new CountingClock();
  const embedded = new EmbeddedStates({ clock, transitionLatency: 25 });
  const arn = embedded.start({
    StartAt: 'A',
    States: { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Succeed' } },
  });
  expect(clock.inFlight).toBe(1);
  await clock.advance(49);
  expect(embedded.outcome(arn).status).toBe('RUNNING');
  await clock.advance(1);
  expect(embedded.outcome(arn).status).toBe('SUCCEEDED');
  expect(embedded.transitions.map(({ state }) => state)).toEqual(['A', 'B']);
});

test('the functions that checks know are those that JSONata has', async () => {
  for (const name of functionNames) {
    if (['partition', 'range', 'hash', 'uuid', 'parse'].includes(name)) continue;
    expect(await jsonata(`$type($${name})`).evaluate(undefined)).toBe('function');
  }
});
