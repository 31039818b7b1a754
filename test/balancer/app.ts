/** Small applications to stand behind the balancer: real servers on 127.0.0.1. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface App {
  readonly server: Server;
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

export async function app(answer: RequestListener): Promise<App> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    server,
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
