/** Finds required members that an input lacks. The SDK's struct schemas say how many of their members are required. */
import type { NormalizedSchema } from '@smithy/core/schema';

/** Paths in AWS's notation (`targets.1.member.id`), in the order of the model; empty when nothing is missing. */
export function missingMembers(schema: NormalizedSchema, value: unknown, path = ''): string[] {
  if (value === undefined || value === null) return [];
  if (schema.isStructSchema()) return missingInStruct(schema, value as Record<string, unknown>, path);
  if (schema.isListSchema() && Array.isArray(value)) {
    const item = schema.getValueSchema();
    if (isLeaf(item)) return [];
    return value.flatMap((element, index) => missingMembers(item, element, `${path}.${index + 1}.member`));
  }
  if (schema.isMapSchema()) {
    const item = schema.getValueSchema();
    if (isLeaf(item)) return [];
    return Object.entries(value).flatMap(([key, element]) =>
      missingMembers(item, element, `${path}.${key}.member`),
    );
  }
  return [];
}

function missingInStruct(schema: NormalizedSchema, value: Record<string, unknown>, path: string): string[] {
  const raw = schema.getSchema() as unknown as readonly unknown[];
  // Required members come first; their number is the seventh element.
  const required = typeof raw[6] === 'number' ? raw[6] : 0;
  const missing: string[] = [];
  let index = 0;
  for (const [name, member] of schema.structIterator()) {
    const at = path === '' ? lowerFirst(name) : `${path}.${lowerFirst(name)}`;
    const absent = value[name] === undefined || value[name] === null;
    if (absent && index < required && !member.isIdempotencyToken()) missing.push(at);
    if (!absent) missing.push(...missingMembers(member, value[name], at));
    index += 1;
  }
  return missing;
}

function isLeaf(schema: NormalizedSchema): boolean {
  return !schema.isStructSchema() && !schema.isListSchema() && !schema.isMapSchema();
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
