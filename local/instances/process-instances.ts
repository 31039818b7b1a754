/**
 * EC2 instances as processes of this machine: each runs its user data as cloud-init would at the first boot, with stand-ins for
 * what is not on any Linux, and what it starts with `docker run` are containers like those of ECS tasks. What a script may use is
 * in `tools.ts` and `commands.ts`. Left out: other formats of user data than shell scripts, reboots, and the permissions of
 * the instance's role.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { ImageStore } from '../registry/image-store.ts';
import type { InstanceSpec, Instances, RunningInstance } from '../services/autoscaling/instances.ts';
import { removeTree } from '../tasks/remove-tree.ts';
import type { TaskRunner } from '../tasks/task.ts';
import { commandNames } from './commands.ts';
import type { LogGroups } from './docker.ts';
import { Instance } from './instance.ts';
import { type Confinement, probeConfinement } from './machine.ts';
import { installTools, type Tools } from './tools.ts';

export interface ProcessInstancesOptions {
  readonly clock: Clock;
  /** Runs their containers. */
  readonly tasks: TaskRunner;
  readonly onFailure: (failure: unknown) => void;
  /** Default: 20 s, until the user data of Amazon Linux is run; assumed. */
  readonly bootMs?: number;
  /** Default: ten minutes of the clock. */
  readonly scriptLimitMs?: number;
  /** Instead of the best that this machine allows. */
  readonly confinement?: Confinement;
}

/** What a Region has for its instances. */
export interface RegionParts {
  readonly images: ImageStore;
  readonly logs: LogGroups;
}

interface Ground {
  readonly folder: string;
  readonly confinement: Confinement;
  readonly tools: Tools;
}

export class ProcessInstances {
  readonly #options: ProcessInstancesOptions;
  readonly #instances = new Set<Instance>();
  #ground: Promise<Ground> | undefined;
  #sockets = 0;
  #closed = false;

  constructor(options: ProcessInstancesOptions) {
    this.#options = options;
  }

  /** For a Region, from whose registry they pull and to whose log groups their containers write. */
  in(parts: RegionParts): Instances {
    return { launch: (spec, onExit) => this.#launch({ spec, onExit }, parts) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Why it could not be laid, who launched was told.
    const ground = await this.#ground?.catch(() => undefined);
    await Promise.all([...this.#instances].map((instance) => instance.close()));
    if (ground !== undefined) await removeTree(ground.folder);
  }

  async #launch(
    { spec, onExit }: { readonly spec: InstanceSpec; readonly onExit: () => void },
    parts: RegionParts,
  ): Promise<RunningInstance> {
    const { clock, bootMs = 20_000, scriptLimitMs = 600_000 } = this.#options;
    // With the first instance: who launches none needs no bash.
    this.#ground ??= clock.busy(() => layGround(this.#options.confinement));
    const ground = await this.#ground;
    if (this.#closed) throw new Error('Nothing is launched any more: the embedded AWS is closed.');
    const socketPath = (): string => {
      this.#sockets += 1;
      return join(ground.folder, `${this.#sockets}.sock`);
    };
    const instance = new Instance(
      { ...this.#options, ...parts, ...ground, bootMs, scriptLimitMs, socketPath },
      { spec, onExit, folder: join(ground.folder, spec.id) },
    );
    this.#instances.add(instance);
    return {
      address: (port) => instance.address(port),
      console: () => instance.console(),
      terminate: async () => {
        await instance.terminate();
        this.#instances.delete(instance);
      },
    };
  }
}

/** A temporary folder for all of them, and in it what they share. */
async function layGround(given: Confinement | undefined): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'cutover-ec2-'));
  try {
    const confinement = given ?? (await probeConfinement(join(folder, 'probe')));
    return {
      folder,
      confinement,
      tools: await installTools(join(folder, 'tools'), commandNames, confinement),
    };
  } catch (failure) {
    await removeTree(folder);
    throw failure;
  }
}
