/** The functions that JSONata has in Step Functions: its own, less `$eval`, and six of AWS's. */
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
import { createHash } from 'node:crypto';
import type jsonata from 'jsonata';
import type { Json } from './json.ts';

/** JSONata 2.0.6's own functions. */
const standard = `abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl
  decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase formatInteger
  formatNumber fromMillis join keys length lookup lowercase map match max merge millis min not now number pad
  parseInteger power reduce replace reverse round shuffle sift single sort split spread sqrt string substring
  substringAfter substringBefore sum toMillis trim type uppercase zip`;

const added = ['partition', 'range', 'hash', 'random', 'uuid', 'parse'];

export const functionNames: ReadonlySet<string> = new Set([...standard.split(/\s+/), ...added]);

export const forbiddenFunctions: ReadonlySet<string> = new Set(['eval']);

/** The longest array that AWS lets `$range` build. */
const longestRange = 360_145;

const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

export interface FunctionSources {
  readonly now: () => number;
  readonly random: () => number;
  readonly uuid: () => string;
}

/** Binds what differs from plain JSONata: AWS's functions, our clock, our randomness, no `$eval`. */
export function bindFunctions(
  expression: jsonata.Expression,
  sources: FunctionSources,
  fromMillis: (millis: number, picture?: string, timezone?: string) => Promise<unknown>,
): void {
  expression.registerFunction('millis', () => sources.now(), '<:n>');
  expression.registerFunction(
    'now',
    (picture?: string, zone?: string) => fromMillis(sources.now(), picture, zone),
    '<s?s?:s>',
  );
  expression.registerFunction('shuffle', (items: Json[]) => shuffled(items, sources.random), '<a:a>');
  expression.registerFunction(
    'random',
    (seed?: number) => (seed === undefined ? sources.random() : seeded(seed)),
    '<n?:n>',
  );
  expression.registerFunction('uuid', () => sources.uuid(), '<:s>');
  expression.registerFunction('hash', hash, '<s-s?:s>');
  expression.registerFunction(
    'parse',
    (text?: string) => (text === undefined ? undefined : JSON.parse(text)),
    '<s-:x>',
  );
  expression.registerFunction('range', range, '<n?n?n?:a>');
  expression.registerFunction('partition', partition, '<a?n?:a>');
  expression.assign('eval', undefined);
}

function hash(text?: string, algorithm?: string): string | undefined {
  if (text === undefined || algorithm === undefined) return undefined;
  const name = Object.hasOwn(hashes, algorithm) ? hashes[algorithm] : undefined;
  if (name === undefined)
    throw new Error(`Unsupported hash algorithm ${algorithm}: one of ${Object.keys(hashes).join(', ')}`);
  return createHash(name).update(text).digest('hex');
}

/** From `start` to `end`, which it includes when a step lands on it. Fractions are cut off, as AWS does. */
function range(start?: number, end?: number, step?: number): number | number[] | undefined {
  if (start === undefined || end === undefined || step === undefined) return undefined;
  const [from, to, by] = [Math.trunc(start), Math.trunc(end), Math.trunc(step)];
  if (by === 0 || (to - from) * by < 0) return undefined;
  const length = Math.floor((to - from) / by) + 1;
  if (length > longestRange) throw new Error('Expression evaluation memory limit exceeded');
  const numbers = Array.from({ length }, (_, index) => from + index * by);
  return numbers.length === 1 ? numbers[0]! : numbers;
}

function partition(items?: Json[], size?: number): Json[][] | undefined {
  const chunk = Math.trunc(size ?? 0);
  if (items === undefined || items.length === 0 || chunk < 1) return undefined;
  return Array.from({ length: Math.ceil(items.length / chunk) }, (_, index) =>
    items.slice(index * chunk, (index + 1) * chunk),
  );
}

function shuffled(items: Json[] | undefined, random: () => number): Json[] | undefined {
  if (items === undefined) return undefined;
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other]!, result[last]!];
  }
  return result;
}

/** The same number for the same seed (mulberry32); AWS's own sequence is not published. */
function seeded(seed: number): number {
  let state = (Math.trunc(seed) + 0x6d2b79f5) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 4_294_967_296;
}
