/** Every way through the machines, with its outcome in words; the last test counts that no way was left out. */
import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { newServiceItem } from '../../functions/core/ledger/service-item.ts';
import { planDeploymentInput } from '../../functions/steps/plan-deployment.ts';
import { planRecoveryInput } from '../../functions/steps/plan-recovery.ts';
import { planRollbackInput } from '../../functions/steps/plan-rollback.ts';
import { maximumEvents } from '../../local/services/states/history.ts';
import { admitted, liveItem, offerOf, pushOf, settingsOf, web } from '../core/examples.ts';
import { eventsOf, mostLooks } from './history-size.ts';
import { deploy, retire } from './machines.ts';
import {
  type Answer,
  atDeadline,
  leavesWaiting,
  neverAnswers,
  type Part,
  type Rehearsal,
  rehearse,
  returns,
  type Script,
  slowly,
  throws,
  wakesWell,
  wakesWith,
} from './rehearsal.ts';
import { routesOf, routesTaken } from './routes.ts';

const taken = { deploy: new Set<string>(), retire: new Set<string>() };

async function play(
  machine: 'deploy' | 'retire',
  script: Script,
  options: Parameters<typeof rehearse>[2] = {},
): Promise<Rehearsal> {
  const rehearsal = await rehearse(machine, script, options);
  const definition = machine === 'deploy' ? deploy : retire;
  for (const route of routesTaken(definition, rehearsal.visits)) taken[machine].add(route);
  return rehearsal;
}

const golden = (name: string): string => `./golden/${name}.txt`;

function planOf(settings: Record<string, unknown> = {}, first = false): Plan {
  const item = first ? newServiceItem(web) : liveItem();
  return admitted(item, offerOf(pushOf(2), { settings: settingsOf(settings) })).plan;
}

const admits = (plan: Plan): Answer =>
  returns({ admission: 'admitted', plan, reason: 'web:v2 becomes web-g0002', notBefore: null });
const allAtOnce = (bakeSeconds = 60) => planOf({ strategy: { kind: 'allAtOnce', bakeSeconds } });
const threeSteps = planOf({
  strategy: {
    kind: 'custom',
    steps: [10, 50, 100].map((weightPercent) => ({ weightPercent, bakeSeconds: 60 })),
  },
});

const deploying = (script: Script, plan: Plan = allAtOnce()): Promise<Rehearsal> =>
  play('deploy', { plan: [admits(plan)], ...script });

const live = {
  status: 'SUCCEEDED',
  output: {
    outcome: 'live',
    deployment: 'web-g0002-d2',
    generation: 'web-g0002',
    image: 'shop/web:v2',
    digest: pushOf(2).digest,
  },
};
const restored = (cause: string) => ({ status: 'FAILED', error: 'Cutover.Restored', cause });
const unavailable = throws('Cutover.AwsUnavailable', 'AWS is away');

