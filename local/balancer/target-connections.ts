/**
 * The connections from the balancer to one target: a pool that is kept alive, and what is in flight on them. Closing
 * cuts them all, as happens when a deregistration delay is over.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { Client, type Dispatcher, Pool } from 'undici';
import type { Address } from '../tasks/task.ts';
import type { RoutedTarget } from './protocol.ts';

/** How long the balancer waits for a connection to a target (ELB guide, HTTP 504: "within the 10 second limit"). */
const connectTimeoutMs = 10_000;

/** ALB's limit on a single header is 16 K, on all headers of a request 64 K; answers are given as much. */
const maxHeaderSize = 65_536;

/** ALB's default idle timeout: a target that closes idle connections sooner says so by `Keep-Alive`, or may be too late. */
const idleTimeoutMs = 60_000;

/** What carries a request. */
export interface Carrier {
  /** Whether the connection, as it is open now, has brought an answer: set by who got one. */
  proven: boolean;
}

/** A request as the pool carries it; it hears which connection takes it. */
export interface Carried extends Dispatcher.DispatchOptions {
  onCarrier(carrier: Carrier): void;
}

/** One connection of the pool. It opens anew when it was closed, and then is unproven again. */
class Connection extends Client implements Carrier {
  proven = false;

  constructor(origin: string | URL, options: Client.Options) {
    super(origin, options);
    this.on('connect', () => {
      this.proven = false;
    });
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    (options as Carried).onCarrier(this);
    return super.dispatch(options, handler);
  }
}

export class TargetConnections {
  readonly key: string;
  readonly address: Address;
  state: RoutedTarget['state'];
  /** Requests that have not been answered to the end. */
  inFlight = 0;
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #pool: Pool;
  /** Connections outside the pool: of retried requests and of upgrades. */
  readonly #single = new Set<Client>();
  readonly #sockets = new Set<Socket>();

  constructor(target: RoutedTarget) {
    this.key = target.key;
    this.address = target.address;
    this.state = target.state;
    const socketPath = 'socketPath' in target.address ? target.address.socketPath : undefined;
    this.#origin =
      'socketPath' in target.address
        ? 'http://target'
        : `http://${target.address.host}:${target.address.port}`;
    this.#options = {
      connect: { timeout: connectTimeoutMs, ...(socketPath === undefined ? {} : { socketPath }) },
      pipelining: 1,
      keepAliveTimeout: idleTimeoutMs,
      maxHeaderSize,
    };
    this.#pool = new Pool(this.#origin, {
      ...this.#options,
      factory: (origin, options) => new Connection(origin, options as Client.Options),
    });
  }

  dispatch(carried: Carried, handler: Dispatcher.DispatchHandler): void {
    this.#pool.dispatch(carried, handler);
  }

  /** The same on a new connection that serves nothing else. */
  dispatchAlone(carried: Carried, handler: Dispatcher.DispatchHandler): void {
    const client = new Client(this.#origin, this.#options);
    this.#single.add(client);
    carried.onCarrier({ proven: false });
    client.dispatch({ ...carried, reset: true }, handler);
    // Resolves when the request is over; it ends with an error only if destroyed first, which is what was wanted.
    void client.close().finally(() => this.#single.delete(client));
  }

  /** A bare connection, for an upgrade. */
  connect(): Socket {
    const socket =
      'socketPath' in this.address
        ? connect({ path: this.address.socketPath })
        : connect({ host: this.address.host, port: this.address.port });
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([this.#pool.destroy(), ...[...this.#single].map((client) => client.destroy())]);
  }
}
