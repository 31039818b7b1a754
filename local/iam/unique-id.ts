import { randomBytes } from 'node:crypto';

/** IAM's unique ids: a prefix for the kind, then letters and digits of base 32. */
export function uniqueId(prefix: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + [...randomBytes(16)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
