/** The execution environments of one version: idle ones are used again, the one used last first. */
import type { ExecutionEnvironment } from './environment.ts';

export class Environments {
  readonly #create: () => ExecutionEnvironment;
  readonly #all = new Set<ExecutionEnvironment>();
  #idle: ExecutionEnvironment[] = [];
  #retired = false;

  constructor(create: () => ExecutionEnvironment) {
    this.#create = create;
  }

  /** An environment for one invocation, a new one when all are busy. */
  acquire(): ExecutionEnvironment {
    this.#idle = this.#idle.filter((environment) => !environment.ended);
    return this.#idle.pop() ?? this.#add();
  }

  /** Gives an environment back; a retired pool ends it. */
  async release(environment: ExecutionEnvironment): Promise<void> {
    if (this.#retired || environment.ended) {
      this.#all.delete(environment);
      await environment.terminate();
    } else {
      this.#idle.push(environment);
    }
  }

  /** Starts an environment ahead of the first invocation unless there is one. */
  async warm(): Promise<void> {
    const environment = this.acquire();
    try {
      await environment.started();
    } finally {
      await this.release(environment);
    }
  }

  /** No new work: idle environments end now, busy ones after their invocation. */
  async retire(): Promise<void> {
    this.#retired = true;
    const idle = this.#idle;
    this.#idle = [];
    for (const environment of idle) this.#all.delete(environment);
    await Promise.all(idle.map((environment) => environment.terminate()));
  }

  /** Ends all environments at once, also in the middle of an invocation. */
  async kill(): Promise<void> {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle = [];
    await Promise.all(all.map((environment) => environment.terminate()));
  }

  #add(): ExecutionEnvironment {
    const environment = this.#create();
    this.#all.add(environment);
    return environment;
  }
}
