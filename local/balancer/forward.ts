/**
 * One request on its way to a target and the answer on its way back, streamed both ways.
 *
 * What ALB promises about failures: no connection, or one that ends before an answer, is a 502; no answer in time a
 * 504; nothing is sent a second time to another target. One case is sent again, to the same target on a new connection:
 * a request that may be repeated (idempotent, without a body) went out on a kept-alive connection that the target was
 * just closing, and not a byte came back.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Dispatcher } from 'undici';
import { refuse } from './answers.ts';
import type { Counters } from './counters.ts';
import { towardsClient, towardsTarget } from './headers.ts';
import type { ListenerSettings } from './protocol.ts';
import type { Carried, Carrier, TargetConnections } from './target-connections.ts';

/** RFC 9110, 9.2.2. */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export interface Route {
  readonly listener: ListenerSettings;
  readonly targetGroupArn: string;
  readonly target: TargetConnections;
  readonly counters: Counters;
  /** `Set-Cookie` headers for the client. */
  readonly cookies: readonly string[];
}

export function forward(request: IncomingMessage, response: ServerResponse, route: Route): void {
  new Exchange(request, response, route).begin();
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #route: Route;
  readonly #carried: Carried;
  #controller: Dispatcher.DispatchController | undefined;
  #carrier: Carrier = { proven: false };
  #retried = false;
  #bodyBegun = false;
  #clientGone = false;
  #over = false;
  #sentAt = 0;

  constructor(request: IncomingMessage, response: ServerResponse, route: Route) {
    this.#request = request;
    this.#response = response;
    this.#route = route;
    this.#carried = {
      path: request.url ?? '/',
      method: request.method ?? 'GET',
      headers: towardsTarget(request, route.listener),
      body: hasBody(request) ? detached(request) : null,
      headersTimeout: route.listener.idleTimeoutMs,
      bodyTimeout: route.listener.idleTimeoutMs,
      onCarrier: (carrier) => {
        this.#carrier = carrier;
      },
    };
  }

  begin(): void {
    const { target, listener, targetGroupArn, counters } = this.#route;
    counters.target(listener.loadBalancerArn, targetGroupArn, 'RequestCount');
    target.inFlight += 1;
    this.#response.on('drain', () => this.#controller?.resume());
    this.#response.on('close', () => this.#onClientClosed());
    target.dispatch(this.#carried, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#sentAt = performance.now();
    if (this.#clientGone) controller.abort(new Error('The client is gone'));
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (status < 200) return;
    const { listener, targetGroupArn, counters, cookies } = this.#route;
    const seconds = (performance.now() - this.#sentAt) / 1000;
    counters.answered(listener.loadBalancerArn, targetGroupArn, status, seconds);
    const headers = towardsClient((controller.rawHeaders ?? []) as (Buffer | string)[]);
    for (const cookie of cookies) headers.push('Set-Cookie', cookie);
    this.#response.writeHead(status, statusText ?? '', headers);
    // With the body's first bytes if they are here already, else at once: a stream's headers must not wait for it.
    setImmediate(() => {
      if (!this.#bodyBegun && !this.#over) this.#response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBegun = true;
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#carrier.proven = true;
    this.#finish();
    this.#response.end();
  }

  onResponseError(_controller: unknown, error: Error & { code?: string }): void {
    if (this.#mayRepeat(error)) {
      this.#retried = true;
      this.#controller = undefined;
      this.#route.target.dispatchAlone(this.#carried, this);
      return;
    }
    this.#finish();
    if (this.#clientGone) return;
    if (this.#response.headersSent) {
      // The answer cannot be mended: the client must see that it is not whole.
      this.#response.destroy();
      return;
    }
    const { listener, targetGroupArn, counters } = this.#route;
    const status = statusOf(error);
    if (this.#controller === undefined && status !== 400) {
      counters.target(listener.loadBalancerArn, targetGroupArn, 'TargetConnectionErrorCount');
    }
    counters.made(listener.loadBalancerArn, status);
    refuse(this.#request, this.#response, status);
  }

  #mayRepeat(error: { code?: string }): boolean {
    return (
      this.#carrier.proven &&
      !this.#retried &&
      !this.#clientGone &&
      !this.#response.headersSent &&
      this.#carried.body === null &&
      idempotent.has(this.#carried.method) &&
      (error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET' || error.code === 'EPIPE')
    );
  }

  #onClientClosed(): void {
    if (this.#over) return;
    this.#clientGone = true;
    // ELB guide: 460, the client closed the connection before the load balancer could answer.
    if (!this.#response.headersSent) this.#route.counters.made(this.#route.listener.loadBalancerArn, 460);
    this.#controller?.abort(new Error('The client is gone'));
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#route.target.inFlight -= 1;
  }
}

/** The body as a stream of its own: what happens to the target's connection must not reach the client's. */
function detached(request: IncomingMessage): PassThrough {
  const body = new PassThrough();
  // undici destroys the body of a request that failed; why, it tells the handler.
  body.on('error', () => {});
  return request.pipe(body);
}

function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function statusOf(error: { code?: string }): number {
  switch (error.code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'UND_ERR_HEADERS_TIMEOUT':
      return 504;
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      // The request cannot be passed on, whatever the target.
      return 400;
    case undefined:
    default:
      return 502;
  }
}