describe('what a push comes to', () => {
  test('a first deployment goes live without a weight step, in 8 transitions', async () => {
    const first = planOf({}, true);
    expect(first.steps).toEqual([]);
    const { outcome, transitions, timeline } = await deploying({}, first);
    expect(outcome).toMatchObject({
      status: 'SUCCEEDED',
      output: { outcome: 'live', generation: 'web-g0001' },
    });
    expect(transitions).toBe(8);
    await expect(timeline).toMatchFileSnapshot(golden('first-deployment'));
  });

  test('all at once goes live in at most 12 transitions', async () => {
    const { outcome, transitions, timeline } = await deploying({});
    expect(outcome).toEqual(live);
    expect(transitions).toBeLessThanOrEqual(12);
    await expect(timeline).toMatchFileSnapshot(golden('all-at-once'));
  });

  test('each further weight step costs at most 3 transitions', async () => {
    const one = await deploying({});
    const three = await deploying({}, threeSteps);
    expect(three.outcome).toEqual(live);
    expect((three.transitions - one.transitions) / 2).toBeLessThanOrEqual(3);
    const shifts = three.invocations.filter(({ part }) => part === 'shift');
    expect(shifts.map(({ payload }) => payload)).toMatchObject([
      { index: 0, step: { weights: { blue: 90, green: 10 } } },
      { index: 1, step: { weights: { blue: 50, green: 50 } } },
      { index: 2, step: { weights: { blue: 0, green: 100 } } },
    ]);
    await expect(three.timeline).toMatchFileSnapshot(golden('three-steps'));
  });

  test('a push that asks for nothing succeeds and says why', async () => {
    for (const admission of ['nothing', 'superseded', 'queued']) {
      const plan = [returns({ admission, plan: null, reason: 'web-g0001 is already live', notBefore: null })];
      const { outcome, transitions } = await play('deploy', { plan });
      expect(outcome).toEqual({
        status: 'SUCCEEDED',
        output: { outcome: admission, reason: 'web-g0001 is already live' },
      });
      expect(transitions).toBe(3);
    }
  });

  test('a push that is refused fails with the reason', async () => {
    const plan = [returns({ admission: 'rejected', plan: null, reason: 'no slot is free', notBefore: null })];
    const { outcome, invocations } = await play('deploy', { plan });
    expect(outcome).toEqual({ status: 'FAILED', error: 'Cutover.Rejected', cause: 'no slot is free' });
    expect(invocations.map(({ part }) => part)).toEqual(['plan']);
  });

  test('a plan that cannot be made fails with what the function said', async () => {
    const { outcome } = await play('deploy', {
      plan: [throws('Cutover.InvalidInput', 'service: must be a name')],
    });
    expect(outcome).toEqual({
      status: 'FAILED',
      error: 'Cutover.InvalidInput',
      cause: 'service: must be a name',
    });
  });

  test('a function that died without naming its error leaves what Lambda says of it as the cause', async () => {
    const { outcome } = await play('deploy', { plan: [throws('', 'Task timed out after 60.00 seconds')] });
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'Lambda.Unknown' });
    expect(outcome.cause).toContain('did not return an error type');
    expect(outcome.cause).toContain('Task timed out after 60.00 seconds');
  });

  test.for<[string, z.ZodType, object]>([
    ['a push', planDeploymentInput, { service: 'web', event: { id: 'event-2' } }],
    ['an order to go back', planRollbackInput, { service: 'web', to: 'v1', by: 'ann', reason: 'slow' }],
    ['the least order', planRollbackInput, { service: 'web' }],
    ['a recovery', planRecoveryInput, { service: 'web' }],
  ])('%s reaches its plan whole, with the execution', async ([, planner, input]) => {
    const { invocations } = await play('deploy', {}, { input, planner });
    const arn = 'arn:aws:states:us-east-1:123456789012:execution:deploy:run';
    expect(invocations[0]?.payload).toEqual({ ...input, execution: { arn, redrives: 0 } });
  });

  test('an input that is no object reaches its plan beside the execution, which says what is wrong with it', async () => {
    const refused = { admission: 'rejected', reason: 'the order is not valid', plan: null, notBefore: null };
    const { outcome, invocations } = await play(
      'deploy',
      { plan: [returns(refused)] },
      { input: 'web', planner: planRollbackInput },
    );
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.Rejected' });
    expect(invocations[0]?.payload).toMatchObject({ input: 'web', execution: { redrives: 0 } });
  });

  test('a plan that gives no answer fails with the name of the time-out', async () => {
    const { outcome } = await play('deploy', { plan: [neverAnswers] });
    expect(outcome).toEqual({ status: 'FAILED', error: 'States.Timeout', cause: 'States.Timeout' });
  });

  test('a plan waits for a retirement that holds the service', async () => {
    const busy = throws('Cutover.Busy', 'retire is ending web-g0001');
    const { outcome, secondsOf } = await play('deploy', { plan: [busy, busy, admits(allAtOnce())] });
    expect(outcome).toEqual(live);
    expect(secondsOf('plan')).toEqual([0, 0.5, 1.5]);
  });
});

describe('until the new generation is healthy', () => {
  test('a launch that AWS refuses is taken back', async () => {
    const { outcome, timeline } = await deploying({
      launch: [throws('Cutover.AwsRefused', 'no such subnet')],
      restore: [returns({ reason: 'no such subnet', quietSeconds: 0 })],
    });
    expect(outcome).toEqual(restored('no such subnet'));
    await expect(timeline).toMatchFileSnapshot(golden('launch-refused'));
  });

  test('one that never becomes healthy is taken back at its deadline, with what is missing', async () => {
    const cause = 'web-g0002 did not become healthy within 600 s: 2 of 2 targets are unhealthy';
    const { outcome, timeline, secondsOf } = await deploying({
      awaitHealthy: [atDeadline(wakesWith('Cutover.Unhealthy', cause))],
      restore: [returns({ reason: cause, quietSeconds: 0 })],
    });
    expect(outcome).toEqual(restored(cause));
    expect(secondsOf('awaitHealthy')).toEqual([0, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600]);
    expect(secondsOf('restore')).toEqual([600]);
    await expect(timeline).toMatchFileSnapshot(golden('never-healthy'));
  });

  test('once all tasks run, the wait looks again at each health interval', async () => {
    const { outcome, timeline, secondsOf } = await deploying({
      awaitHealthy: [
        wakesWith('Cutover.Woken', 'all tasks run', 42),
        leavesWaiting,
        leavesWaiting,
        wakesWell(),
      ],
    });
    expect(outcome).toEqual(live);
    expect(secondsOf('awaitHealthy')).toEqual([0, 42, 52, 62]);
    await expect(timeline).toMatchFileSnapshot(golden('woken'));
  });

  test('a look that is slow at the deadline is waited for', async () => {
    const { outcome, secondsOf, events } = await deploying({
      awaitHealthy: [slowly(20, atDeadline(wakesWith('Cutover.Unhealthy', 'too late')))],
    });
    expect(outcome).toEqual(restored('because of Cutover.Unhealthy'));
    expect(secondsOf('restore')[0]).toBeLessThanOrEqual(640);
    expect(events).toBeLessThan(200);
  });

  test('a look that never answers ends in a restore when its retries are used up', async () => {
    const { outcome, events } = await deploying({ awaitHealthy: [slowly(60, throws('Sandbox.Timedout'))] });
    expect(outcome).toEqual(restored('because of Sandbox.Timedout'));
    expect(events).toBeLessThan(400);
  });

  test('a person who aborts ends the wait at once', async () => {
    const { outcome, secondsOf } = await deploying({
      awaitHealthy: [wakesWith('Cutover.Aborted', 'somebody ended the deployment', 7)],
    });
    expect(outcome).toEqual(restored('because of Cutover.Aborted'));
    expect(secondsOf('restore')).toEqual([7]);
  });

  test('after a restart of the look by a retry, the old token is worth nothing and the new one counts', async () => {
    const { outcome, invocations } = await deploying({ awaitHealthy: [unavailable, wakesWell(5)] });
    expect(outcome).toEqual(live);
    const tokens = invocations
      .filter(({ part }) => part === 'awaitHealthy')
      .map(({ payload }) => payload.token);
    expect(new Set(tokens).size).toBe(2);
  });
});

