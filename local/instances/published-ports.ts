/**
 * The ports of one instance. Each is a socket by a name that stays while containers behind it come and go, so a load balancer
 * may know it before anybody listens.
 */
import { once } from 'node:events';
import { rm, symlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../tasks/task.ts';

export class PublishedPorts {
  readonly #socketPath: () => string;
  readonly #paths = new Map<number, string>();
  readonly #passing = new Map<number, { readonly server: Server; readonly sockets: Set<Socket> }>();

  /** `socketPath`: makes a new name; a socket's path may have 107 bytes (unix(7)). */
  constructor(socketPath: () => string) {
    this.#socketPath = socketPath;
  }

  address(port: number): { readonly socketPath: string } {
    const socketPath = this.#paths.get(port) ?? this.#socketPath();
    this.#paths.set(port, socketPath);
    return { socketPath };
  }

  /** From now on the port leads there. */
  async lead(port: number, to: Address): Promise<void> {
    const { socketPath } = this.address(port);
    await this.close(port);
    if ('socketPath' in to) await symlink(to.socketPath, socketPath);
    else await this.#pass(port, socketPath, to);
  }

  /** Nobody listens any more. */
  async close(port: number): Promise<void> {
    const passing = this.#passing.get(port);
    this.#passing.delete(port);
    for (const socket of passing?.sockets ?? []) socket.destroy();
    if (passing !== undefined) {
      passing.server.close();
      await once(passing.server, 'close');
    }
    await rm(this.address(port).socketPath, { force: true });
  }

  async closeAll(): Promise<void> {
    for (const port of this.#paths.keys()) await this.close(port);
  }

  /** A container that shares this machine's network has no socket that a name could stand for. */
  async #pass(port: number, socketPath: string, to: { host: string; port: number }): Promise<void> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const container = connect({ ...to, allowHalfOpen: true });
      client.pipe(container).pipe(client);
      const drop = (): void => {
        client.destroy();
        container.destroy();
      };
      for (const socket of [client, container]) {
        sockets.add(socket);
        socket.on('error', drop).on('close', () => sockets.delete(socket));
      }
    });
    server.listen(socketPath);
    await once(server, 'listening');
    this.#passing.set(port, { server, sockets });
  }
}
