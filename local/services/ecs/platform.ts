/** What tasks and services of one embedded ECS stand on. */
import type { Emit } from '../../aws-event.ts';
import type { Clock } from '../../clock.ts';
import type { ImageStore } from '../../registry/image-store.ts';
import type { TaskRunner } from '../../tasks/task.ts';
import type { Targets } from '../elbv2/targets.ts';
import type { Chance } from './chance.ts';
import type { Delays } from './delays.ts';
import type { Network } from './network.ts';

export interface Platform {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly targets: Targets;
  readonly images: ImageStore;
  readonly runner: TaskRunner;
  readonly network: Network;
  readonly chance: Chance;
  readonly delays: Delays;
  readonly onLog: (logGroup: string, logStream: string, line: string) => void;
  /** Why no task can be placed now, such as `RESOURCE:FARGATE`; undefined when one can. */
  readonly placementFailure: () => string | undefined;
  /** vCPUs that the account's quota leaves for further tasks. */
  readonly vcpusFree: () => number;
  /** The most wall milliseconds between SIGTERM and SIGKILL; the task definition's `stopTimeout` when that is less. */
  readonly stopWallMs: number;
  /** Whether SIGTERM waits until the targets have drained. */
  readonly drainBeforeStop: boolean;
}

/** Goes on with the outcome of work that nobody awaits; its failure reaches the clock's failure handler. */
export function follow<T>(clock: Clock, work: Promise<T>, then: (value: T) => void): void {
  work.then(then).catch((failure: unknown) => clock.after(0, () => Promise.reject(failure)));
}
