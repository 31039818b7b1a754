/** Task tokens: each waits for one answer of SendTaskSuccess or SendTaskFailure, and knows heartbeats. */
import { AwsError } from '../../call.ts';
import type { Json } from './json.ts';

export interface TokenHolder {
  /** The machine whose permission an answer needs. */
  readonly stateMachineArn: string;
  succeeded(output: Json): void;
  failed(error: string | undefined, cause: string | undefined): void;
  heartbeat(): void;
}

export class Tokens {
  readonly #waiting = new Map<string, TokenHolder>();
  /** Machines of tokens that were answered, timed out or whose execution ended. */
  readonly #spent = new Map<string, string>();
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
    const holder = this.#waiting.get(token);
    if (holder === undefined) return;
    this.#waiting.delete(token);
    this.#spent.set(token, holder.stateMachineArn);
  }

  /** The machine that a token belongs to; refuses what was never a token. */
  machineOf(token: string): string {
    const machine = this.#waiting.get(token)?.stateMachineArn ?? this.#spent.get(token);
    if (machine === undefined) throw new AwsError('InvalidToken', `Invalid Token: 'Invalid token'`);
    return machine;
  }

  /** Who waits for the answer, which is the only one: the token is spent. */
  take(token: string): TokenHolder {
    const holder = this.holder(token);
    this.spend(token);
    return holder;
  }

  /** Who waits; refuses a token whose task is over. */
  holder(token: string): TokenHolder {
    this.machineOf(token);
    const holder = this.#waiting.get(token);
    if (holder !== undefined) return holder;
    throw new AwsError('TaskTimedOut', `Task Timed Out: 'Provided task does not exist anymore'`);
  }
}
