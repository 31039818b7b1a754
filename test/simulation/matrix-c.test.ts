import { it } from 'vitest';
import { nameOf } from './cell.ts';
import { ground } from './ground.ts';
import { matrixC } from './matrix-c.ts';

for (const cell of matrixC) it(nameOf(cell), () => cell.run(ground()));
