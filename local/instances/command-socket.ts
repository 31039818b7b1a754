/** Where the stand-ins of one instance bring what they are asked, one question a connection. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Asked, Outcome } from './command.ts';

export class CommandSocket {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(answer: (asked: Asked) => Promise<Outcome>, onFailure: (failure: unknown) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // Whoever asked was killed meanwhile.
      socket.on('error', () => socket.destroy());
      let text = '';
      socket.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        if (!text.endsWith('\n')) return;
        answer(JSON.parse(text) as Asked)
          .then((outcome) => socket.end(JSON.stringify(outcome)))
          .catch((failure: unknown) => {
            socket.destroy();
            onFailure(failure);
          });
      });
    });
  }

  static async listen(
    path: string,
    answer: (asked: Asked) => Promise<Outcome>,
    onFailure: (failure: unknown) => void,
  ): Promise<CommandSocket> {
    const socket = new CommandSocket(answer, onFailure);
    socket.#server.listen(path);
    await once(socket.#server, 'listening');
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
