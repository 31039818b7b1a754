/** Judges the canaries of one row after the other, beside the other workers. */
import { parentPort } from 'node:worker_threads';
import type { Difference, Setting } from './canaries.ts';
import { judgeCanaries, type Trials } from './trials.ts';

export interface Row {
  readonly setting: Setting;
  readonly difference: Difference;
  readonly count: number;
  readonly seed: number;
}

parentPort?.on('message', ({ setting, difference, count, seed }: Row) => {
  const trials: Trials = judgeCanaries(setting, difference, { count, seed });
  parentPort?.postMessage(trials);
});
