import type { Generation } from '../core/generation.ts';
import type { FleetState } from '../core/health.ts';
import type { FleetSettings, ServiceSettings } from '../core/service-settings.ts';

/**
 * What runs a generation's tasks or instances, each where the generation was launched. All can be repeated: what is found
 * done is adopted.
 */
export interface Fleet {
  /** Mistakes in the fleet's own part of the settings, each with its path; empty when there are none. */
  mistakesIn(settings: FleetSettings): readonly string[];
  /**
   * Starts the generation, its targets registered in its slot, at `desired`; made like `copyOf` where one is given, else
   * by the service's template.
   */
  launch(
    settings: ServiceSettings,
    generation: Generation,
    desired: number,
    copyOf: Generation | null,
  ): Promise<void>;
  /** Makes a generation that runs as large as `desired`. */
  resize(settings: ServiceSettings, generation: Generation, desired: number): Promise<void>;
  /** Tasks or instances that are wanted of the generation now; undefined when there is no such generation (any more). */
  wanted(settings: ServiceSettings, generation: Generation): Promise<number | undefined>;
  /** What of the generation runs now; undefined when there is no such generation (any more). */
  observe(settings: ServiceSettings, generation: Generation): Promise<FleetState | undefined>;
  /** Ends the generation. Nothing is left of it but what it was made from, and what AWS keeps as history. */
  terminate(settings: ServiceSettings, generation: Generation): Promise<void>;
  /** Gives up what an ended generation was made from; for one that nobody may go back to. */
  forget(settings: ServiceSettings, generation: Generation): Promise<void>;
}