describe('while traffic goes over', () => {
  test('a bake goes on until its deadline, with a look at each re-check', async () => {
    const plain = await deploying({});
    const long = await deploying({}, allAtOnce(225));
    expect(long.outcome).toEqual(live);
    expect(long.secondsOf('awaitBake')).toEqual([30, 105, 180, 255]);
    expect(long.secondsOf('judge')).toEqual([105, 255]);
    const longer = await deploying({}, allAtOnce(375));
    // Each further re-check is one look and nothing else.
    expect(longer.transitions - long.transitions).toBe(2);
    expect(long.transitions - plain.transitions).toBe(4);
    await expect(long.timeline).toMatchFileSnapshot(golden('bake-with-re-checks'));
  });

  test('no bake at all is judged at once', async () => {
    const { outcome, secondsOf } = await deploying({}, allAtOnce(0));
    expect(outcome).toEqual(live);
    expect(secondsOf('judge')).toEqual([30]);
  });

  test('an alarm in the bake writes the weights back in the same moment, with no judgement in between', async () => {
    const { outcome, timeline, secondsOf, invocations } = await deploying(
      {
        awaitBake: [atDeadline(wakesWell()), wakesWith('Cutover.AlarmRed', 'web-errors is red', 12)],
        restore: [returns({ reason: 'web-errors is red', quietSeconds: 120 })],
      },
      planOf({ strategy: { kind: 'canary', canaryPercent: 10, canaryBakeSeconds: 60, bakeSeconds: 600 } }),
    );
    expect(outcome).toEqual(restored('web-errors is red'));
    // 30 s until healthy, 60 s at 10 %, 12 s at 100 %.
    expect(secondsOf('restore')).toEqual([30 + 60 + 12]);
    expect(secondsOf('terminate')).toEqual([30 + 60 + 12 + 120]);
    expect(invocations.at(-2)?.payload).toMatchObject({
      failure: { Error: 'Cutover.AlarmRed', Cause: 'web-errors is red' },
    });
    await expect(timeline).toMatchFileSnapshot(golden('alarm-in-bake'));
  });

  test('a bake that was woken is looked at again and goes on', async () => {
    const { outcome, secondsOf } = await deploying({
      awaitBake: [
        wakesWith('Cutover.Woken', 'look again', 10),
        wakesWith('Cutover.Woken', 'and again', 10),
        atDeadline(wakesWell()),
      ],
    });
    expect(outcome).toEqual(live);
    expect(secondsOf('awaitBake')).toEqual([30, 40, 50, 90]);
    expect(secondsOf('judge')).toEqual([40, 90]);
  });

  test("a bake that is over before its time, by the judge's clock, goes on", async () => {
    const { outcome, secondsOf } = await deploying({ awaitBake: [wakesWell(59), atDeadline(wakesWell())] });
    expect(outcome).toEqual(live);
    expect(secondsOf('judge')).toEqual([89, 90]);
  });

  test('a gate that fails takes the weights back', async () => {
    const { outcome, timeline } = await deploying(
      {
        judge: [returns({ verdict: 'pass' }), throws('Cutover.Unhealthy', 'web-g0002 did not stay healthy')],
      },
      threeSteps,
    );
    expect(outcome).toEqual(restored('because of Cutover.Unhealthy'));
    await expect(timeline).toMatchFileSnapshot(golden('judge-fails-at-second-step'));
  });

  const foreign = throws('Cutover.ForeignWeights', 'the rule has blue 50, green 50');

  test("weights that are a stranger's hold the deployment, and on a person's word the same step is written and baked anew", async () => {
    const { outcome, timeline, secondsOf, invocations } = await deploying(
      {
        shift: [returns({ weights: {} }), foreign, returns({ weights: {} })],
        awaitHand: [wakesWith('Cutover.Woken', 'ann said to go on', 600), wakesWell()],
      },
      threeSteps,
    );
    expect(outcome).toEqual(live);
    const shifts = invocations.filter(({ part }) => part === 'shift');
    expect(shifts.map(({ payload }) => payload)).toMatchObject([0, 1, 1, 2].map((index) => ({ index })));
    expect(shifts[2]?.payload).toEqual(shifts[1]?.payload);
    expect(secondsOf('shift')).toEqual([30, 90, 690, 750]);
    expect(invocations.find(({ part }) => part === 'awaitHand')?.payload).toMatchObject({
      bar: { Error: 'Cutover.ForeignWeights' },
      failure: null,
    });
    await expect(timeline).toMatchFileSnapshot(golden('held-and-resumed'));
  });

  test.for(['Cutover.ForeignWeights', 'Cutover.ForeignCounts'])(
    '%s at the end of a bake holds before it is judged good, and the step begins anew',
    async (error) => {
      const { outcome, secondsOf } = await deploying({
        judge: [throws(error), returns({ verdict: 'pass' })],
        awaitHand: [wakesWell(60)],
      });
      expect(outcome).toEqual(live);
      expect(secondsOf('shift')).toEqual([30, 150]);
      const before = await deploying({ shift: [throws(error), returns({})], awaitHand: [wakesWell(60)] });
      expect(before.outcome).toEqual(live);
      expect(before.secondsOf('shift')).toEqual([30, 90]);
    },
  );

  test('counts that a person changed hold it as soon as a look at the bake finds them', async () => {
    const changed = wakesWith('Cutover.ForeignCounts', 'web-g0001 is scaled to 0 tasks', 12);
    const first = await deploying({
      awaitBake: [changed, atDeadline(wakesWell())],
      awaitHand: [wakesWell(60)],
    });
    expect(first.outcome).toEqual(live);
    expect(first.secondsOf('shift')).toEqual([30, 102]);
    const later = await deploying({
      awaitBake: [leavesWaiting, changed, atDeadline(wakesWell())],
      judge: [throws('Cutover.NotYet'), returns({ verdict: 'pass' })],
      awaitHand: [wakesWell(60)],
    });
    expect(later.outcome).toEqual(live);
    expect(later.secondsOf('shift')).toHaveLength(2);
  });

  test('a person who aborts while it is held takes it back', async () => {
    const { outcome, secondsOf } = await deploying({
      shift: [foreign],
      awaitHand: [wakesWith('Cutover.Aborted', 'ann ended it', 100)],
    });
    expect(outcome).toEqual(restored('because of Cutover.Aborted'));
    expect(secondsOf('restore')).toEqual([130]);
  });

  test('nobody who answers takes it back when a day is over, looked at each hour', async () => {
    const { outcome, secondsOf, timeline } = await deploying({ judge: [foreign] });
    expect(outcome).toEqual(restored('because of Cutover.Aborted'));
    const looks = secondsOf('awaitHand').map((second) => second - 90);
    expect(looks).toEqual(Array.from({ length: 25 }, (_, hour) => hour * 3_600));
    expect(secondsOf('restore')).toEqual([90 + 86_400]);
    await expect(timeline).toMatchFileSnapshot(golden('held-and-unanswered'));
  });

  test('a newer push takes it back, which is no failure', async () => {
    const { outcome, timeline } = await deploying({
      awaitBake: [wakesWith('Cutover.Superseded', 'web:v3 takes its place', 12)],
      restore: [returns({ reason: 'web:v3 takes its place', quietSeconds: 120 })],
    });
    expect(outcome).toEqual({
      status: 'SUCCEEDED',
      output: { outcome: 'superseded', reason: 'web:v3 takes its place' },
    });
    await expect(timeline).toMatchFileSnapshot(golden('superseded'));
  });

  test('a promotion that fails takes everything back', async () => {
    const { outcome, timeline } = await deploying({
      promote: [throws('Cutover.Aborted', 'somebody ended it')],
    });
    expect(outcome).toEqual(restored('because of Cutover.Aborted'));
    await expect(timeline).toMatchFileSnapshot(golden('promote-fails'));
  });
});

