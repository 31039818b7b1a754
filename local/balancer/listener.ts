/** One listener: its server on 127.0.0.1, and for each request the rule, the action, the group and the target. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import { answerFixed, answerRedirect, rawRefusal, refuse } from './answers.ts';
import type { Counters } from './counters.ts';
import { forward, type Route } from './forward.ts';
import type { ListenerSettings, RoutingRule } from './protocol.ts';
import { type Asked, asked, compile, type Matches } from './rule-matching.ts';
import { bind, boundGroup } from './stickiness.ts';
import { byWeight, type TargetGroup } from './target-selection.ts';
import { tunnel } from './upgrade.ts';

/** ELB guide, quotas: the whole of a request's headers. */
const maxHeaderSize = 65_536;

interface CompiledRule {
  readonly matches: Matches;
  readonly action: Action;
}

export class Listener {
  readonly #server: Server;
  readonly #groups: ReadonlyMap<string, TargetGroup>;
  readonly #counters: Counters;
  /** Open client connections with the bytes of each that are already counted. */
  readonly #sockets = new Map<Socket, number>();
  #settings: ListenerSettings;
  #rules: readonly CompiledRule[] = [];

  constructor(options: {
    settings: ListenerSettings;
    rules: readonly RoutingRule[];
    groups: ReadonlyMap<string, TargetGroup>;
    counters: Counters;
  }) {
    this.#settings = options.settings;
    this.#groups = options.groups;
    this.#counters = options.counters;
    this.route(options.rules);
    this.#server = createServer({
      maxHeaderSize,
      requestTimeout: 0,
      // Other upgrades (h2c) are left out on the way to the target, and the request goes on as it is.
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.configure(options.settings);
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => {
      if (!socket.writable) return;
      this.#counters.made(this.#settings.loadBalancerArn, 400);
      socket.end(rawRefusal(400));
    });
  }

  get settings(): ListenerSettings {
    return this.#settings;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  configure(settings: ListenerSettings): void {
    this.#settings = settings;
    this.#server.keepAliveTimeout = settings.idleTimeoutMs;
    this.#server.headersTimeout = settings.idleTimeoutMs;
  }

  route(rules: readonly RoutingRule[]): void {
    const last = Number.POSITIVE_INFINITY;
    this.#rules = [...rules]
      .sort((one, other) => (one.priority ?? last) - (other.priority ?? last))
      .map((rule) => ({ matches: compile(rule.conditions), action: lastAction(rule.actions) }));
  }

  /** Counts the bytes that went over open connections since the last call. */
  countBytes(): void {
    for (const socket of this.#sockets.keys()) this.#countBytesOf(socket);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets.keys()) socket.destroy();
    });
  }

  #onConnection(socket: Socket): void {
    this.#sockets.set(socket, 0);
    this.#counters.balancer(this.#settings.loadBalancerArn, 'NewConnectionCount');
    socket.on('close', () => {
      this.#countBytesOf(socket);
      this.#sockets.delete(socket);
    });
  }

  #countBytesOf(socket: Socket): void {
    const total = socket.bytesRead + socket.bytesWritten;
    const fresh = total - (this.#sockets.get(socket) ?? 0);
    if (fresh === 0) return;
    this.#sockets.set(socket, total);
    this.#counters.balancer(this.#settings.loadBalancerArn, 'ProcessedBytes', fresh);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const question = asked(request);
    const chosen = this.#choose(request, question);
    if (typeof chosen === 'number') {
      this.#counters.made(this.#settings.loadBalancerArn, chosen);
      refuse(request, response, chosen);
      return;
    }
    if ('target' in chosen) {
      forward(request, response, chosen);
      return;
    }
    request.resume();
    this.#counters.made(this.#settings.loadBalancerArn, this.#answer(chosen, question, request, response));
  }

  #answer(action: Action, question: Asked, request: IncomingMessage, response: ServerResponse): number {
    if (action.RedirectConfig !== undefined) {
      this.#counters.balancer(this.#settings.loadBalancerArn, 'HTTP_Redirect_Count');
      const port = request.socket.localPort ?? this.#settings.port;
      return answerRedirect(response, action.RedirectConfig, question, {
        protocol: this.#settings.protocol,
        port,
      });
    }
    this.#counters.balancer(this.#settings.loadBalancerArn, 'HTTP_Fixed_Response_Count');
    return answerFixed(response, action.FixedResponseConfig ?? { StatusCode: '503' });
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const chosen = this.#choose(request, asked(request));
    if (typeof chosen === 'object' && 'target' in chosen) {
      tunnel(request, socket, head, chosen);
      return;
    }
    // An action without a target has no one to speak the new protocol with.
    const status = typeof chosen === 'number' ? chosen : 400;
    this.#counters.made(this.#settings.loadBalancerArn, status);
    socket.end(rawRefusal(status));
  }

  /** Where the request goes, the action that the balancer answers itself, or the status that it refuses with. */
  #choose(request: IncomingMessage, question: Asked): Route | Action | number {
    const action = this.#rules.find((rule) => rule.matches(question))?.action;
    if (action === undefined) return 503;
    switch (action.Type) {
      case 'forward':
        break;
      case 'fixed-response':
      case 'redirect':
        return action;
      case 'authenticate-cognito':
      case 'authenticate-oidc':
      case 'jwt-validation':
      case undefined:
        // There is no identity provider here. 561: the load balancer got an error from it.
        return 561;
    }
    const config = action.ForwardConfig ?? {};
    const bound = boundGroup(request.headers.cookie, config, Date.now());
    const targetGroupArn = bound ?? byWeight(config.TargetGroups ?? [], Math.random());
    const target = targetGroupArn === undefined ? undefined : this.#groups.get(targetGroupArn)?.next();
    // ELB guide, HTTP 503: the target groups have no registered targets. Weights that are all zero are not documented.
    if (targetGroupArn === undefined || target === undefined) return 503;
    return {
      listener: this.#settings,
      targetGroupArn,
      target,
      counters: this.#counters,
      cookies: bind(targetGroupArn, config, Date.now()),
    };
  }
}

/** Authentication comes before the action that answers; without an identity provider it is where the request ends. */
function lastAction(actions: readonly Action[]): Action {
  const answering = new Set(['forward', 'fixed-response', 'redirect']);
  const action = actions.find((one) => !answering.has(one.Type ?? '')) ?? actions[0];
  if (action === undefined) throw new Error('A rule has no action');
  return action;
}
