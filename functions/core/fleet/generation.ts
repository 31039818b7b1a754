/** One immutable launch of a service from one image. */
import * as z from 'zod';
import { digest, generationName, slotName } from '../names.ts';
import { growing } from '../parse.ts';
import { fleetSettings } from '../service-settings.ts';

export const generationSchema = growing({
  name: generationName,
  number: z.int().min(1),
  slot: slotName,
  repository: z.string(),
  tag: z.string(),
  digest,
  /** As it was launched: the service's settings may name another place by now. Null: as the settings say. */
  fleet: fleetSettings.nullable().default(null),
});
export type Generation = z.infer<typeof generationSchema>;

/** `web:v2` */
export function imageName(of: { repository: string; tag: string }): string {
  return `${of.repository}:${of.tag}`;
}
