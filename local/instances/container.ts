/** One container of an instance's Docker: a process from a pulled image, started again as its policy says. */
import type { Clock, Timer } from '../clock.ts';
import type { PulledImage } from '../registry/image-store.ts';
import { follow } from '../services/ecs/platform.ts';
import type { RunningTask, TaskRunner, TaskSpec } from '../tasks/task.ts';
import type { PublishedPorts } from './published-ports.ts';
import { type RestartPolicy, Restarts } from './restart-policy.ts';

/** Docker's own, between SIGTERM and SIGKILL (https://docs.docker.com/reference/cli/docker/container/stop/). */
export const defaultStopTimeoutMs = 10_000;
/** Of what a container wrote, for `docker logs`. */
const mostLines = 1_000;

export interface ContainerSettings {
  readonly id: string;
  readonly name: string;
  readonly image: PulledImage;
  readonly task: Pick<TaskSpec, 'environment' | 'entryPoint' | 'command' | 'workingDirectory' | 'user'>;
  readonly published: { readonly host: number; readonly container: number } | undefined;
  readonly restart: RestartPolicy;
  readonly stopTimeoutMs: number;
  /** Its log driver. */
  readonly onLog: (line: string) => void;
}

export interface ContainerPlatform {
  readonly clock: Clock;
  readonly tasks: TaskRunner;
  readonly ports: PublishedPorts;
}

export class Container {
  readonly settings: ContainerSettings;
  readonly lines: string[] = [];
  /** Its first end for good. */
  readonly ended: Promise<{ readonly exitCode: number }>;
  readonly #platform: ContainerPlatform;
  readonly #restarts: Restarts;
  readonly #onEnd: (exit: { exitCode: number }) => void;
  #running: RunningTask | undefined;
  #starting: Promise<void> | undefined;
  #again: Timer | undefined;
  #stopped = false;
  #isUp = true;

  constructor(platform: ContainerPlatform, settings: ContainerSettings) {
    const { promise, resolve } = Promise.withResolvers<{ exitCode: number }>();
    this.settings = settings;
    this.ended = promise;
    this.#onEnd = resolve;
    this.#platform = platform;
    this.#restarts = new Restarts(settings.restart);
  }

  /** Runs, or is about to again. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Rejects with why it cannot be started. */
  async start(): Promise<void> {
    this.#starting = this.#start();
    try {
      await this.#starting;
    } finally {
      this.#starting = undefined;
    }
  }

  /** SIGTERM, then SIGKILL; it is not started again. Resolves when it has ended. */
  async stop(timeoutMs = this.settings.stopTimeoutMs): Promise<void> {
    this.#stopped = true;
    this.#again?.cancel();
    // Why it could not be started, who started it is told.
    await this.#starting?.catch(() => undefined);
    if (this.#running === undefined) this.#end(137);
    else await this.#running.stop(timeoutMs);
    await this.ended;
  }

  async #start(): Promise<void> {
    const { clock, tasks, ports } = this.#platform;
    const { id, image, task, published } = this.settings;
    const startedAt = clock.now();
    const running = await tasks.start({
      ...task,
      id,
      image,
      containerPort: published?.container ?? 0,
      onLog: (line) => {
        this.lines.push(line);
        if (this.lines.length > mostLines) this.lines.shift();
        this.settings.onLog(line);
      },
    });
    this.#running = running;
    if (published !== undefined) await ports.lead(published.host, running.address);
    follow(clock, running.exited, ({ exitCode }) => this.#exited(exitCode, clock.now() - startedAt));
  }

  #exited(exitCode: number, ranMs: number): void {
    const { clock, ports } = this.#platform;
    const { published } = this.settings;
    this.#running = undefined;
    if (published !== undefined) follow(clock, ports.close(published.host), () => undefined);
    const delay = this.#stopped ? undefined : this.#restarts.next(exitCode, ranMs);
    if (delay === undefined) {
      this.#end(exitCode);
      return;
    }
    this.#again = clock.after(delay, async () => {
      // Docker gives up on what it cannot start any more.
      await this.start().catch((error: unknown) => {
        this.lines.push(error instanceof Error ? error.message : String(error));
        this.#end(127);
      });
    });
  }

  #end(exitCode: number): void {
    this.#isUp = false;
    this.#onEnd({ exitCode });
  }
}
