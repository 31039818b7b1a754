import type { Digest } from '../core/names.ts';
import type { Platform } from '../core/preflight/image-platform.ts';
import type { FleetSurvey, TrafficSurvey } from '../core/preflight/preflight.ts';
import type { ServiceSettings, TrafficSettings } from '../core/service-settings.ts';

/** What the fleet can tell before a launch. Throws nothing that AWS answers: what cannot be read is told as such. */
export interface FleetSurveyor {
  survey(settings: ServiceSettings): Promise<FleetSurvey>;
}

/**
 * What the load balancer can tell before a launch. When AWS does not answer for rule or slots it throws
 * `Cutover.AwsUnavailable`, for a step that is tried again; that it refuses is told.
 */
export interface TrafficSurveyor {
  survey(settings: TrafficSettings): Promise<TrafficSurvey>;
}

export interface ImagePlatforms {
  /** What the image, or each image of an index, runs on; undefined when the repository does not hold it (yet). */
  platforms(repository: string, digest: Digest): Promise<readonly Platform[] | undefined>;
}
