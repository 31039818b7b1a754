/** A `requestHandler` for SDK clients that calls the dispatcher in this process: no sockets, no real I/O. */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type HttpHandler, type HttpRequest, HttpResponse } from '@smithy/protocol-http';
import type { HttpHandlerOptions } from '@smithy/types';
import type { Dispatcher } from './dispatcher.ts';
import type { WireResponse } from './message.ts';

/** The dispatcher, or what stands between it and a caller. */
export type Answering = Pick<Dispatcher, 'handle'>;

export class InProcessHandler implements HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #dispatcher: Answering;
  readonly #endpoint: () => string;

  constructor(options: { dispatcher: Answering; endpoint: () => string }) {
    this.#dispatcher = options.dispatcher;
    this.#endpoint = options.endpoint;
  }

  async handle(request: HttpRequest, options: HttpHandlerOptions = {}): Promise<{ response: HttpResponse }> {
    const body = await readBody(request.body);
    const answer = this.#dispatcher.handle({
      method: request.method,
      path: request.path,
      query: queryString(request.query),
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      body,
      endpoint: this.#endpoint(),
    });
    const response = await abortable(answer, options.abortSignal);
    return { response: new HttpResponse({ statusCode: response.status, ...toSdk(response) }) };
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): Record<string, never> {
    return {};
  }

  destroy(): void {}
}

function toSdk(response: WireResponse): { headers: Record<string, string>; body: Uint8Array | Readable } {
  const bytes = typeof response.body === 'string' ? Buffer.from(response.body) : response.body;
  const headers = { 'content-length': String(bytes.byteLength), ...response.headers };
  return { headers, body: response.streaming ? Readable.from([bytes]) : bytes };
}

async function readBody(body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return new Uint8Array();
  // A plain view of the bytes: the SDK dresses its own up with string methods that warn.
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Readable) return buffer(body);
  throw new TypeError(
    `a request body of this kind cannot be sent in process: ${Object.prototype.toString.call(body)}`,
  );
}

function queryString(query: HttpRequest['query']): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) params.append(key, each);
  }
  return params.toString();
}

type Signal = NonNullable<HttpHandlerOptions['abortSignal']>;

/** The answer, or the SDK's `AbortError` if the caller gives up first; the call then goes on unheard, as on the wire. */
async function abortable<T>(answer: Promise<T>, signal: Signal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(Object.assign(new Error('Request aborted'), { name: 'AbortError' }));
  };
  if (signal.aborted) abort();
  else if (signal instanceof AbortSignal) signal.addEventListener('abort', abort, { once: true });
  else signal.onabort = abort;
  try {
    return await Promise.race([answer, aborted.promise]);
  } finally {
    if (signal instanceof AbortSignal) signal.removeEventListener('abort', abort);
  }
}
