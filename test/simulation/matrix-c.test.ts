import { describe, expect, it } from 'vitest';
import { nameOf } from './cell.ts';
import { ground } from './ground.ts';
import { matrixC } from './matrix-c.ts';

describe('events, people, surroundings', () => {
  it.each(matrixC.map((cell) => [nameOf(cell), cell] as const))('%s', async (_, cell) => {
    await expect(cell.run(ground())).resolves.toBeUndefined();
  });
});
