import type { Generation } from '../core/fleet/generation.ts';
import type { Standing } from '../core/fleet/orphans.ts';
import type { FleetState } from '../core/gates/health.ts';
import type { GenerationName } from '../core/names.ts';
import type { FleetSettings, ServiceSettings } from '../core/service-settings.ts';

/** `ending`: told to end, but instances are still there; the same call tells later whether they are gone. */
export type Ending = 'ended' | 'ending';

/** What is asked of, and done to, a generation that runs, each where it was launched. All can be repeated. */
export interface RunningFleet {
  /** Makes a generation that runs as large as `desired`. */
  resize(settings: ServiceSettings, generation: Generation, desired: number): Promise<void>;
  /** Tasks or instances that are wanted of the generation now; undefined when there is no such generation (any more). */
  wanted(settings: ServiceSettings, generation: Generation): Promise<number | undefined>;
  /** What of the generation runs now; undefined when there is no such generation (any more). */
  observe(settings: ServiceSettings, generation: Generation): Promise<FleetState | undefined>;
}

export interface FleetDeclarations {
  /** Mistakes in the fleet's own part of the settings, each with its path; empty when there are none. */
  mistakesIn(settings: FleetSettings): readonly string[];
}

/**
 * What runs a generation's tasks or instances, each where the generation was launched. All can be repeated: what is found
 * done is adopted.
 */
export interface Fleet extends RunningFleet {
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
  /** Ends the generation. Once `ended` nothing is left of it but what it was made from, and what AWS keeps as history. */
  terminate(settings: ServiceSettings, generation: Generation): Promise<Ending>;
  /**
   * The service's generations that stand, and what such were launched from, by their tags. Only those are looked at that
   * `isAsked` wants by their names.
   */
  standing(
    settings: ServiceSettings,
    isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean,
  ): Promise<readonly Standing[]>;
  /** Ends what stands under that name, or only what runs of it. Refuses (`Cutover.Guarded`) what does not bear our tags. */
  discard(settings: ServiceSettings, name: GenerationName, what: 'all' | 'what runs'): Promise<Ending>;
  /** Gives up what an ended generation was made from; for one that nobody may go back to. */
  forget(settings: ServiceSettings, generation: Generation): Promise<void>;
}
