import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { ground } from './ground.ts';

/** More with `npm run faults -- --explore 1000`. */
const seeds = Array.from({ length: 24 }, (_, index) => index + 1);

describe('deployments and orders among random faults', () => {
  it.each(seeds)('end well once everything heals, and no invariant is broken: seed %i', async (seed) => {
    const hits = await explore(ground(), seed);
    expect([...hits.values()].every((count) => count > 0)).toBe(true);
  });
});
