/** Matrix B: the execution is stopped in each of its states, and the sweep finds what is left. No Catch runs on a stop. */
import {
  type Cell,
  ended,
  expectEqual,
  expectLive,
  expectOutcome,
  type Ground,
  inWorld,
  onBoth,
} from './cell.ts';
import type { World } from './world.ts';

interface Row {
  readonly row: string;
  /** Where it is stopped: on entering the state for the so-many-th time. */
  readonly state: string;
  readonly nth?: number;
  readonly outcome: 'live' | 'restored';
  readonly expected: string;
  /** The new generation never becomes healthy, so that the way back is gone. */
  readonly back?: boolean;
  /** Beside the stop. */
  readonly also?: (world: World) => void;
  /** No generation may have been made. */
  readonly nothingMade?: boolean;
}

const rows: readonly Row[] = [
  {
    row: 'Admit, before the service is taken',
    state: 'Plan',
    outcome: 'live',
    expected: 'nothing made; the sweep starts it again',
  },
  {
    row: 'Admit, after the service is taken',
    state: 'Admitted?',
    outcome: 'restored',
    expected: 'ownership freed, nothing made',
    nothingMade: true,
  },
  {
    row: 'Registered task definition',
    state: 'Launch',
    outcome: 'restored',
    expected: 'restored, the old one untouched',
    nothingMade: true,
    also: (world) =>
      world.break('launch dies', (point) => point.operation === 'RegisterTaskDefinition', 'crashAfter'),
  },
  {
    row: 'Created, launching',
    state: 'Await healthy',
    outcome: 'restored',
    expected: 'the new one deleted, restored',
  },
  {
    row: 'Healthy, before the first write',
    state: 'Shift',
    outcome: 'restored',
    expected: 'never promoted by the sweep',
  },
  {
    row: 'Mid-shift',
    state: 'Await bake',
    nth: 2,
    outcome: 'restored',
    expected: '0/100, settled, restored',
  },
  {
    row: 'At 100, baking',
    state: 'Await bake',
    nth: 3,
    outcome: 'restored',
    expected: 'a bake that nobody watched proves nothing: restored',
  },
  {
    row: 'At 100, before the commit',
    state: 'Promote',
    outcome: 'restored',
    expected: 'not committed: restored',
  },
  { row: 'Committed', state: 'Retire later', outcome: 'live', expected: 'live, the old one retired' },
  {
    row: 'Rolling back, before the weights',
    state: 'Restore',
    back: true,
    outcome: 'restored',
    expected: 'restored',
  },
  {
    row: 'Rolling back, settling',
    state: 'Settle',
    back: true,
    outcome: 'restored',
    expected: 'restored',
  },
  {
    row: 'Rolling back, terminating',
    state: 'Terminate',
    back: true,
    outcome: 'restored',
    expected: 'restored',
  },
  {
    row: 'Notifying and releasing',
    state: 'Live',
    outcome: 'live',
    expected: 'the end is told, once',
    also: (world) => world.break('announce dies', (point) => point.caller === 'announce', 'crashAfter', 2),
  },
  {
    row: 'The sweep itself dies',
    state: 'Await bake',
    nth: 2,
    outcome: 'restored',
    expected: 'the next run goes on: restored',
    also: (world) => world.break('sweep dies', (point) => point.caller === 'sweep', 'crashBefore', 3),
  },
];

export const matrixB: readonly Cell[] = onBoth(
  rows.map((row) => ({
    matrix: 'B' as const,
    row: row.row,
    column: 'stopped',
    expected: row.expected,
    run: (ground: Ground) =>
      inWorld(ground, async (world) => {
        const first = await world.goLive('v1');
        const made = world.checker.writes.length;
        row.also?.(world);
        let left = row.nth ?? 1;
        world.onState(({ executionArn, state }) => {
          if (state !== row.state || !executionArn.includes('Deploy') || left === 0) return;
          left -= 1;
          if (left === 0) void world.stop(executionArn);
        });
        const digest = world.push('v2', row.back === true ? { healthyAfterMs: 'never' } : {});
        await world.pass(() => left === 0, `${row.state} to be entered`);
        const done = (): boolean => world.item?.deployment?.plan.to.digest === digest;
        await world.pass(() => done() && world.item?.owner === null, 'the end');
        await ended(world);
        expectOutcome(world, row.outcome);
        expectLive(world, row.outcome === 'live' ? digest : first);
        if (row.nothingMade === true)
          expectEqual(
            world.checker.writes
              .slice(made)
              .filter(({ what }) => !/:(?:RegisterTaskDefinition|CreateLaunchTemplate)$/.test(what)),
            [],
            'writes',
          );
      }),
  })),
);
