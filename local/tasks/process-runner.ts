/** Runs tasks as processes of this machine, each from its unpacked image, as far apart as this machine allows. */
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from 'esbuild';
import type { Clock } from '../clock.ts';
import { cannotStart, containerCommand } from './container-command.ts';
import { HostPorts } from './host-ports.ts';
import { containerEntry, type Isolation, inWords, networkEntry, probeIsolation } from './isolation.ts';
import { removeTree } from './remove-tree.ts';
import { copyOf, ensureFolder, overlayOn, type RootFilesystem, writeSupplied } from './root-filesystem.ts';
import { SupervisedTask } from './supervised-task.ts';
import type { Address, RunningTask, TaskRunner, TaskSpec } from './task.ts';
import { defaultUnpackLimits, type OnNote, type UnpackLimits } from './unpack-layer.ts';
import { UnpackedImages } from './unpacked-images.ts';

export interface ProcessRunnerOptions {
  readonly clock: Clock;
  /** Told what of an image cannot be unpacked here, such as device files. */
  readonly onNote?: OnNote;
  readonly limits?: UnpackLimits;
  /** Instead of the best that this machine allows. */
  readonly isolation?: Isolation;
}

/** Makes a task runner with a temporary folder of its own. */
export async function createProcessRunner(options: ProcessRunnerOptions): Promise<TaskRunner> {
  const folder = await mkdtemp(join(tmpdir(), 'cutover-tasks-'));
  const isolation = options.isolation ?? (await probeIsolation(folder));
  return new ProcessRunner(folder, isolation, await installSupervisor(folder), options);
}

/** The supervisor without its types: left to node, stripping them costs 12 MB in each process. */
async function installSupervisor(folder: string): Promise<string> {
  const source = await readFile(join(import.meta.dirname, 'supervisor.ts'), 'utf8');
  const path = join(folder, 'supervisor.mjs');
  await writeFile(path, transformSync(source, { loader: 'ts' }).code);
  return path;
}

class ProcessRunner implements TaskRunner {
  readonly isolation: string;
  readonly #clock: Clock;
  readonly #folder: string;
  readonly #isolation: Isolation;
  readonly #supervisor: string;
  readonly #images: UnpackedImages;
  readonly #ports = new HostPorts();
  readonly #running = new Set<SupervisedTask>();
  readonly #busy = new Set<Promise<unknown>>();
  #sockets = 0;
  #closed = false;

  constructor(folder: string, isolation: Isolation, supervisor: string, options: ProcessRunnerOptions) {
    this.#folder = folder;
    this.#isolation = isolation;
    this.#supervisor = supervisor;
    this.#clock = options.clock;
    this.isolation = inWords(isolation);
    this.#images = new UnpackedImages({
      folder: join(folder, 'images'),
      limits: options.limits ?? defaultUnpackLimits,
      onNote: options.onNote ?? (() => undefined),
    });
  }

  start(spec: TaskSpec): Promise<RunningTask> {
    return this.#track(this.#clock.busy(() => this.#start(spec)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const task of this.#running) void task.stop(0);
    while (this.#busy.size > 0) await Promise.allSettled(this.#busy);
    await removeTree(this.#folder);
  }

  async #start(spec: TaskSpec): Promise<RunningTask> {
    const unpacked = await this.#images.unpack(spec.image);
    const folder = join(this.#folder, 'tasks', spec.id);
    const address = this.#addressOf(spec);
    const release = 'port' in address ? await this.#ports.claim(address.port, spec.id) : () => undefined;
    const cleanUp = async (): Promise<void> => {
      release();
      await removeTree(folder);
    };
    try {
      const command = await containerCommand(spec, unpacked);
      const fileSystem = await this.#fileSystem(unpacked, folder, spec.id);
      await ensureFolder(fileSystem, command.workingDirectory);
      return await this.#launch(spec, address, containerEntry(this.#isolation, fileSystem, command), cleanUp);
    } catch (error) {
      await cleanUp();
      throw error;
    }
  }

  async #launch(
    spec: TaskSpec,
    address: Address,
    argv: readonly string[],
    cleanUp: () => Promise<void>,
  ): Promise<RunningTask> {
    if (this.#closed) throw cannotStart('the task runner is closed');
    const task = new SupervisedTask({
      clock: this.#clock,
      supervisor: this.#supervisor,
      networkEntry: networkEntry(this.#isolation),
      order: {
        kind: 'run',
        argv,
        containerPort: spec.containerPort,
        ...('socketPath' in address ? { socketPath: address.socketPath } : {}),
      },
      onLog: spec.onLog,
    });
    this.#running.add(task);
    const ended = task.exited.finally(() => this.#running.delete(task));
    try {
      await task.started();
    } catch (error) {
      await ended;
      throw cannotStart(error instanceof Error ? error.message : String(error));
    }
    const exited = this.#track(
      ended.then(async (exit) => {
        await cleanUp();
        return exit;
      }),
    );
    return {
      address,
      exited,
      stop: async (stopTimeoutMs) => {
        await task.stop(stopTimeoutMs);
        return exited;
      },
    };
  }

  async #fileSystem(unpacked: string, folder: string, taskId: string): Promise<RootFilesystem> {
    if (this.#isolation.kind === 'none') return { root: unpacked };
    await mkdir(folder, { recursive: true });
    const hasOverlay = this.#isolation.kind === 'namespaces' && this.#isolation.overlay;
    const fileSystem = await (hasOverlay ? overlayOn(unpacked, folder) : copyOf(unpacked, folder));
    await writeSupplied(fileSystem, '/etc/hosts', `127.0.0.1 localhost\n127.0.0.1 ${taskId.slice(0, 12)}\n`);
    await writeSupplied(fileSystem, '/etc/hostname', `${taskId.slice(0, 12)}\n`);
    return fileSystem;
  }

  #addressOf(spec: TaskSpec): Address {
    if (this.#isolation.kind !== 'namespaces' || !this.#isolation.network) {
      return { host: '127.0.0.1', port: spec.containerPort };
    }
    // A socket's path may have 107 bytes (unix(7)): short names, whatever the tasks are called.
    this.#sockets += 1;
    return { socketPath: join(this.#folder, `${this.#sockets}.sock`) };
  }

  /** What close() must wait for. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    void Promise.allSettled([work]).then(() => this.#busy.delete(work));
    return work;
  }
}
