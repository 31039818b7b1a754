/**
 * A random story: faults at random calls, states and events while deployments and orders come at random; then everything
 * heals, and it must end well within bounded time. The seed tells all of it again.
 */
import type { Behaviour } from '../../local/simulated/behaviour.ts';
import type { CallFault } from '../../local/simulated/network.ts';
import { seededRandom } from '../../local/simulated/seeded-random.ts';
import { type Ground, inWorld } from './cell.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;

const callFaults: readonly Extract<CallFault, string>[] = [
  'throttled',
  'unavailable',
  'lostRequest',
  'lostAnswer',
  'crashBefore',
  'crashAfter',
];

/** How an image turns out; most are good. */
const images: readonly Partial<Behaviour>[] = [
  {},
  {},
  {},
  { healthyAfterMs: 'never' },
  { bootMs: 60_000, crashAfterMs: 2_000 },
  { errorShare: 0.5 },
];

/** Draws evenly. */
type Draw = <T>(from: readonly T[]) => T;

function trouble(world: World, random: () => number, draw: Draw): void {
  // How often something goes wrong, drawn for each story: from hardly ever to every tenth time.
  const share = random() * 0.1;
  for (const fault of callFaults) world.break(fault, () => random() < share / callFaults.length, fault, 40);
  world.onDelivery(() =>
    random() < share
      ? draw(['drop', 'twice', { delayMs: Math.round(random() * 5 * minuteMs) }] as const)
      : undefined,
  );
  for (const entry of ['launch', 'await', 'shift', 'judge', 'promote', 'terminate', 'plan-deployment'])
    if (random() < share) world.callAgain(`${entry} again`, entry, Math.round(random() * 2 * minuteMs));
  let stops = random() < share * 3 ? 1 : 0;
  world.onState(({ executionArn, state }) => {
    if (stops === 0 || random() > 0.05 || state === 'Plan') return;
    stops -= 1;
    void world.stop(executionArn).catch(() => undefined);
  });
}

async function act(world: World, draw: Draw, number: number): Promise<void> {
  switch (draw(['push', 'push', 'rollback', 'abort', 'wait'] as const)) {
    case 'push':
      world.push(`v${number}`, draw(images));
      return;
    case 'rollback':
      await world.rollback({ by: 'ann', reason: 'a try' });
      return;
    case 'abort':
      if (world.item?.owner != null)
        await world.signal({ signal: 'abort', by: 'ann' }).catch(() => undefined);
      return;
    case 'wait':
  }
}

/** How often each call met each fault: `CreateService throttled`. */
export type Hits = ReadonlyMap<string, number>;

/** Rejects with the trace when an invariant was broken, or when it does not end. */
export async function explore(ground: Ground, seed: number): Promise<Hits> {
  const hits = new Map<string, number>();
  const random = seededRandom(seed);
  const draw: Draw = (from) => from[Math.floor(random() * from.length)] as (typeof from)[number];
  await inWorld(
    ground,
    async (world) => {
      await world.goLive('v1');
      // An application that dies by itself loses requests, whatever the deployer does.
      world.checker.mayDie = true;
      trouble(world, random, draw);
      for (let number = 2; number < 6; number++) {
        await act(world, draw, number);
        await world.passMs(Math.round(random() * 6 * minuteMs));
      }
      world.heal();
      await world.settle(6 * 60 * minuteMs);
      await world.checker.end();
      for (const line of world.trace) {
        const [, fault, operation] = / fault (\w+): \S+ \w+:(\w+)$/.exec(line) ?? [];
        if (fault === undefined || operation === undefined) continue;
        hits.set(`${operation} ${fault}`, (hits.get(`${operation} ${fault}`) ?? 0) + 1);
      }
    },
    { seed },
  );
  return hits;
}
