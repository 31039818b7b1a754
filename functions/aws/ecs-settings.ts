/** What the fleet's part of the settings says of a service on ECS. */
import * as z from 'zod';
import { parseOrThrow } from '../core/parse.ts';
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
});
export type EcsSettings = z.infer<typeof ecsSettings>;

export function readEcsSettings(settings: ServiceSettings): EcsSettings {
  return parseOrThrow(ecsSettings, settings.fleet, `the fleet of ${settings.service}`);
}
