/** Mistakes in the fleet's own part of the settings, each with its path. */
import { asgSettings } from '../core/fleet/asg-settings.ts';
import { parse } from '../core/parse.ts';
import type { FleetSettings } from '../core/service-settings.ts';
import { ecsSettings } from './ecs-settings.ts';

const schemas = { ecs: ecsSettings, asg: asgSettings } as const;

export function mistakesInFleet(fleet: FleetSettings): readonly string[] {
  const schema = Object.entries(schemas).find(([kind]) => kind === fleet.kind)?.[1];
  if (schema === undefined)
    return [`fleet/kind: must be ${Object.keys(schemas).join(' or ')}, got ${fleet.kind}`];
  const parsed = parse<unknown>(schema, fleet);
  return parsed.ok ? [] : parsed.mistakes.map((mistake) => `fleet/${mistake}`);
}
