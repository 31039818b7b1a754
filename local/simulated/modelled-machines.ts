/**
 * Instances of Auto Scaling groups without machines. What one runs is the image that its user data names by digest, or else its
 * AMI, as the behaviour of that says; a container that ends is started again, as `--restart always` has it.
 */
import type { Clock } from '../clock.ts';
import type { InstanceSpec, Instances, RunningInstance } from '../services/autoscaling/instances.ts';
import type { RunningTask } from '../tasks/task.ts';
import type { BehaviourOf } from './behaviour.ts';
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
  readonly behaviourOf: BehaviourOf;
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
    const digest = imageOf(spec);
    const { clock } = this.#options;
    let container: RunningTask | undefined;
    let ended = false;
    const run = async (): Promise<void> => {
      if (ended) return;
      const started = await this.#start(spec, digest);
      container = started;
      void started.exited.then(() => {
        if (!ended) clock.after(restartMs, () => void run());
      });
    };
    clock.after(bootMs + this.#options.behaviourOf(digest).pullMs, () => void run());
    return {
      address: () => ({ socketPath: spec.id }),
      terminate: async () => {
        ended = true;
        await container?.stop(stopMs);
      },
    };
  }

  #start({ id }: InstanceSpec, digest: string): Promise<RunningTask> {
    return this.#options.tasks.start({
      id,
      image: { repository: '', digest, config: {}, layers: [] },
      environment: {},
      containerPort: 0,
      onLog: () => undefined,
    });
  }
}

function imageOf({ userData = '', imageId = '' }: InstanceSpec): string {
  const text = Buffer.from(userData, 'base64').toString('latin1');
  return /@(sha256:[0-9a-f]{64})/.exec(text)?.[1] ?? imageId;
}
