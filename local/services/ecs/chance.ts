/** Everything in ECS that is drawn by lot: identifiers and the spread of delays. One seed replays it all. */
import type { Delay } from './delays.ts';

export class Chance {
  readonly #random: () => number;
  readonly uuid: () => string;

  constructor(random: () => number, uuid: () => string) {
    this.#random = random;
    this.uuid = uuid;
  }

  within(delay: Delay): number {
    return Math.round(delay.from + this.#random() * (delay.to - delay.from));
  }

  /** 32 hexadecimal digits, as in a task's ARN. */
  hex(): string {
    return this.uuid().replaceAll('-', '');
  }

  /** A decimal number of so many digits, as in a deployment's id, `ecs-svc/1234567890123456789`. */
  digits(count: number): string {
    const drawn = BigInt(`0x${this.hex()}`).toString().padStart(count, '1').slice(-count);
    return drawn.replace(/^0/, '1');
  }

  one<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length) % items.length];
  }
}
