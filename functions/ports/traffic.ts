import type { TargetState } from '../core/gates/health.ts';
import type { SlotName } from '../core/names.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import type { Weights } from '../core/traffic/weights.ts';

/** The share of each slot. */
export interface Traffic {
  /**
   * Throws `Cutover.RuleNotOurs` for a rule that holds anything Cutover does not know completely. What is not `expected` is read
   * again before it is believed: reads are eventually consistent.
   */
  weights(settings: TrafficSettings, expected?: Weights): Promise<Weights>;
  /**
   * Compare-and-set: reads, compares with `expected` (`Cutover.ForeignWeights` when they differ), writes `next`, reads
   * back. When `next` stands already nothing is written.
   */
  shift(settings: TrafficSettings, expected: Weights, next: Weights): Promise<void>;
  /** Every target of the slot, draining ones included. */
  targets(settings: TrafficSettings, slot: SlotName): Promise<readonly TargetState[]>;
}
