/** One stream of chance for everything in the process, from a seed: two runs of one seed draw the same. */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/** A stream that can be begun anew. */
export interface SeededRandom {
  (): number;
  seed(seed: number): void;
}

/** mulberry32, a generator of 32 bits of state in the public domain: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Object.assign(next, {
    seed: (newSeed: number): void => {
      state = newSeed >>> 0;
    },
  });
}

/**
 * Puts the stream in the place of `Math.random` and of what `node:crypto` draws, for every module, also those that are
 * loaded already; the returned function takes it away again.
 */
export function replaceRandom(random: () => number): () => void {
  const original = {
    random: Math.random,
    randomBytes: crypto.randomBytes,
    randomInt: crypto.randomInt,
    randomUUID: crypto.randomUUID,
    webUuid: globalThis.crypto.randomUUID.bind(globalThis.crypto),
  };
  const bytes = (size: number): Buffer =>
    Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
  const uuid = (): ReturnType<typeof crypto.randomUUID> => {
    const hex = bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  const between = (from: number, to?: number): number =>
    to === undefined ? Math.floor(random() * from) : from + Math.floor(random() * (to - from));
  Math.random = random;
  globalThis.crypto.randomUUID = uuid;
  // Only the synchronous forms: nothing in a simulated world may wait for the real world's entropy.
  Object.assign(crypto, { randomBytes: bytes, randomInt: between, randomUUID: uuid });
  syncBuiltinESMExports();
  return () => {
    Math.random = original.random;
    globalThis.crypto.randomUUID = original.webUuid;
    Object.assign(crypto, {
      randomBytes: original.randomBytes,
      randomInt: original.randomInt,
      randomUUID: original.randomUUID,
    });
    syncBuiltinESMExports();
  };
}
