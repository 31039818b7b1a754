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
import { Instance, type InstancePlatform } from './instance.ts';
import { type Confinement, probeConfinement } from './machine.ts';
import { installTools } from './tools.ts';

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

export interface AccountServices {
  readonly images: ImageStore;
  readonly logs: LogGroups;
}

/** With a temporary folder of its own. */
export async function createProcessInstances(options: ProcessInstancesOptions): Promise<ProcessInstances> {
  const folder = await mkdtemp(join(tmpdir(), 'cutover-ec2-'));
  try {
    const confinement = options.confinement ?? (await probeConfinement(join(folder, 'probe')));
    const tools = await installTools(join(folder, 'tools'), commandNames, confinement);
    return new ProcessInstances(folder, {
      bootMs: 20_000,
      scriptLimitMs: 600_000,
      ...options,
      confinement,
      tools,
    });
  } catch (failure) {
    await removeTree(folder);
    throw failure;
  }
}

export class ProcessInstances {
  readonly #folder: string;
  readonly #platform: Omit<InstancePlatform, 'images' | 'logs' | 'socketPath'>;
  readonly #instances = new Set<Instance>();
  #sockets = 0;
  #closed = false;

  constructor(folder: string, platform: Omit<InstancePlatform, 'images' | 'logs' | 'socketPath'>) {
    this.#folder = folder;
    this.#platform = platform;
  }

  /** For a Region, from whose registry they pull and to whose log groups their containers write. */
  in(services: AccountServices): Instances {
    return { launch: async (spec, onExit) => this.#launch({ spec, onExit }, services) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#instances].map((instance) => instance.close()));
    await removeTree(this.#folder);
  }

  #launch(
    { spec, onExit }: { readonly spec: InstanceSpec; readonly onExit: () => void },
    services: AccountServices,
  ): RunningInstance {
    if (this.#closed) throw new Error('Nothing is launched any more: the embedded AWS is closed.');
    const socketPath = (): string => {
      this.#sockets += 1;
      return join(this.#folder, `${this.#sockets}.sock`);
    };
    const platform = { ...this.#platform, ...services, socketPath };
    const instance = new Instance(platform, { spec, onExit, folder: join(this.#folder, spec.id) });
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
