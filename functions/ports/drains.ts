import type { Draining } from '../core/fleet/drain.ts';
import type { GenerationName } from '../core/names.ts';

/** Instances whose end waits until they are drained. All can be repeated. */
export interface Drains {
  /** Its end waits for as long again. `gone`: it does not wait (any more) for us. */
  keep(of: Draining): Promise<'kept' | 'gone'>;
  /** Its end goes on. */
  letGo(of: Draining): Promise<void>;
  /** Instances of these generations whose end waits, for us or for somebody else. */
  waiting(generations: readonly GenerationName[]): Promise<readonly Draining[]>;
}
