import { describe, expect, it } from 'vitest';
import type { Entries } from '../../local/simulated/function-host.ts';
import { ground } from './ground.ts';
import { elsewhere, type Guard, guards } from './guards.ts';
import { mutantEntries } from './mutant.ts';
import { World } from './world.ts';

/** The invariants that were broken, and what the story says of it. */
async function broken({ invariant, story, options }: Guard, entries: Entries): Promise<readonly string[]> {
  const world = await World.create({ ...ground(), entries, ...options });
  try {
    const first = await world.goLive('v1');
    const told = await story(world, first).then(
      () => [],
      (failure: unknown) => [invariant, String(failure)],
    );
    return [...told, ...world.checker.violations.map((each) => each.invariant)];
  } finally {
    await world.close();
  }
}

describe.each(guards.map((guard, index) => [guard.invariant, guard.guard, guard, index] as const))(
  '%s: %s',
  (invariant, _, guard, index) => {
    it('holds with the guard', async () => {
      expect(await broken(guard, ground().entries)).toEqual([]);
    });

    it('is broken without it', async () => {
      const mutant = await mutantEntries(`${invariant}-${index}`, guard.replacements);
      expect(await broken(guard, mutant)).toContain(invariant);
    });
  },
);

it('every invariant has a guard here, or a word where it is proven', () => {
  const all = Array.from({ length: 34 }, (_, index) => `I${index + 1}`);
  const known = new Set([...guards.map(({ invariant }) => invariant), ...Object.keys(elsewhere)]);
  expect(all.filter((invariant) => !known.has(invariant))).toEqual([]);
});
