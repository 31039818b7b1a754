/** Task tokens: each waits for one answer of SendTaskSuccess or SendTaskFailure, and knows heartbeats. */
import { AwsError } from '../../call.ts';
import type { Json } from './json.ts';

export interface TokenHolder {
  succeeded(output: Json): void;
  failed(error: string | undefined, cause: string | undefined): void;
  heartbeat(): void;
}

export class Tokens {
  readonly #waiting = new Map<string, TokenHolder>();
  /** Tokens that were answered, timed out or whose execution ended. */
  readonly #spent = new Set<string>();
  readonly #uuid: () => string;

  constructor(uuid: () => string) {
    this.#uuid = uuid;
  }

  issue(): string {
    // Opaque, long and of the alphabet AWS uses: whoever stores or sends one learns what it must bear.
    return `AQC${Buffer.from(`${this.#uuid()}${this.#uuid()}${this.#uuid()}${this.#uuid()}`).toString('base64')}`;
  }

  wait(token: string, holder: TokenHolder): void {
    this.#waiting.set(token, holder);
  }

  spend(token: string): void {
    if (this.#waiting.delete(token)) this.#spent.add(token);
  }

  /** Who waits for the answer, which is the only one: the token is spent. */
  take(token: string): TokenHolder {
    const holder = this.holder(token);
    this.spend(token);
    return holder;
  }

  /** Who waits; refuses what was never a token, and a token whose task is over. */
  holder(token: string): TokenHolder {
    const holder = this.#waiting.get(token);
    if (holder !== undefined) return holder;
    if (!this.#spent.has(token)) throw new AwsError('InvalidToken', `Invalid Token: 'Invalid token'`);
    throw new AwsError('TaskTimedOut', `Task Timed Out: 'Provided task does not exist anymore'`);
  }
}
