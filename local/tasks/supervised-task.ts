/** One task's processes, seen from the runner: its supervisor, what it says, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../clock.ts';
import { readLines } from './log-lines.ts';
import type { FromSupervisor, ToSupervisor } from './supervisor.ts';
import type { TaskExit } from './task.ts';

export interface SupervisedTaskOptions {
  readonly clock: Clock;
  /** The supervisor's program file. */
  readonly supervisor: string;
  /** What the supervisor runs under. */
  readonly networkEntry: readonly string[];
  readonly order: Extract<ToSupervisor, { kind: 'run' }>;
  readonly onLog: (line: string) => void;
}

/** Memory matters more than speed here: a supervisor has 9 MB of its own, and shares the rest with every other node. */
const nodeFlags = ['--v8-pool-size=0', '--max-semi-space-size=1', '--no-warnings'];

/** How long the output of an ended task may still take, when a process that escaped us holds it open. */
const lastWordsMs = 2_000;

export class SupervisedTask {
  readonly exited: Promise<TaskExit>;
  readonly #clock: Clock;
  readonly #supervisor: ChildProcess;
  readonly #started: Promise<void>;

  constructor(options: SupervisedTaskOptions) {
    this.#clock = options.clock;
    const [program, ...args] = [...options.networkEntry, process.execPath, ...nodeFlags, options.supervisor];
    const supervisor = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'], UV_THREADPOOL_SIZE: '1' },
      detached: true,
    });
    this.#supervisor = supervisor;
    for (const output of [supervisor.stdout, supervisor.stderr]) {
      if (output !== null) readLines(output, options.onLog);
    }
    const started = Promise.withResolvers<void>();
    const exited = Promise.withResolvers<TaskExit>();
    // Unless the supervisor says otherwise, it was killed, and the task with it.
    let exit: TaskExit = { exitCode: 137 };
    supervisor.on('message', (message: FromSupervisor) => {
      if (message.kind === 'started') started.resolve();
      else if (message.kind === 'exited') exit = { exitCode: message.exitCode };
      else started.reject(new Error(message.reason));
    });
    supervisor.on('error', (error) => started.reject(error));
    supervisor.on('exit', (code, signal) => {
      started.reject(new Error(`the task's supervisor ended with ${code ?? signal}`));
      void this.#lastWords().then(() => exited.resolve(exit), exited.reject);
    });
    this.#started = started.promise;
    this.exited = exited.promise;
    this.#tell(options.order);
  }

  /** Resolves when the container's program runs; rejects with the reason when it cannot. */
  async started(): Promise<void> {
    await this.#started;
  }

  async stop(killAfterMs: number): Promise<TaskExit> {
    this.#tell({ kind: 'stop', killAfterMs });
    return this.exited;
  }

  #tell(message: ToSupervisor): void {
    // A supervisor that has ended needs to be told nothing: its end is reported by itself.
    if (this.#supervisor.connected) this.#supervisor.send(message, () => undefined);
  }

  /** All output that the ended task wrote before. */
  async #lastWords(): Promise<void> {
    const outputs = [this.#supervisor.stdout, this.#supervisor.stderr].filter((output) => output !== null);
    const ended = outputs
      .filter((output) => !output.closed)
      .map((output) => new Promise((resolve) => output.once('close', resolve)));
    const longEnough = Promise.withResolvers<void>();
    const timer = this.#clock.after(lastWordsMs, longEnough.resolve);
    await Promise.race([Promise.all(ended), longEnough.promise]);
    timer.cancel();
    for (const output of outputs) output.destroy();
  }
}
