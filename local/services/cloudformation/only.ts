import type { Properties } from './resource-type.ts';

/** Every property of the template must be one that the type reads. */
export function only(properties: Properties, ...names: readonly string[]): void {
  const other = Object.keys(properties).find((name) => name !== 'Tags' && !names.includes(name));
  if (other === undefined) return;
  throw new Error(`Properties validation failed: #: extraneous key [${other}] is not permitted`);
}
