/** The machine's own ports, for tasks that have no network of their own: one task a port. */
import { once } from 'node:events';
import { createServer } from 'node:net';

export class HostPorts {
  readonly #holders = new Map<number, string>();

  /** Takes the port for a task; rejects with what to do when it cannot be had. The returned function gives it back. */
  async claim(port: number, taskId: string): Promise<() => void> {
    const holder = this.#holders.get(port);
    if (holder !== undefined) throw taken(port, `task ${holder} listens on it`);
    this.#holders.set(port, taskId);
    const release = (): void => {
      this.#holders.delete(port);
    };
    try {
      const trial = createServer().listen(port, '127.0.0.1');
      await once(trial, 'listening');
      trial.close();
      await once(trial, 'close');
    } catch (error) {
      release();
      throw taken(port, error instanceof Error ? error.message : String(error));
    }
    return release;
  }
}

function taken(port: number, reason: string): Error {
  return new Error(
    `CannotStartContainerError: port ${port} of this machine cannot be used: ${reason}. Tasks share this machine's ` +
      'network here, because it allows no network namespaces. Run as root or allow user namespaces, so that each ' +
      'task has a network of its own, or give each task definition another container port.',
  );
}
