import type { Generation } from '../core/generation.ts';
import type { FleetState } from '../core/health.ts';
import type { FleetSettings, ServiceSettings } from '../core/service-settings.ts';

/** What runs a generation's tasks or instances. All can be repeated: what is found done is adopted. */
export interface Fleet {
  /** Mistakes in the fleet's own part of the settings, each with its path; empty when there are none. */
  mistakesIn(settings: FleetSettings): readonly string[];
  /** Starts the generation, its targets registered in its slot, at `desired`. */
  launch(settings: ServiceSettings, generation: Generation, desired: number): Promise<void>;
  /** What of the generation runs now; undefined when there is no such generation (any more). */
  observe(settings: ServiceSettings, generation: Generation): Promise<FleetState | undefined>;
  /** Ends the generation. Nothing is left of it but what AWS keeps as history. */
  terminate(settings: ServiceSettings, generation: Generation): Promise<void>;
}
