/** The kind of fleet that a service runs on. */
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { SimulatedAws } from '../../local/simulated/simulated-aws.ts';
import { AsgFleet } from './asg-fleet.ts';
import { EcsFleet } from './ecs-fleet.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';

export function fleetOf(aws: SimulatedAws, settings: ServiceSettings): SimulatedFleet {
  return settings.fleet.kind === 'asg' ? new AsgFleet(aws) : new EcsFleet(aws, settings);
}
