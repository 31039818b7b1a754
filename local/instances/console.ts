/** What an instance writes to its console, as GetConsoleOutput shows it: the newest 64 KB. */
import type { Clock } from '../clock.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html */
const mostCharacters = 65_536;

export class Console {
  readonly #clock: Clock;
  readonly #bootedAt: number;
  #text = '';

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bootedAt = clock.now();
  }

  /** A line of cloud-init, with the seconds since the boot before it, as the kernel writes them. */
  write(line: string): void {
    const seconds = this.upSeconds().toFixed(6).padStart(12);
    this.#text = `${this.#text}[${seconds}] cloud-init[1]: ${line}\n`.slice(-mostCharacters);
  }

  upSeconds(): number {
    return (this.#clock.now() - this.#bootedAt) / 1_000;
  }

  text(): string {
    return this.#text;
  }
}
