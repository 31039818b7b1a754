/** Instances without machines: they run until they are terminated or told to end, and are where they are said to be. */
import type { Address } from '../../tasks/task.ts';
import type { InstanceSpec, Instances, RunningInstance } from './instances.ts';

export interface ModelledInstancesOptions {
  /** Where an instance's port leads; default: to its private address, where nobody is. */
  readonly address?: (spec: InstanceSpec, port: number) => Address;
  /** What it has written to its console. */
  readonly console?: (spec: InstanceSpec) => string;
  /** Why EC2 does not launch it, such as `noCapacity`. */
  readonly refusal?: (spec: InstanceSpec) => Error | undefined;
}

export class ModelledInstances implements Instances {
  readonly #options: ModelledInstancesOptions;
  readonly #running = new Map<string, { spec: InstanceSpec; onExit: () => void }>();

  constructor(options: ModelledInstancesOptions = {}) {
    this.#options = options;
  }

  async launch(spec: InstanceSpec, onExit: () => void): Promise<RunningInstance> {
    const refusal = this.#options.refusal?.(spec);
    if (refusal !== undefined) throw refusal;
    this.#running.set(spec.id, { spec, onExit });
    const { console: written } = this.#options;
    return {
      ...(written === undefined ? {} : { console: () => written(spec) }),
      address: (port) => this.#options.address?.(spec, port) ?? { host: spec.privateIp, port },
      terminate: async () => void this.#running.delete(spec.id),
    };
  }

  running(): InstanceSpec[] {
    return [...this.#running.values()].map(({ spec }) => spec);
  }

  /** As if somebody terminated it behind the group's back. */
  exit(id: string): void {
    const instance = this.#running.get(id);
    this.#running.delete(id);
    instance?.onExit();
  }
}
