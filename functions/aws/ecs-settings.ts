/** The fleet's part of a service's settings, where the fleet is ECS. */
import * as z from 'zod';
import type { Generation } from '../core/fleet/generation.ts';
import { scalingSettings } from '../core/fleet/scaling.ts';
import { growing, parseOrThrow } from '../core/parse.ts';
import type { ServiceSettings } from '../core/service-settings.ts';

export const ecsSettings = z.strictObject({
  kind: z.literal('ecs'),
  cluster: z.string().min(1),
  taskDefinition: z.string().min(1).describe('ARN of the template, with its revision'),
  container: z.string().min(1).describe('the container that the image replaces'),
  port: z.int().min(1).max(65_535),
  subnets: z.array(z.string().min(1)).min(1),
  securityGroups: z.array(z.string().min(1)).max(5),
  assignPublicIp: z.boolean(),
  roles: z
    .array(z.string().min(1))
    .optional()
    .describe('ARNs of the roles that the deployer may pass to tasks of this service'),
  scaling: scalingSettings.nullable().default(null).describe('null: nothing scales the service'),
});
export type EcsSettings = z.infer<typeof ecsSettings>;

/** What one must know of a generation that runs, by whatever version it was launched. */
const ecsPlace = growing({ kind: ecsSettings.shape.kind, cluster: ecsSettings.shape.cluster });

/** The name is all that ECS has of a generation. */
export type Named = Pick<Generation, 'name'> & Partial<Pick<Generation, 'fleet'>>;

export function readEcs(settings: ServiceSettings): EcsSettings {
  return parseOrThrow(ecsSettings, settings.fleet, `the fleet of ${settings.service}`);
}

/** Where the generation runs, which need not be where the next one is launched. */
export function clusterOf(settings: ServiceSettings, generation: Named): string {
  const fleet = generation.fleet ?? settings.fleet;
  return parseOrThrow(ecsPlace, fleet, `the fleet of ${generation.name}`).cluster;
}
