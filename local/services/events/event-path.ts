/** The JSON paths that EventBridge understands: `$`, `$.detail.image-tag`, `$.resources[0]`, `$.items[*].name`. */

/** Undefined when the path leads nowhere. Throws an Error for what is no path. */
export function valueAt(event: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((value, step) => stepInto(value, step), event);
}

function stepsOf(path: string): string[] {
  if (!path.startsWith('$')) throw new Error(`Invalid JSON path ${path}: it must begin with $`);
  const rest = path.slice(1);
  const steps = [...rest.matchAll(/\.([^.[\]]+)|\[(\d+|\*)\]/g)];
  if (steps.map(([text]) => text).join('') !== rest) throw new Error(`Invalid JSON path ${path}`);
  return steps.map(([, name, index]) => name ?? index!);
}

function stepInto(value: unknown, step: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (step === '*') return Object.values(value);
  if (Array.isArray(value) && !/^\d+$/.test(step)) {
    const found = value.map((item) => stepInto(item, step)).filter((item) => item !== undefined);
    return found.length === 0 ? undefined : found;
  }
  return Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : undefined;
}
