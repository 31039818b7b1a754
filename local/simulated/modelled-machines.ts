/**
 * Instances of Auto Scaling groups without machines. What one runs is the image that its user data names by digest, or else its
 * AMI, as the behaviour of that says; a container that ends is started again, as `--restart always` has it.
 */
import type { Clock } from '../clock.ts';
import type { ImageStore, PulledImage } from '../registry/image-store.ts';
import type { InstanceSpec, Instances, RunningInstance } from '../services/autoscaling/instances.ts';
import type { RunningTask } from '../tasks/task.ts';
import type { ModelledTasks } from './modelled-tasks.ts';

/** From `running` until user data starts its container: the system's boot, and Docker's installation. Assumed. */
const bootMs = 15_000;
/** Docker's first delay before it starts a container again; its growth is left out. */
const restartMs = 1_000;
/** Docker's default: https://docs.docker.com/reference/cli/docker/container/stop/ */
const stopMs = 10_000;

export interface ModelledMachinesOptions {
  readonly clock: Clock;
  readonly tasks: ModelledTasks;
  readonly images: () => ImageStore;
  /** Why EC2 has no room for an instance now; undefined when it has. */
  readonly refusal?: (() => string | undefined) | undefined;
}

export class ModelledMachines implements Instances {
  readonly #options: ModelledMachinesOptions;

  constructor(options: ModelledMachinesOptions) {
    this.#options = options;
  }

  async launch(spec: InstanceSpec): Promise<RunningInstance> {
    const refusal = this.#options.refusal?.();
    if (refusal !== undefined) throw new Error(refusal);
    const { clock } = this.#options;
    let container: RunningTask | undefined;
    let ended = false;
    const run = async (image: PulledImage): Promise<void> => {
      if (ended) return;
      const started = await this.#start(spec, image);
      container = started;
      void started.exited.then(() => {
        if (!ended) clock.after(restartMs, () => void run(image));
      });
    };
    clock.after(bootMs, async () => {
      const image = await this.#imageOf(spec);
      if (image !== undefined) await run(image);
    });
    return {
      address: () => ({ socketPath: spec.id }),
      terminate: async () => {
        ended = true;
        await container?.stop(stopMs);
      },
    };
  }

  /** Undefined when the registry does not have it: the script ends there, and the instance runs nothing. */
  async #imageOf({ userData = '', imageId = '' }: InstanceSpec): Promise<PulledImage | undefined> {
    const text = Buffer.from(userData, 'base64').toString('latin1');
    const uri = /[^\s'"]+@sha256:[0-9a-f]{64}/.exec(text)?.[0];
    if (uri === undefined) return { repository: '', digest: imageId, config: {}, layers: [] };
    try {
      return await this.#options.images().pull(uri);
    } catch {
      return undefined;
    }
  }

  #start({ id }: InstanceSpec, image: PulledImage): Promise<RunningTask> {
    return this.#options.tasks.start({
      id,
      image,
      environment: {},
      containerPort: 0,
      onLog: () => undefined,
    });
  }
}
