/** What the worlds of the tests are made from: the example's template and the functions' sources. */
import { inject } from 'vitest';
import type { Ground } from './cell.ts';
import { entries } from './entries.ts';

export function ground(): Ground {
  return { assembly: inject('assembly'), entries };
}
