/** A task as ECS starts it: one process from one pulled image. */
import type { PulledImage } from '../registry/image-store.ts';

/** Where a task's container port can really be reached from this machine. */
export type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

export interface TaskSpec {
  /** Unique, fit for a folder's name: the ECS task id. */
  readonly id: string;
  readonly image: PulledImage;
  /** What the task definition sets; absent members come from the image's configuration. */
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The port that the container listens on inside its own network. */
  readonly containerPort: number;
  /** Each line that the process writes to stdout or stderr, as it comes. */
  readonly onLog: (line: string) => void;
}

export interface TaskExit {
  /** As ECS reports it: the process's own code, or 128 + signal (137 after SIGKILL, 143 after SIGTERM). */
  readonly exitCode: number;
}

export interface RunningTask {
  readonly address: Address;
  readonly exited: Promise<TaskExit>;
  /** SIGTERM now, SIGKILL after `stopTimeoutMs` of wall time to the whole process group. Resolves when it has ended. */
  stop(stopTimeoutMs: number): Promise<TaskExit>;
}

export interface TaskRunner {
  /** How tasks are kept apart on this machine, in words for the screen. */
  readonly isolation: string;
  /** Rejects with an `Error` whose message is fit for ECS's `stoppedReason` (`CannotStartContainerError: …`). */
  start(spec: TaskSpec): Promise<RunningTask>;
  /** Kills what still runs and removes what was unpacked. */
  close(): Promise<void>;
}
