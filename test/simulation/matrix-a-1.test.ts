import { describe, expect, it } from 'vitest';
import { nameOf } from './cell.ts';
import { ground } from './ground.ts';
import { matrixA } from './matrix-a.ts';

/** Every other cell: two files take two cores. */
const half = matrixA.filter(({ isAgain }) => isAgain !== true).filter((_, index) => index % 2 === 0);

describe('each call to AWS, each way in which it can fail', () => {
  it.each(half.map((cell) => [nameOf(cell), cell] as const))('%s', async (_, cell) => {
    await expect(cell.run(ground())).resolves.toBeUndefined();
  });
});
