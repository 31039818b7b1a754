/** Looks, all at once, at what could stand against a launch. Changes nothing. */
import { type Generation, imageName } from '../core/fleet/generation.ts';
import type { Push } from '../core/images/push.ts';
import type { Objection } from '../core/preflight/objection.ts';
import { type LiveState, objectionsTo } from '../core/preflight/preflight.ts';
import { reading } from '../core/reading.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Weights } from '../core/traffic/weights.ts';
import type { Alarms } from '../ports/alarms.ts';
import type { Fleet } from '../ports/fleet.ts';
import type { FleetSurveyor, ImagePlatforms, TrafficSurveyor } from '../ports/preflight.ts';
import type { Traffic } from '../ports/traffic.ts';

export interface PreflightPorts {
  readonly fleet: Pick<Fleet, 'wanted'>;
  readonly fleetSurveyor: FleetSurveyor;
  readonly traffic: Pick<Traffic, 'targets'>;
  readonly trafficSurveyor: TrafficSurveyor;
  readonly imagePlatforms: ImagePlatforms;
  readonly alarms: Alarms;
}

export interface Offered {
  readonly push: Pick<Push, 'repository' | 'tag' | 'digest'>;
  /** What is live, by the service item. */
  readonly live: Generation | null;
  readonly settings: ServiceSettings;
}

export interface Preflight {
  /** The production rule as it is; null when that is among the objections. */
  readonly weights: Weights | null;
  readonly objections: readonly Objection[];
}

export async function preflight(
  { push, live, settings }: Offered,
  ports: PreflightPorts,
): Promise<Preflight> {
  const [fleet, traffic, platforms, liveState, alarms] = await Promise.all([
    ports.fleetSurveyor.survey(settings),
    ports.trafficSurveyor.survey(settings.traffic),
    reading(() => ports.imagePlatforms.platforms(settings.repository, push.digest)),
    reading(() => lookAt(live, settings, ports)),
    ports.alarms.states(settings.alarms),
  ]);
  const image = { name: imageName(push), digest: push.digest, platforms };
  return {
    weights: 'value' in traffic.rule ? traffic.rule.value : null,
    objections: objectionsTo({ image, alarms, live: liveState, fleet, traffic }, settings),
  };
}

async function lookAt(
  live: Generation | null,
  settings: ServiceSettings,
  { fleet, traffic }: PreflightPorts,
): Promise<LiveState | null> {
  if (live === null) return null;
  const [wanted, targets] = await Promise.all([
    fleet.wanted(settings, live),
    traffic.targets(settings.traffic, live.slot),
  ]);
  return { name: live.name, wanted, targets };
}