test('a day until healthy and a day of bake, with no event but the clock, go live with the history that was counted', async () => {
  const plan = planOf({
    strategy: { kind: 'allAtOnce', bakeSeconds: 86_400 },
    healthDeadlineSeconds: 86_400,
    healthIntervalSeconds: 5,
  });
  const { outcome, events } = await play(
    'deploy',
    {
      plan: [admits(plan)],
      awaitHealthy: [wakesWith('Cutover.Woken', 'all tasks run'), atDeadline(wakesWell())],
    },
    { days: 3 },
  );
  expect(outcome).toEqual(live);
  const counted = eventsOf(await mostLooks(plan), plan);
  expect(events).toBeLessThanOrEqual(counted);
  expect(events).toBeGreaterThan(counted - 60);
});

describe('a step that is baked, but not done', () => {
  const unsure = throws('Cutover.Inconclusive', '310 of 710 requests');
  const pausing = throws('Cutover.AwaitsApproval', 'web-g0002 may go on when somebody approves');

  test('bakes on a minute at a time for what a gate needs, and goes live once it is there', async () => {
    const { outcome, secondsOf } = await deploying({
      judge: [unsure, unsure, returns({ verdict: 'pass', words: [] })],
    });
    expect(outcome).toEqual(live);
    expect(secondsOf('judge')).toEqual([90, 150, 210]);
  });

  test('goes back when what a gate needs is never there', async () => {
    const { outcome, events } = await deploying({
      judge: [
        (payload, stage) =>
          stage.embedded.clock.now() >= (payload.due ?? 0) + 1_800_000
            ? throws('Cutover.GateFailed', 'too few requests')(payload, stage)
            : unsure(payload, stage),
      ],
    });
    expect(outcome).toEqual(restored('because of Cutover.GateFailed'));
    expect(events).toBeLessThan(1_500);
  });

  test('waits for an approval, looks at the gates meanwhile, and goes on at once by it', async () => {
    const { outcome, secondsOf, invocations } = await deploying({
      judge: [pausing, returns({ verdict: 'pass', words: [] })],
      awaitBake: [
        atDeadline(wakesWell()),
        leavesWaiting,
        leavesWaiting,
        wakesWith('Cutover.Woken', 'ann approved', 40),
        wakesWell(),
      ],
    });
    expect(outcome).toEqual(live);
    expect(secondsOf('judge')).toEqual([90, 474]);
    const asked = invocations.filter(({ part }) => part === 'awaitBake').map(({ payload }) => payload.asking);
    expect(asked).toEqual([false, true, true, true, true]);
  });

  test('goes back when nobody approves within a day', async () => {
    const { outcome, events, secondsOf } = await deploying({
      judge: [
        (payload, stage) =>
          stage.embedded.clock.now() >= (payload.due ?? 0) + 86_400_000
            ? throws('Cutover.NotApproved', 'nobody approved')(payload, stage)
            : pausing(payload, stage),
      ],
    });
    expect(outcome).toEqual(restored('because of Cutover.NotApproved'));
    expect(secondsOf('judge')).toEqual([90, 90 + 86_400]);
    expect(events).toBeLessThan(5_000);
  });
});

