/** Parsing at the edge: every mistake at once, each with its path. */
import * as z from 'zod';
import { CutoverError } from './errors.ts';
import { plain } from './plain-text.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** `steps/1/weightPercent: Too big: expected number to be <=100, got 101` */
export function parse<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return {
    ok: false,
    mistakes: result.error.issues.map(
      ({ path, message }) => `${path.join('/') || '(the whole)'}: ${withValue(message, at(value, path))}`,
    ),
  };
}

/** What stands there, where it is one value and the message does not say it already: of a text its first line, for a key has more. */
function withValue(message: string, found: unknown): string {
  if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return message;
  const [first = '', ...more] = String(found).split('\n');
  const words = plain(more.length === 0 ? first : `${first}...`);
  return message.endsWith(` ${words}`) ? message : `${message}, got ${words}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (of, key) => (typeof of === 'object' && of !== null ? Reflect.get(of, key) : undefined),
    value,
  );
}

/** Throws `Cutover.InvalidInput` naming `what` and every mistake. */
export function parseOrThrow<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = parse(schema, value);
  if (result.ok) return result.value;
  throw new CutoverError(
    'Cutover.InvalidInput',
    `${what} is not valid; nothing was changed. ${result.mistakes.join('; ')}`,
  );
}

/**
 * For what is stored: members that this code does not know are kept as they are, for a newer version of it may have written
 * them (a running execution keeps its code while the deployer is upgraded). A new member needs a default, for what an older
 * version wrote.
 */
export function growing<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
): z.ZodObject<Shape, z.core.$strip> {
  // The looseness is of the values only: the type stays exact, so that a misspelt member does not compile.
  return z.looseObject(shape) as unknown as z.ZodObject<Shape, z.core.$strip>;
}
