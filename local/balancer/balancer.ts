/**
 * The main thread's side of the balancer: a worker thread that holds every listener of one embedded AWS, so that what
 * the main thread does never shows as latency. Each change is acknowledged once the data plane has it.
 */
import { Worker } from 'node:worker_threads';
import type {
  Ask,
  Command,
  CountReport,
  ListenerSettings,
  ProbeRequest,
  ProbeResult,
  Report,
  RoutedGroup,
  RoutingRule,
} from './protocol.ts';

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class Balancer {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #ended: Error | undefined;

  /** `onFailure` hears of a worker that died; what was asked of it is rejected as well. */
  constructor(options: { onCounts: (report: CountReport) => void; onFailure: (failure: unknown) => void }) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { execArgv: [], name: 'balancer' });
    this.#worker.on('message', (report: Report) => {
      if (report.kind === 'counted') {
        options.onCounts(report.report);
        return;
      }
      const waiting = this.#waiting.get(report.id);
      this.#waiting.delete(report.id);
      if (report.kind === 'done') waiting?.resolve(report.result);
      else waiting?.reject(new Error(report.error));
    });
    this.#worker.on('error', (error: unknown) => {
      this.#end(new Error('The balancer failed', { cause: error }));
      options.onFailure(error);
    });
    this.#worker.on('exit', () => this.#end(new Error('The balancer is closed')));
  }

  /** Opens the listener on 127.0.0.1 and answers with its port; `localPort` 0 lets the system choose. */
  async listen(
    settings: ListenerSettings,
    localPort: number,
    rules: readonly RoutingRule[],
  ): Promise<number> {
    return (await this.#ask({ kind: 'listen', settings, localPort, rules })) as number;
  }

  /** Closes the listener and cuts its connections. */
  async unlisten(listenerArn: string): Promise<void> {
    await this.#ask({ kind: 'unlisten', listenerArn });
  }

  async configure(settings: ListenerSettings): Promise<void> {
    await this.#ask({ kind: 'configure', settings });
  }

  /** Replaces the listener's rules for all requests that come from now on. */
  async route(listenerArn: string, rules: readonly RoutingRule[]): Promise<void> {
    await this.#ask({ kind: 'route', listenerArn, rules });
  }

  /** Sets a group's targets; connections to targets that are no longer among them are cut. */
  async group(group: RoutedGroup): Promise<void> {
    await this.#ask({ kind: 'group', group });
  }

  async forget(targetGroupArn: string): Promise<void> {
    await this.#ask({ kind: 'forget', targetGroupArn });
  }

  /** One health check. */
  async probe(probe: ProbeRequest): Promise<ProbeResult> {
    return (await this.#ask({ kind: 'probe', probe })) as ProbeResult;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(command: Command): Promise<unknown> {
    const ended = this.#ended;
    if (ended !== undefined) return Promise.reject(ended);
    const ask: Ask = { id: this.#asked++, command };
    return new Promise((resolve, reject) => {
      this.#waiting.set(ask.id, { resolve, reject });
      this.#worker.postMessage(ask);
    });
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#ended);
    this.#waiting.clear();
  }
}
