/** What the definitions promise on paper: legal, tried again within bounds, no error without a name that somebody throws. */
import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { errorNames } from '../../functions/core/errors.ts';
import { checkDefinition } from '../../local/services/states/check/check.ts';
import type { Catcher, Definition, State, TaskState } from '../../local/services/states/definition.ts';
import { expressionIn } from '../../local/services/states/expression.ts';
import { maximumEvents } from '../../local/services/states/history.ts';
import { admitted, liveItem, offerOf, pushOf, settingsOf } from '../core/examples.ts';
import { eventsOf, handLooks, heldLooks, lookEvents, mostLooks, triedEvents } from './history-size.ts';
import { deploy, deployText, retire, retireText, statesOf } from './machines.ts';

const machines = [
  { machine: 'deploy', text: deployText, definition: deploy },
  { machine: 'retire', text: retireText, definition: retire },
] as const;

const tasksOf = (definition: Definition): [string, TaskState][] =>
  [...statesOf(definition)].flatMap(([name, state]): [string, TaskState][] =>
    state.Type === 'Task' ? [[name, state]] : [],
  );
const tasks = [...tasksOf(deploy), ...tasksOf(retire)];
const waits = tasks.filter(([, { Resource }]) => Resource.endsWith('.waitForTaskToken'));
const invocations = tasks.filter(([, { Resource }]) => Resource.startsWith('arn:aws:states:::lambda:invoke'));

const catchersOf = (state: State): readonly Catcher[] =>
  state.Type === 'Task' || state.Type === 'Map' ? (state.Catch ?? []) : [];

