/** Drives the steps of a plan as the deploy machine does, without its waits and with as many retries as a test allows. */
import { CutoverError } from '../../functions/core/errors.ts';
import type { Plan } from '../../functions/core/plan.ts';
import { awaitSignal } from '../../functions/steps/await-signal.ts';
import { judge } from '../../functions/steps/judge.ts';
import { launch } from '../../functions/steps/launch.ts';
import { promote } from '../../functions/steps/promote.ts';
import { restore } from '../../functions/steps/restore.ts';
import { shift } from '../../functions/steps/shift.ts';
import { terminate } from '../../functions/steps/terminate.ts';
import type { World } from './world.ts';

/** The deploy machine's Retry: only what AWS did not answer, a few times. */
export async function trying<T>(world: World, retries: number, step: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await step();
    } catch (failure) {
      const passing = failure instanceof CutoverError && failure.name === 'Cutover.AwsUnavailable';
      if (!passing || attempt >= retries) throw failure;
      world.time += 1_000;
    }
  }
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
      return awaitSignal({ plan, for: what, deadline, recheckSeconds: 10, token }, world.ports);
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
  for (const [index, step] of plan.steps.entries()) {
    await trying(world, retries, () => shift({ direction: 'forward', plan, step, index }, world.ports));
    const deadline = world.time + step.bakeSeconds * 1_000;
    for (let judged = false, looks = 1; !judged; looks = Infinity) {
      await waiting(world, plan, 'bake', deadline, retries, looks);
      judged = await trying(world, retries, () => judge({ plan, deadline }, world.ports)).then(
        () => true,
        (failure: unknown) => {
          if (!(failure instanceof CutoverError) || failure.name !== 'Cutover.NotYet') throw failure;
          return false;
        },
      );
    }
  }
  await trying(world, retries, () => promote({ plan }, world.ports));
}

/** The way back from a failure; by the recover machine too. */
export async function goBack(
  world: World,
  plan: Plan,
  failure: { readonly Error: string; readonly Cause: string },
): Promise<void> {
  const { quietSeconds } = await trying(world, 250, () =>
    restore({ direction: 'back', plan, failure }, world.ports),
  );
  world.time += quietSeconds * 1_000;
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
