import { it } from 'vitest';
import { nameOf } from './cell.ts';
import { ground } from './ground.ts';
import { matrixB } from './matrix-b.ts';

for (const cell of matrixB) it(nameOf(cell), () => cell.run(ground()));
