/**
 * Docker's restart policies, and how long it waits: 100 ms, doubled each time up to a minute, from the beginning again after a
 * container has run for ten seconds (moby, restartmanager/restartmanager.go).
 */
const firstDelayMs = 100;
const longestDelayMs = 60_000;
const longEnoughMs = 10_000;

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  /** 0: as often as it takes. */
  readonly atMost: number;
}

/** `undefined` for what Docker refuses. */
export function restartPolicy(text: string): RestartPolicy | undefined {
  const [name, count, ...more] = text.split(':');
  if (more.length > 0) return undefined;
  if (name === 'on-failure' && /^\d*$/.test(count ?? '')) return { name, atMost: Number(count ?? 0) };
  if (count !== undefined) return undefined;
  return name === 'no' || name === 'always' || name === 'unless-stopped' ? { name, atMost: 0 } : undefined;
}

export class Restarts {
  readonly #policy: RestartPolicy;
  #count = 0;
  #delayMs = 0;

  constructor(policy: RestartPolicy) {
    this.#policy = policy;
  }

  /** How long until it is started again after such an end; `undefined` when it is not. */
  next(exitCode: number, ranMs: number): number | undefined {
    const { name, atMost } = this.#policy;
    if (name === 'no') return undefined;
    if (name === 'on-failure' && (exitCode === 0 || (atMost > 0 && this.#count >= atMost))) return undefined;
    this.#count += 1;
    if (ranMs >= longEnoughMs) this.#delayMs = 0;
    this.#delayMs = this.#delayMs === 0 ? firstDelayMs : Math.min(this.#delayMs * 2, longestDelayMs);
    return this.#delayMs;
  }
}
