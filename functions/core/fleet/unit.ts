/** What generations of a service are made of, for words that people read: core knows of no kind of fleet. */
import * as z from 'zod';

export const unitSchema = z.enum(['task', 'instance']);
export type Unit = z.infer<typeof unitSchema>;

/** A fleet that does not say is made of tasks. */
export function unitOf({ fleet }: { readonly fleet: { readonly unit?: Unit | undefined } }): Unit {
  return fleet.unit ?? 'task';
}