test('a generation that must grow gets its weight when it has, and goes back when it never does', async () => {
  const growing = throws('Cutover.Growing', 'web-g0002 must grow before it gets more weight');
  const grown = await deploying({ shift: [growing, growing, returns({ weights: {} })] });
  expect(grown.outcome).toEqual(live);
  const [first = 0, ...again] = grown.secondsOf('shift');
  expect(again.map((second) => Math.round(second - first))).toEqual([15, 31]);

  const never = await deploying({ shift: [growing] });
  expect(never.outcome).toEqual(restored('because of Cutover.Growing'));
  expect(never.events).toBeLessThan(maximumEvents * 0.8);
});

test.each([
  ['launch', 'Cutover.ImagePending', [10, 23]],
  ['shift', 'Cutover.HookPending', [2, 4.4]],
] as const)(
  '%s comes again for %s, for a day at least, and within what an execution can remember',
  async (step, error, seconds) => {
    const pending = throws(error, 'not yet');
    const healthy = step === 'launch' ? returns({ desired: 2 }) : returns({ weights: {} });
    const waited = await deploying({ [step]: [pending, pending, healthy] });
    expect(waited.outcome).toEqual(live);
    const [first = 0, ...again] = waited.secondsOf(step);
    expect(again.slice(0, 2).map((second) => Math.round((second - first) * 10) / 10)).toEqual(seconds);

    const never = await deploying({ [step]: [pending] });
    expect(never.outcome).toEqual(restored(`because of ${error}`));
    expect(never.secondsOf(step).at(-1)! - never.secondsOf(step)[0]!).toBeGreaterThan(86_400);
    expect(never.events).toBeLessThan(maximumEvents * 0.4);
  },
);

