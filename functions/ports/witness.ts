import type { Generation } from '../core/fleet/generation.ts';
import type { LastWords } from '../core/messages/last-words.ts';
import type { ServiceSettings } from '../core/service-settings.ts';

/** Knows what became of a generation. Throws nothing that AWS answers: what cannot be read is told as such. */
export interface Witness {
  /** `task`: the one whose log is asked for; null: one that runs, or ran. */
  lastWords(settings: ServiceSettings, generation: Generation, task: string | null): Promise<LastWords>;
}
