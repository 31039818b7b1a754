import { describe, expect, it } from 'vitest';
import { nameOf } from './cell.ts';
import { ground } from './ground.ts';
import { matrixB } from './matrix-b.ts';

describe('the execution is stopped in each of its states', () => {
  it.each(matrixB.map((cell) => [nameOf(cell), cell] as const))('%s', async (_, cell) => {
    await expect(cell.run(ground())).resolves.toBeUndefined();
  });
});
