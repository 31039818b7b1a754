/** What the suite asks of a kind of fleet beyond its ports: what stands in AWS, and who else put something there. */
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { Fleet } from '../../functions/ports/fleet.ts';
import type { Scaling } from '../../functions/ports/scaling.ts';
import type { FleetRegion } from './region.ts';

export interface Kind {
  readonly region: FleetRegion;
  readonly fleet: Fleet;
  readonly scaling: Scaling;
  /** Nothing scales the service. */
  readonly settings: ServiceSettings;
  /** Between 2 and 6, by requests and by CPU, and by a schedule. */
  readonly scaled: ServiceSettings;
  /** After another deployment of its stack: what is launched by its template now says `new`, and said `old` before. */
  readonly newer: ServiceSettings;
  /** The call that makes what runs. */
  readonly creation: string;
  /** What the generation's tasks or instances run, and whether by the `old` template or the `new` one. */
  made(
    generation: Generation,
  ): Promise<{ readonly image: string | undefined; readonly template: string | undefined }>;
  /** Tags of what runs, and of what it was made from; undefined for what does not stand. */
  tags(generation: Generation): Promise<readonly (Readonly<Record<string, string>> | undefined)[]>;
  /** Somebody else makes what would run under that name. */
  squat(generation: Generation): Promise<void>;
  /** Somebody else makes that from which it would run. */
  squatTemplate(generation: Generation): Promise<void>;
  /** Changes how many are wanted, as an alarm would. */
  scaleTo(generation: Generation, count: number): Promise<void>;
  /** `cpu 60`, `requests 500 web-green`, as they stand. */
  policies(generation: Generation): Promise<readonly string[]>;
  /** `morning 4`, as they stand, with the least that they set. */
  schedule(generation: Generation): Promise<readonly string[]>;
}