describe('the way back', () => {
  const red: Script = { judge: [throws('Cutover.AlarmRed', 'web-errors is red')] };

  test('a restore is tried for as long as AWS stays away, also when it does not answer', async () => {
    const { outcome, timeline, secondsOf } = await deploying({
      ...red,
      restore: [
        unavailable,
        neverAnswers,
        throws('Lambda.Unknown'),
        returns({ reason: 'web-errors is red', quietSeconds: 120 }),
      ],
    });
    expect(outcome).toEqual(restored('web-errors is red'));
    expect(secondsOf('restore')).toHaveLength(4);
    await expect(timeline).toMatchFileSnapshot(golden('restore-tried-again'));
  });

  const stays = returns({ reason: 'web-errors is red', quietSeconds: 120 });

  test.for(['Cutover.ForeignWeights', 'Cutover.Guarded'])(
    'what only a person can mend (%s) keeps both generations up, and the restore is tried again every five minutes',
    async (error) => {
      const bar = throws(error, 'web-errors is red. The weights are not put back');
      const { outcome, secondsOf, invocations, timeline } = await deploying({
        ...red,
        restore: [bar, bar, stays],
        awaitHand: [leavesWaiting],
      });
      expect(outcome).toEqual(restored('web-errors is red'));
      expect(secondsOf('restore')).toEqual([90, 390, 690]);
      expect(secondsOf('terminate')).toEqual([690 + 120]);
      const payloads = invocations.flatMap(({ part, payload }) => (part === 'restore' ? [payload] : []));
      expect(payloads).toMatchObject(Array(3).fill({ failure: { Error: 'Cutover.AlarmRed' } }));
      await expect(timeline).toMatchFileSnapshot(golden(`needs-a-hand-${error.slice('Cutover.'.length)}`));
    },
  );

  test.for([
    ['a word that came before the look', wakesWell(42)],
    ['a word', wakesWith('Cutover.Woken', 'ann said to go on', 42)],
  ] as const)('%s of a person has it tried at once', async ([, word]) => {
    const { outcome, secondsOf } = await deploying({
      ...red,
      restore: [throws('Cutover.ForeignWeights'), stays],
      awaitHand: [word],
    });
    expect(outcome).toEqual(restored('web-errors is red'));
    expect(secondsOf('restore')).toEqual([90, 132]);
  });

  test('a way back that stays barred is looked at ever more rarely, for ten days and longer', async () => {
    const times = 90;
    const { outcome, secondsOf } = await play(
      'deploy',
      {
        plan: [admits(allAtOnce())],
        ...red,
        restore: [...Array<Answer>(times).fill(throws('Cutover.ForeignWeights')), stays],
        awaitHand: [leavesWaiting],
      },
      { days: 30 },
    );
    expect(outcome).toEqual(restored('web-errors is red'));
    const looks = secondsOf('restore');
    expect((looks.at(-1) ?? 0) - (looks[0] ?? 0)).toBeGreaterThan(10 * 86_400);
    expect(looks[12]).toBe(90 + 3_600);
  });

  test.for([
    ['Cutover.FencedOut', 'Cutover.Rejected'],
    ['Cutover.InvalidInput', 'Cutover.NotRestored'],
  ])('what nobody can wait for (%s) ends it (%s), with both generations up', async ([error = '', end]) => {
    const none = throws(error, 'another deployment has the service');
    for (const script of [
      { restore: [none] },
      { restore: [throws('Cutover.ForeignWeights')], awaitHand: [none] },
    ]) {
      const { outcome, invocations } = await deploying({ ...red, ...script });
      expect(outcome).toEqual({
        status: 'FAILED',
        error: end,
        cause: 'another deployment has the service',
      });
      expect(invocations.map(({ part }) => part)).not.toContain('terminate');
    }
  });

  test('a failure that is not as the definition expects it ends it too', async () => {
    const { outcome } = await deploying({
      ...red,
      restore: [returns({ reason: 'red' }), stays],
      awaitHand: [leavesWaiting],
    });
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.NotRestored' });
  });

  test('a deployment that was promoted is live, also when every answer of the promotion was lost', async () => {
    const { outcome, invocations, timeline } = await deploying({
      promote: [throws('Lambda.Unknown')],
      restore: [throws('Cutover.Committed', 'web-g0002 is live already')],
    });
    expect(outcome).toEqual(live);
    expect(invocations.map(({ part }) => part)).toContain('retire');
    await expect(timeline).toMatchFileSnapshot(golden('promoted-without-an-answer'));
  });

  test('a guard that forbids the end for longer than it is tried is told, and all is looked at anew', async () => {
    const guarded = throws('Cutover.Guarded', 'web-g0001 has no healthy target');
    const { outcome, secondsOf, invocations } = await deploying({
      ...red,
      terminate: [...Array<Answer>(21).fill(guarded), returns({ terminated: 'web-g0002' })],
      awaitHand: [leavesWaiting],
    });
    expect(outcome).toEqual(restored('because of Cutover.AlarmRed'));
    expect(secondsOf('restore')).toHaveLength(2);
    expect(invocations.find(({ part }) => part === 'awaitHand')?.payload).toMatchObject({
      bar: { Error: 'Cutover.Guarded' },
    });
  });

  test('a termination that a guard forbids is tried until the guard lets it', async () => {
    const guarded = throws('Cutover.Guarded', 'web-g0002 may still get requests');
    const { outcome, secondsOf } = await deploying({
      ...red,
      terminate: [guarded, guarded, neverAnswers, returns({ terminated: 'web-g0002' })],
    });
    expect(outcome).toEqual(restored('because of Cutover.AlarmRed'));
    expect(secondsOf('terminate')).toHaveLength(4);
  });

  test('a generation that requests still reach is ended when they stop, and given up after a month', async () => {
    const reached = throws('Cutover.NotYet', 'its slot green had 3 requests');
    const stopped = await deploying({
      ...red,
      terminate: [reached, reached, reached, returns({ terminated: 'web-g0002' })],
    });
    expect(stopped.outcome).toEqual(restored('because of Cutover.AlarmRed'));
    const [first = 0, ...again] = stopped.secondsOf('terminate');
    expect(again.map((second) => Math.round(second - first))).toEqual([30, 63, 99]);

    const { outcome, secondsOf, events } = await play(
      'deploy',
      { plan: [admits(allAtOnce())], ...red, terminate: [reached] },
      { days: 40 },
    );
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.NotTerminated' });
    expect((secondsOf('terminate').at(-1) ?? 0) / 86_400).toBeGreaterThan(30);
    expect(events).toBeLessThan(maximumEvents * 0.8);
  });

  test('a generation that cannot be ended is named beside the reason of the restore', async () => {
    const { outcome, timeline } = await deploying({
      ...red,
      terminate: [throws('Cutover.AwsRefused', 'not authorized to perform ecs:DeleteService')],
    });
    expect(outcome).toEqual({
      status: 'FAILED',
      error: 'Cutover.NotTerminated',
      cause:
        'because of Cutover.AlarmRed. The weights are back, but the new generation could not be ended: not authorized to perform ecs:DeleteService',
    });
    await expect(timeline).toMatchFileSnapshot(golden('not-terminated'));
  });

  test('whatever a function left as its last words, the error that ends the execution is our own', async () => {
    const words = 'RequestId: 1 Error: {"errorMessage": is not all there';
    const fencedOut = await deploying({ ...red, restore: [throws('Cutover.FencedOut', words)] });
    expect(fencedOut.outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.Rejected' });
    const notRestored = await deploying({ ...red, restore: [throws('Cutover.InvalidInput', words)] });
    expect(notRestored.outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.NotRestored' });
    const notTerminated = await deploying({ ...red, terminate: [throws('', words)] });
    expect(notTerminated.outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.NotTerminated' });
    for (const { outcome } of [fencedOut, notRestored, notTerminated])
      expect(outcome.cause).toContain('RequestId: 1');
  });
});

describe('a deployment whose execution died', () => {
  const recovers =
    (seconds: number, reason: string): Answer =>
    (_payload, stage) => ({
      admission: 'recover',
      plan: allAtOnce(),
      reason,
      notBefore: new Date(stage.embedded.clock.now() + seconds * 1000).toISOString(),
    });

  test('is taken back when its last function cannot be writing any more', async () => {
    const { outcome, secondsOf, invocations, timeline } = await play('deploy', {
      plan: [recovers(45, 'the execution ended (ABORTED)')],
    });
    expect(outcome).toEqual(restored('because of Cutover.Died'));
    expect(invocations.map(({ part }) => part)).toEqual(['plan', 'restore', 'terminate']);
    expect(secondsOf('restore')).toEqual([45]);
    expect(invocations[1]?.payload).toMatchObject({
      failure: { Error: 'Cutover.Died', Cause: 'the execution ended (ABORTED)' },
    });
    await expect(timeline).toMatchFileSnapshot(golden('recovered'));
  });

  test('is taken back at once when nothing has to be waited for', async () => {
    const { secondsOf } = await play('deploy', { plan: [recovers(-3_600, 'it ended')] });
    expect(secondsOf('restore')).toEqual([0]);
  });
});

describe('when AWS stays away for longer than a state tries', () => {
  const notPlanned = { status: 'FAILED', error: 'Cutover.AwsUnavailable', cause: 'AWS is away' };
  const takenBack = restored('because of Cutover.AwsUnavailable');

  test.for([
    { part: 'plan', attempts: 9, outcome: notPlanned },
    { part: 'launch', attempts: 9, outcome: takenBack },
    { part: 'awaitHealthy', attempts: 9, outcome: takenBack },
    { part: 'shift', attempts: 9, outcome: takenBack },
    { part: 'awaitBake', attempts: 9, outcome: takenBack },
    { part: 'judge', attempts: 9, outcome: takenBack },
    { part: 'promote', attempts: 9, outcome: takenBack },
  ] as const satisfies readonly { part: Part; attempts: number; outcome: object }[])(
    '$part is called $attempts times',
    async ({ part, attempts, outcome }) => {
      const rehearsal = await deploying({ [part]: [unavailable] });
      expect(rehearsal.outcome).toEqual(outcome);
      expect(rehearsal.secondsOf(part)).toHaveLength(attempts);
    },
  );

  test.for([
    { part: 'launch' },
    { part: 'awaitHealthy' },
    { part: 'shift' },
    { part: 'awaitBake' },
    { part: 'judge' },
    { part: 'promote' },
  ] as const satisfies readonly { part: Part }[])(
    '$part that works the second time is as if nothing had been',
    async ({ part }) => {
      const again: Record<typeof part, Answer> = {
        launch: returns({ desired: 2 }),
        awaitHealthy: wakesWell(30),
        shift: returns({ weights: {} }),
        awaitBake: wakesWell(59.5),
        judge: returns({ verdict: 'pass' }),
        promote: returns({}),
      };
      const { outcome, secondsOf } = await deploying({ [part]: [unavailable, again[part]] });
      expect(outcome).toEqual(live);
      const [first = 0, second = 0] = secondsOf(part);
      expect(second - first).toBe(0.5);
    },
  );

  test('a re-check that AWS does not answer is tried 9 times and then taken back; one that works the second time goes on', async () => {
    const away = await deploying({ awaitBake: [leavesWaiting, unavailable] }, allAtOnce(180));
    expect(away.outcome).toEqual(takenBack);
    expect(away.secondsOf('awaitBake')).toHaveLength(1 + 9);
    const passing = [leavesWaiting, unavailable, wakesWell(29.5)];
    expect((await deploying({ awaitBake: passing }, allAtOnce(105))).outcome).toEqual(live);
  });

  test('restore is called 21 times, then people are told, and it goes on until it works', async () => {
    const { outcome, secondsOf, invocations } = await deploying({
      judge: [throws('Cutover.AlarmRed')],
      restore: [...Array<Answer>(50).fill(unavailable), returns({ reason: 'red', quietSeconds: 0 })],
      awaitHand: [leavesWaiting],
    });
    expect(outcome).toEqual(restored('red'));
    expect(secondsOf('restore')).toHaveLength(51);
    expect(secondsOf('awaitHand')).toHaveLength(2);
    expect(
      invocations.filter(({ part }) => part === 'awaitHand').map(({ payload }) => payload),
    ).toMatchObject(Array(2).fill({ deadline: null, bar: { Error: 'Cutover.AwsUnavailable' } }));
  });

  test('a look at what needs a hand is tried 21 times too, and then the restore again', async () => {
    const { outcome, secondsOf } = await deploying({
      judge: [throws('Cutover.AlarmRed')],
      restore: [throws('Cutover.RuleNotOurs'), returns({ reason: 'red', quietSeconds: 0 })],
      awaitHand: [unavailable],
    });
    expect(outcome).toEqual(restored('red'));
    expect(secondsOf('awaitHand')).toHaveLength(21);
    const again = await deploying({
      judge: [throws('Cutover.AlarmRed')],
      restore: [throws('Cutover.RuleNotOurs'), returns({ reason: 'red', quietSeconds: 0 })],
      awaitHand: [unavailable, wakesWell()],
    });
    expect(again.outcome).toEqual(restored('red'));
  });

  test('a look at what is held is tried 9 times, then it goes back; one that works the second time waits on', async () => {
    const away = await deploying({ shift: [throws('Cutover.ForeignWeights')], awaitHand: [unavailable] });
    expect(away.outcome).toEqual(takenBack);
    expect(away.secondsOf('awaitHand')).toHaveLength(9);
    const passing = await deploying({
      shift: [throws('Cutover.ForeignWeights'), returns({})],
      awaitHand: [unavailable, wakesWell()],
    });
    expect(passing.outcome).toEqual(live);
  });

  test('terminate is called 21 times, then the weights stay back and the execution says what is left', async () => {
    const { outcome, secondsOf } = await deploying({
      judge: [throws('Cutover.AlarmRed')],
      terminate: [unavailable],
    });
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.NotTerminated' });
    expect(secondsOf('terminate')).toHaveLength(21);
  });

  test('a retirement that can be started the second time is started once', async () => {
    const { outcome, invocations } = await play(
      'deploy',
      {
        plan: [admits(allAtOnce())],
        promote: [(_payload, stage) => stage.later(0.2, () => stage.addRetireMachine())],
      },
      { retireMachine: false },
    );
    expect(outcome).toEqual(live);
    expect(invocations.filter(({ part }) => part === 'retire')).toHaveLength(1);
  });

  test('a retirement that cannot be started leaves the deployment live', async () => {
    const { outcome, timeline } = await play(
      'deploy',
      { plan: [admits(allAtOnce())] },
      { retireMachine: false },
    );
    expect(outcome).toEqual(live);
    await expect(timeline).toMatchFileSnapshot(golden('retirement-not-started'));
  });
});

describe('the retire machine', () => {
  const dueIn =
    (seconds: number): Answer =>
    (_payload, stage) => ({
      retired: [],
      next: new Date(stage.embedded.clock.now() + seconds * 1000).toISOString(),
    });

  test('ends when nothing is kept', async () => {
    const { outcome, transitions, timeline } = await play('retire', {});
    expect(outcome.status).toBe('SUCCEEDED');
    expect(transitions).toBe(3);
    await expect(timeline).toMatchFileSnapshot(golden('nothing-retained'));
  });

  test('waits the retention out, ends what is due, and comes again for the next', async () => {
    const { outcome, secondsOf, timeline } = await play('retire', {
      retire: [dueIn(3_600), dueIn(60), returns({ retired: ['web-g0001'], next: null })],
    });
    expect(outcome.status).toBe('SUCCEEDED');
    expect(secondsOf('retire')).toEqual([0, 3_600, 3_660]);
    await expect(timeline).toMatchFileSnapshot(golden('retired-after-retention'));
  });

  test('tries again while another execution writes for the service, or does not answer', async () => {
    const { outcome, secondsOf } = await play('retire', {
      retire: [throws('Cutover.Busy'), neverAnswers, returns({ retired: [], next: null })],
    });
    expect(outcome.status).toBe('SUCCEEDED');
    expect(secondsOf('retire')).toEqual([0, 2.5, 2.5 + 70 + 5]);
  });

  test('fails with the reason when AWS refuses, and when it stays away for longer than 21 calls', async () => {
    const refused = await play('retire', { retire: [throws('Cutover.AwsRefused', 'not authorized')] });
    expect(refused.outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.AwsRefused' });
    expect(refused.outcome.cause).toContain('not authorized');
    const away = await play('retire', { retire: [unavailable] });
    expect(away.outcome).toMatchObject({ status: 'FAILED', error: 'Cutover.AwsUnavailable' });
    expect(away.secondsOf('retire')).toHaveLength(21);
  });

  test('is started by a deployment that went live, under its name', async () => {
    const { invocations } = await deploying({});
    const retirement = invocations.find(({ part }) => part === 'retire');
    expect(retirement?.payload).toEqual({
      service: 'web',
      execution: 'arn:aws:states:us-east-1:123456789012:execution:retire:retire-web-g0002-d2',
    });
  });
});

test('every state, catcher, retrier and choice of both machines was taken by a test above', () => {
  const leftOut = (machine: 'deploy' | 'retire') =>
    [...routesOf(machine === 'deploy' ? deploy : retire)].filter((route) => !taken[machine].has(route));
  expect({ deploy: leftOut('deploy'), retire: leftOut('retire') }).toEqual({ deploy: [], retire: [] });
});
