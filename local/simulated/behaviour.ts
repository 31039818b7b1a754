/** How an image behaves in the simulated world, where no image has content. Times in milliseconds of the clock. */

export interface Behaviour {
  /** The pull, on top of what ECS takes for any image. */
  readonly pullMs: number;
  /** From the start of the process until it listens; before, connections are refused. */
  readonly bootMs: number;
  /** From listening until it is ready. One that listens and is not ready answers 503 to everyone, health checks too. */
  readonly healthyAfterMs: number | 'never';
  /** From the start of the process until it exits by itself; absent: it stays. */
  readonly crashAfterMs?: number;
  /** Of a process that exits by itself; absent: 1. */
  readonly exitCode?: number;
  /** The share of requests, 0 to 1, that one that is ready answers with 500; health checks pass all the same. */
  readonly errorShare: number;
  /** From a request until its answer. */
  readonly latencyMs: number;
  /** From SIGTERM until it exits with 0. Until then it goes on answering. */
  readonly stopMs: number;
}

/** By the digest of the manifest that runs. */
export type BehaviourOf = (digest: string) => Behaviour;

export const wellBehaved: Behaviour = {
  pullMs: 0,
  bootMs: 2_000,
  healthyAfterMs: 0,
  errorShare: 0,
  latencyMs: 20,
  stopMs: 1_000,
};