describe.for(machines)('the $machine machine', ({ text, definition }) => {
  test('passes asl-validator', () => {
    expect(validate(JSON.parse(text), { checkArn: true, checkPaths: true }).errors).toEqual([]);
  });

  test('passes the checks of the embedded CreateStateMachine, which look into expressions too', () => {
    expect(checkDefinition(text).findings).toEqual([]);
  });

  test('would not pass them with a variable that nobody assigns', () => {
    const broken = text.replace(/"\{% \$(?=plan %|next !)/, '"{% $nobodys_');
    expect(broken).not.toBe(text);
    expect(checkDefinition(broken).findings.map(({ code }) => code)).toContain('UNASSIGNED_VARIABLE');
  });

  test('catches everything last and alone', () => {
    for (const state of statesOf(definition).values()) {
      const all = catchersOf(state).findIndex(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
      if (all === -1) continue;
      expect(catchersOf(state)[all]?.ErrorEquals).toEqual(['States.ALL']);
      expect(all).toBe(catchersOf(state).length - 1);
    }
  });
});

test('every task is tried again with full jitter and an end, and evenly for what only takes its time', () => {
  expect(tasks.map(retrying)).toMatchInlineSnapshot(`
    [
      "Plan: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Launch: 8 times, 1 s × 2 to 30 s, jitter FULL; 1500 times, 10 s × 1.3 to 60 s, jitter NONE",
      "Await healthy: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Shift: 8 times, 1 s × 2 to 30 s, jitter FULL; 1600 times, 2 s × 1.2 to 60 s, jitter NONE; 1600 times, 15 s × 1.05 to 60 s, jitter NONE",
      "Await bake: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Judge: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Bake on: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Held: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Promote: 8 times, 1 s × 2 to 30 s, jitter FULL",
      "Retire later: 5 times, 1 s × 2 to 30 s, jitter FULL",
      "Restore: 20 times, 1 s × 2 to 30 s, jitter FULL",
      "Needs a hand: 20 times, 5 s × 2 to 300 s, jitter FULL",
      "Terminate: 20 times, 1 s × 2 to 30 s, jitter FULL; 3000 times, 30 s × 1.1 to 900 s, jitter NONE",
      "Retire what is due: 20 times, 5 s × 2 to 300 s, jitter FULL",
    ]
  `);
});

function retrying([name, { Retry = [] }]: [string, TaskState]): string {
  const retriers = Retry.map(
    ({ MaxAttempts, IntervalSeconds = 1, BackoffRate, MaxDelaySeconds, JitterStrategy }) =>
      `${MaxAttempts} times, ${IntervalSeconds} s × ${BackoffRate} to ${MaxDelaySeconds ?? IntervalSeconds} s, jitter ${JitterStrategy}`,
  );
  return `${name}: ${retriers.join('; ')}`;
}

test('what is tried again are failures that may pass, never a verdict', () => {
  const named = new Set(
    tasks.flatMap(([, { Retry = [] }]) => Retry.flatMap(({ ErrorEquals }) => ErrorEquals)),
  );
  const ours = [...named].filter((error) => /^(Cutover|States)\./.test(error)).sort();
  expect(ours).toEqual([
    // Only by Restore: what AWS refuses for a moment needs no hand.
    'Cutover.AwsRefused',
    'Cutover.AwsUnavailable',
    'Cutover.Busy',
    // Only by Shift, and only by Terminate: neither is a failure.
    'Cutover.Growing',
    'Cutover.Guarded',
    'Cutover.HookPending',
    'Cutover.ImagePending',
    'Cutover.NotYet',
    'States.TaskFailed',
    'States.Timeout',
  ]);
});

test('a function that died, or that Lambda could not run, is tried again by every task that invokes one', () => {
  const died = [
    'Cutover.AwsUnavailable',
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    'Lambda.Unknown',
    'Sandbox.Timedout',
    'Runtime.ExitError',
  ];
  const missing = invocations.flatMap(([name, { Retry = [] }]) =>
    died.filter((error) => !Retry[0]?.ErrorEquals.includes(error)).map((error) => `${name}: ${error}`),
  );
  expect(missing).toEqual([]);
});

test('every error that a definition names is one that Cutover, Lambda or Step Functions throws', () => {
  const known = [...errorNames, 'Sandbox.Timedout', 'Runtime.ExitError'] as const satisfies readonly string[];
  const named = [deploy, retire].flatMap((definition) =>
    [...statesOf(definition)].flatMap(([state, body]) => {
      const retriers = body.Type === 'Task' ? (body.Retry ?? []) : [];
      const names = [...retriers, ...catchersOf(body)].flatMap(({ ErrorEquals }) => ErrorEquals);
      return names.map((error) => ({ state, error }));
    }),
  );
  expect(named.length).toBeGreaterThan(50);
  const strangers = named.filter(
    ({ error }) =>
      !(known as readonly string[]).includes(error) && !/^(States|Lambda)\.[A-Z]\w+$/.test(error),
  );
  expect(strangers).toEqual([]);
});

test('no failure of a deploy task leaves the machine but by a state that says how it ended', () => {
  // Those of a Map's items are caught by the Map.
  const uncaught = Object.entries(deploy.States)
    .filter(([, { Type }]) => Type === 'Task' || Type === 'Map')
    .filter(([, state]) => catchersOf(state).at(-1)?.ErrorEquals[0] !== 'States.ALL');
  expect(uncaught.map(([name]) => name)).toEqual([]);
});

test('each call of a function has longer than Lambda gives it', () => {
  const lambdaSeconds = 60;
  const calls = invocations.filter((task) => !waits.includes(task));
  const short = calls.filter(([, { TimeoutSeconds }]) => !(Number(TimeoutSeconds) > lambdaSeconds));
  expect(short.map(([name]) => name)).toEqual([]);
});

test('each wait hands its token, its deadline and its entry on, and ends by the clock and without heartbeats', () => {
  const contracts = waits.map(([name, { TimeoutSeconds, HeartbeatSeconds, Arguments }]) => {
    const { Payload } = Arguments as { readonly Payload: Readonly<Record<string, string | null>> };
    const { deadline, token, entered } = Payload;
    const variable = expressionIn(deadline ?? '');
    const clocked = [variable ?? '', '$millis()'].every((part) => String(TimeoutSeconds).includes(part));
    return { name, variable, token, entered, clocked, HeartbeatSeconds };
  });
  const token = '{% $states.context.Task.Token %}';
  const entered =
    '{% $toMillis($states.context.State.EnteredTime) + $states.context.State.RetryCount / 1000 %}';
  const handed = { token, entered, clocked: true };
  expect(contracts).toEqual([
    { name: 'Await healthy', variable: '$healthDeadline', ...handed },
    { name: 'Await bake', variable: '$bakeDeadline', ...handed },
    { name: 'Bake on', variable: '$bakeDeadline', ...handed },
    { name: 'Held', variable: '$handDeadline', ...handed },
    // The way back has no deadline: it is tried until it works.
    { name: 'Needs a hand', ...handed },
  ]);
});

describe('the history of a deployment of which no event ever comes', () => {
  const day = 86_400;
  const linear = (stepPercent: number, bakeSeconds: number) => ({
    kind: 'linear',
    stepPercent,
    stepBakeSeconds: bakeSeconds,
    bakeSeconds,
  });
  const hundredSteps = (bakeSeconds: number) => ({
    kind: 'custom',
    steps: Array.from({ length: 100 }, (_, index) => ({ weightPercent: index + 1, bakeSeconds })),
  });

  test('stays far below its limit, whatever the settings allow', async () => {
    const counts: string[] = [];
    for (const { what, strategy } of [
      { what: 'one bake of a day', strategy: { kind: 'allAtOnce', bakeSeconds: day } },
      { what: '10 bakes of 50 minutes', strategy: linear(10, 3_000) },
      { what: '34 bakes of 50 minutes', strategy: linear(3, 3_000) },
      { what: '34 bakes of a day', strategy: linear(3, day) },
      { what: '100 bakes of five minutes', strategy: hundredSteps(300) },
      { what: '100 bakes of an hour', strategy: hundredSteps(3_600) },
      { what: '100 bakes of a day', strategy: hundredSteps(day) },
    ]) {
      const settings = settingsOf({ strategy, healthDeadlineSeconds: day, healthIntervalSeconds: 5 });
      const { plan } = admitted(liveItem(), offerOf(pushOf(2), { settings }));
      const looks = await mostLooks(plan);
      const events = eventsOf(looks, plan);
      counts.push(
        `${what}: ${looks.untilHealthy} looks until healthy, ${looks.inBakes} in bakes, ${events} events`,
      );
      expect(events).toBeLessThan(maximumEvents * 0.6);
    }
    expect(counts).toMatchInlineSnapshot(`
      [
        "one bake of a day: 1006 looks until healthy, 51 in bakes, 6419 events",
        "10 bakes of 50 minutes: 1006 looks until healthy, 410 in bakes, 8726 events",
        "34 bakes of 50 minutes: 1006 looks until healthy, 544 in bakes, 9938 events",
        "34 bakes of a day: 1006 looks until healthy, 544 in bakes, 9938 events",
        "100 bakes of five minutes: 1006 looks until healthy, 500 in bakes, 10796 events",
        "100 bakes of an hour: 1006 looks until healthy, 600 in bakes, 11396 events",
        "100 bakes of a day: 1006 looks until healthy, 600 in bakes, 11396 events",
      ]
    `);
  });

  test('stays below its limit when it is held for a week besides, and its way back is barred for a year', async () => {
    const strategy = hundredSteps(day);
    const handDeadlineSeconds = 7 * day;
    const settings = settingsOf({
      strategy,
      handDeadlineSeconds,
      healthDeadlineSeconds: day,
      healthIntervalSeconds: 5,
    });
    const { plan } = admitted(liveItem(), offerOf(pushOf(2), { settings }));
    const forward = eventsOf(await mostLooks(plan), plan);
    const held = await heldLooks(plan);
    const hand = await handLooks(365 * day);
    expect({ held, hand }).toEqual({ held: 169, hand: 126 });
    const events = forward + held * lookEvents + hand * (lookEvents + triedEvents);
    expect(events).toBeLessThan(maximumEvents);
  });

  test('a deadline of ten minutes is looked at in each health interval all the same', async () => {
    const settings = settingsOf({ healthIntervalSeconds: 5 });
    const { plan } = admitted(liveItem(), offerOf(pushOf(2), { settings }));
    expect((await mostLooks(plan)).untilHealthy).toBe(600 / 5 + 1);
  });
});
