/** All cells, and the rows that have none yet or cannot have one. */
import type { Cell } from './cell.ts';
import { matrixA } from './matrix-a.ts';
import { matrixB } from './matrix-b.ts';
import { matrixC } from './matrix-c.ts';

export const cells: readonly Cell[] = [...matrixA, ...matrixB, ...matrixC];

/** Rows of the matrices without a cell, each with why. */
export const without: readonly {
  readonly matrix: Cell['matrix'];
  readonly row: string;
  readonly why: string;
}[] = [
  {
    matrix: 'A',
    row: '4 Signature',
    why: 'its calls fail in test/steps/image-gate.test.ts; what they find counts in gates.test.ts',
  },
  {
    matrix: 'A',
    row: '6 CreateTargetGroup',
    why: 'made by infrastructure code only, never in a deployment',
  },
  {
    matrix: 'C',
    row: 'Deployer upgraded mid-execution',
    why: 'needs real bundles in versions: test/end-to-end/upgrade.test.ts',
  },
];
