import { it } from 'vitest';
import { nameOf } from './cell.ts';
import { ground } from './ground.ts';
import { matrixA } from './matrix-a.ts';

for (const cell of matrixA) it(nameOf(cell), () => cell.run(ground()));
