import type { AlarmState } from '../core/gates/alarms.ts';

export interface Alarms {
  /** One state for each name, in the order of the names. */
  states(names: readonly string[]): Promise<readonly AlarmState[]>;
}
