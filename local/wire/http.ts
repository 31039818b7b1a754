/** The embedded AWS's HTTP port: one for all services, and for what else must share it (the image registry). */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { credentialScope } from './credential.ts';
import type { Dispatcher } from './dispatcher.ts';
import { ConnectionLost, type WireRequest } from './message.ts';

export interface ListenOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Answers requests that are not meant for an AWS API; without it they are answered as unsigned. */
  readonly fallback?: RequestListener;
  readonly onFailure: (failure: unknown) => void;
}

export interface Listener {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Rejects with the system's own error (`code: 'EADDRINUSE'`) when the port cannot be had. */
export async function listen(dispatcher: Dispatcher, options: ListenOptions): Promise<Listener> {
  const server = createServer();
  // SDKs keep connections open and would send into one that is just being closed for idleness.
  server.keepAliveTimeout = 0;
  // A held call (a breakpoint, a long poll) may stay open for as long as its test wants.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', (request, response) => {
    if (options.fallback !== undefined && !isMeantForAws(request)) {
      options.fallback(request, response);
      return;
    }
    serve(dispatcher, endpoint, request, response).catch(options.onFailure);
  });
  return { endpoint, close: () => close(server) };
}

function isMeantForAws(request: IncomingMessage): boolean {
  const { headers, method } = request;
  const { path, query } = splitUrl(request);
  return (
    credentialScope({ headers: singleValued(request), query }) !== undefined ||
    headers['x-amz-target'] !== undefined ||
    (method === 'POST' &&
      path === '/' &&
      headers['content-type']?.startsWith('application/x-www-form') === true)
  );
}

async function serve(
  dispatcher: Dispatcher,
  endpoint: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const body = await readBody(incoming);
  // The caller hung up in the middle of its request: there is nobody to answer, and nothing has happened.
  if (body === undefined) return;
  const request: WireRequest = {
    method: incoming.method ?? 'GET',
    ...splitUrl(incoming),
    headers: singleValued(incoming),
    body,
    endpoint,
  };
  try {
    const response = await dispatcher.handle(request);
    const bytes = typeof response.body === 'string' ? Buffer.from(response.body) : response.body;
    // S3 answers HEAD with the length of what GET would give.
    const length = response.headers['content-length'] ?? String(bytes.byteLength);
    outgoing.writeHead(response.status, { ...response.headers, 'content-length': length });
    outgoing.end(incoming.method === 'HEAD' ? undefined : bytes);
  } catch (failure) {
    incoming.socket.destroy();
    if (!(failure instanceof ConnectionLost)) throw failure;
  }
}

async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch (failure) {
    if (incoming.destroyed) return undefined;
    throw failure;
  }
  return Buffer.concat(chunks);
}

function splitUrl(request: IncomingMessage): { path: string; query: string } {
  const url = request.url ?? '/';
  const at = url.indexOf('?');
  return at === -1 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

function singleValued(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    server.close((failure) => (failure === undefined ? resolve() : reject(failure)));
  });
  server.closeAllConnections();
  await closed;
}
