/** A cell of the fault matrices: one directed test, in a world of its own. */
import { World, type WorldOptions } from './world.ts';

/** What every world is made from. */
export type Ground = Pick<WorldOptions, 'assembly' | 'entries' | 'service'>;

export interface Cell {
  readonly matrix: 'A' | 'B' | 'C';
  /** The service that is deployed: `web` on ECS, `worker` on EC2 Auto Scaling. */
  readonly service: NonNullable<WorldOptions['service']>;
  readonly row: string;
  /** It asks nothing of the fleet, and stands for another service already: CI plays it once, `npm run faults` for both. */
  readonly isAgain?: boolean;
  readonly column: string;
  /** What it must come to, in words. */
  readonly expected: string;
  /** Rejects when it does not. */
  run(ground: Ground): Promise<void>;
}

export function nameOf({ matrix, service, row, column, expected }: Cell): string {
  return `${matrix} ${service} ${row} / ${column}: ${expected}`;
}

export function on(service: Cell['service'], cells: readonly Omit<Cell, 'service'>[]): Cell[] {
  return cells.map((cell) => ({ ...cell, service, run: (ground) => cell.run({ ...ground, service }) }));
}

/** What holds for both kinds of fleet. */
export function onBoth(cells: readonly Omit<Cell, 'service'>[]): Cell[] {
  return [...on('web', cells), ...on('worker', cells)];
}

/** Runs `story` in a world of its own; rejects when an invariant was broken, at any event or in the end. */
export async function inWorld(
  ground: Ground,
  story: (world: World) => Promise<void>,
  options: Partial<WorldOptions> = {},
): Promise<void> {
  const world = await World.create({ ...ground, ...options });
  try {
    await story(world);
    world.checker.assert();
  } catch (failure) {
    // Reads are many, and seldom what one looks for.
    const tail = world.trace
      .filter((line) => !/:(?:Describe|Get|List|Query)\w*$/.test(line))
      .slice(-150)
      .join('\n');
    throw new Error(`${failure instanceof Error ? failure.message : String(failure)}\n${tail}`, {
      cause: failure,
    });
  } finally {
    await world.close();
  }
}

/** Nothing runs any more, and all that must hold at the end holds. */
export async function ended(world: World): Promise<void> {
  await world.settle();
  await world.checker.end();
}

export function expectLive(world: World, digest: string): void {
  const live = world.item?.live;
  if (live?.digest !== digest) throw new Error(`live is ${live?.name} with ${live?.digest}, not ${digest}`);
}

export function expectOutcome(world: World, outcome: string): void {
  const found = world.item?.deployment?.outcome;
  if (found !== outcome)
    throw new Error(`the outcome is ${found} (${world.item?.deployment?.reason}), not ${outcome}`);
}

/** Each fault that was put in the way was met. */
export function expectHits(world: World): void {
  for (const [name, count] of world.hits) if (count === 0) throw new Error(`the fault ${name} was never met`);
}

export function expectEqual<T>(found: T, wanted: T, what: string): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${what}: ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
}
