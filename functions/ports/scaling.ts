import type { Generation } from '../core/fleet/generation.ts';
import type { Bounds } from '../core/fleet/scaling.ts';
import type { ServiceSettings } from '../core/service-settings.ts';

/** What makes a generation larger and smaller by itself. All can be repeated: what stands equal is not written again. */
export interface Scaling {
  /**
   * Undefined when nothing scales the generation (any more); null: as the service's settings say. `known`: seen or
   * written by us, so that of these equal ones do not say that nothing scales it.
   */
  bounds(
    settings: ServiceSettings,
    generation: Generation | null,
    known?: readonly Bounds[],
  ): Promise<Bounds | undefined>;
  /** Writes bounds of what scales already. Its count is moved into them at once, also by a repeat. */
  bound(settings: ServiceSettings, generation: Generation, bounds: Bounds): Promise<void>;
  /**
   * Makes `to` scale within these bounds as `from` does (null: as the service's settings say), by what reaches `to`. Of what
   * nothing scales nothing is carried; `known` as above. `Cutover.AwsUnavailable` while what runs `to` is not known everywhere yet.
   */
  carry(
    settings: ServiceSettings,
    from: Generation | null,
    to: Generation,
    bounds: Bounds,
    known?: readonly Bounds[],
  ): Promise<void>;
  /** Gives `to`, which scales already, the schedule of `from` (null: of the service's settings); what lies behind is left out. */
  carrySchedule(settings: ServiceSettings, from: Generation | null, to: Generation): Promise<void>;
  /** Nothing scales the generation any more. */
  release(settings: ServiceSettings, generation: Generation): Promise<void>;
}
