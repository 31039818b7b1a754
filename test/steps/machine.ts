/** Drives the steps of a plan as the deploy machine does, without its waits and with as many retries as a test allows. */

import type { Plan } from '../../functions/core/deployment/plan.ts';
import { CutoverError, type Failure } from '../../functions/core/errors.ts';
import { awaitSignal } from '../../functions/steps/await-signal.ts';
import { judge } from '../../functions/steps/judge.ts';
import { launch } from '../../functions/steps/launch.ts';
import { promote } from '../../functions/steps/promote.ts';
import { restore } from '../../functions/steps/restore.ts';
import { shift } from '../../functions/steps/shift.ts';
import { terminate } from '../../functions/steps/terminate.ts';
import type { World } from './world.ts';

const comesAgain: ReadonlySet<string> = new Set(['Cutover.Growing', 'Cutover.HookPending']);

/** The deploy machine's Retry: only what AWS did not answer, a few times. */
export async function trying<T>(world: World, retries: number, step: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await step();
    } catch (failure) {
      if (!(failure instanceof CutoverError)) throw failure;
      // As many times as it takes: what they wait for has a deadline of its own.
      const again = comesAgain.has(failure.name) && attempt < 2_000;
      if (!again && (failure.name !== 'Cutover.AwsUnavailable' || attempt >= retries)) throw failure;
      world.time += again ? 15_000 : 1_000;
    }
  }
}

/** What holds the deployment, as a Catch of the machine has it. */
const failureOf = ({ name, message }: CutoverError): Failure => ({ Error: name, Cause: message });

/** A person changed something: nothing is wrong with the deployment itself. */
const ofPerson: ReadonlySet<string> = new Set(['Cutover.ForeignWeights', 'Cutover.ForeignCounts']);

/**
 * Waits for a person's word, entering again each `minutes`; `world.whileHeld` may give it. Going back, each time-out tries the
 * restore again.
 */
async function held(
  world: World,
  plan: Plan,
  bar: Failure,
  failure: Failure | null,
  deadline: number | null,
): Promise<void> {
  const minutes = failure === null ? 60 : 5;
  for (let round = 0; round < 1_000; round++) {
    const token = `hand-${world.time}-${round}`;
    await trying(world, 20, () =>
      awaitSignal(
        { plan, for: 'hand', deadline, bar, failure, token, entered: world.time + round / 1_000 },
        world.ports,
      ),
    );
    await world.whileHeld();
    const end = world.ended.find((each) => each.token === token);
    if (end?.how === 'success') return;
    if (end !== undefined && end.how !== 'Cutover.Woken')
      throw new CutoverError(end.how as 'Cutover.Aborted', end.cause ?? '');
    if (end === undefined) world.time += minutes * 60_000;
    if (failure !== null) return;
  }
  throw new Error('held for ever');
}

/** Begins waits until one ends, or so many timed out; each has a token of its own, and a timeout only looks again. */
async function waiting(
  world: World,
  plan: Plan,
  what: 'healthy' | 'bake',
  deadline: number,
  retries: number,
  looks = Infinity,
): Promise<void> {
  for (let round = 0; round < looks; round++) {
    let token = '';
    await trying(world, retries, () => {
      token = `${what}-${round}-${world.time}`;
      return awaitSignal(
        {
          plan,
          ...(what === 'bake' ? { for: what, due: deadline, asking: false } : { for: what }),
          deadline,
          recheckSeconds: 10,
          token,
          entered: world.time,
        },
        world.ports,
      );
    });
    const end = world.ended.find((each) => each.token === token);
    if (end?.how === 'success') return;
    if (end !== undefined && end.how !== 'Cutover.Woken')
      throw new CutoverError(end.how as 'Cutover.Unhealthy', end.cause ?? '');
    world.time += 60_000;
  }
}

async function forward(world: World, plan: Plan, retries: number): Promise<void> {
  await trying(world, retries, () => launch({ plan }, world.ports));
  await waiting(world, plan, 'healthy', world.time + 600_000, retries);
  for (const index of plan.steps.keys()) {
    for (;;) {
      const change = await step(world, plan, index, retries).then(
        () => undefined,
        (failure: unknown) => {
          if (failure instanceof CutoverError && ofPerson.has(failure.name)) return failureOf(failure);
          throw failure;
        },
      );
      if (change === undefined) break;
      await held(world, plan, change, null, world.time + plan.settings.handDeadlineSeconds * 1_000);
    }
  }
  await trying(world, retries, () => promote({ plan }, world.ports));
}

async function step(world: World, plan: Plan, index: number, retries: number): Promise<void> {
  const of = plan.steps[index]!;
  await trying(world, retries, () => shift({ direction: 'forward', plan, step: of, index }, world.ports));
  const deadline = world.time + of.bakeSeconds * 1_000;
  for (let judged = false, looks = 1; !judged; looks = Infinity) {
    await waiting(world, plan, 'bake', deadline, retries, looks);
    judged = await trying(world, retries, () => judge({ plan, deadline, due: deadline }, world.ports)).then(
      () => true,
      (failure: unknown) => {
        if (!(failure instanceof CutoverError) || failure.name !== 'Cutover.NotYet') throw failure;
        return false;
      },
    );
  }
}

/** What no waiting mends. */
const final: ReadonlySet<string> = new Set([
  'Cutover.FencedOut',
  'Cutover.InvalidInput',
  'Cutover.Committed',
]);

/** The way back from a failure; by the recover machine too. What is live already is not taken back. */
export async function goBack(world: World, plan: Plan, failure: Failure): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      const { quietSeconds } = await trying(world, 20, () =>
        restore({ direction: 'back', plan, failure }, world.ports),
      );
      world.time += quietSeconds * 1_000;
      break;
    } catch (bar) {
      if (bar instanceof CutoverError && bar.name === 'Cutover.Committed') return;
      if (!(bar instanceof CutoverError) || final.has(bar.name) || tries > 200) throw bar;
      await held(world, plan, failureOf(bar), failure, null);
    }
  }
  await trying(world, 250, () => terminate({ plan }, world.ports));
}

export async function deploy(world: World, plan: Plan, retries: number): Promise<void> {
  try {
    await forward(world, plan, retries);
  } catch (thrown) {
    // Anything else is the execution's death, or a test's mistake.
    if (!(thrown instanceof CutoverError)) throw thrown;
    await goBack(world, plan, { Error: thrown.name, Cause: thrown.message });
  }
}
