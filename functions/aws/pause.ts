/**
 * Pauses between attempts that compete, with full jitter, so that those who collided do not meet again.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */

/** Waits before the given repeat; the first is 1. */
export type Pause = (repeat: number) => Promise<void>;

const firstMs = 10;
const longestMs = 500;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function pause(
  random: () => number = Math.random,
  wait: (ms: number) => Promise<void> = sleep,
): Pause {
  return (repeat) => wait(random() * Math.min(longestMs, firstMs * 2 ** repeat));
}
