/**
 * An instance's Docker, as far as user data uses it: login, pull, run, logs, stop, rm. Its containers are processes of the task
 * runner, and their published ports are the instance's. Left out: what a container wrote does not outlive its restart.
 */
import { randomUUID } from 'node:crypto';
import type { BusyHold } from './busy-hold.ts';
import { type Asked, failed, notModelled, type Outcome, said } from './command.ts';
import { parseOptions, valueOf } from './command-options.ts';
import { Container, type ContainerPlatform } from './container.ts';
import { type AwsLogs, type RunRequest, refusedRun, runRequest } from './docker-run.ts';
import { ImageAccess, type ImageAccessOptions } from './image-access.ts';

export interface LogGroups {
  has(group: string): boolean;
  append(group: string, stream: string, line: string): void;
}

export interface DockerOptions extends ContainerPlatform, ImageAccessOptions {
  readonly logs: LogGroups;
  readonly hold: BusyHold;
}

export class Docker {
  readonly #options: DockerOptions;
  readonly #containers = new Map<string, Container>();
  readonly #access: ImageAccess;
  #closed = false;

  constructor(options: DockerOptions) {
    this.#options = options;
    this.#access = new ImageAccess(options);
  }

  async command(asked: Asked): Promise<Outcome> {
    const [verb = '', ...args] = asked.args;
    const rest = { ...asked, args };
    switch (verb) {
      case 'login':
        return this.#access.login(rest);
      case 'pull':
        return this.#access.command(rest);
      case 'run':
        return this.#run(rest);
      case 'logs':
        return this.#logs(rest);
      case 'stop':
        return this.#stop(rest);
      case 'rm':
        return this.#remove(rest);
      case '--version':
      case '-v':
        return said('Docker version 25.0.8, build 0bab007\n');
      default:
        return notModelled(`docker ${verb}`);
    }
  }

  /** As when its machine shuts down. `abruptly`: nothing is asked. */
  async close({ abruptly }: { abruptly: boolean }): Promise<void> {
    this.#closed = true;
    const timeout = abruptly ? [0] : [];
    await Promise.all([...this.#containers.values()].map((container) => container.stop(...timeout)));
  }

  async #run(asked: Asked): Promise<Outcome> {
    const request = runRequest(asked);
    if ('exitCode' in request) return request;
    const image = await this.#access.pull(request.image);
    if ('exitCode' in image) return { ...image, stderr: `docker: ${image.stderr}`, exitCode: 125 };
    const id = `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
    const name = request.name ?? `container_${id.slice(0, 12)}`;
    const conflict = this.#conflict(request, name);
    if (conflict !== undefined) return refusedRun(`Error response from daemon: ${conflict}`);
    const { task, published, restart, stopTimeoutMs, logs } = request;
    const onLog = logs === undefined ? () => undefined : this.#awsLogs(logs, id);
    const container = new Container(this.#options, {
      id,
      name,
      image,
      task,
      published,
      restart,
      stopTimeoutMs,
      onLog,
    });
    this.#containers.set(id, container);
    try {
      if (this.#closed) throw new Error('the daemon shuts down');
      await container.start();
    } catch (error) {
      this.#containers.delete(id);
      const message = error instanceof Error ? error.message : String(error);
      return failed(`docker: ${message.replace(/^\w+Error: /, '')}`, 127);
    }
    if (request.detached) return said(`${id}\n`);
    const { exitCode } = await this.#options.hold.idle(container.ended);
    if (request.removed) this.#containers.delete(id);
    return { stdout: container.lines.map((line) => `${line}\n`).join(''), stderr: '', exitCode };
  }

  /** Why Docker would not create it. */
  #conflict({ published, logs }: RunRequest, name: string): string | undefined {
    for (const { settings, isUp } of this.#containers.values()) {
      if (settings.name === name)
        return `Conflict. The container name "/${name}" is already in use by container "${settings.id}". You have to remove (or rename) that container to be able to reuse that name.`;
      if (isUp && published !== undefined && settings.published?.host === published.host)
        return `driver failed programming external connectivity on endpoint ${name}: Bind for 0.0.0.0:${published.host} failed: port is already allocated.`;
    }
    if (logs !== undefined && !logs.createsGroup && !this.#options.logs.has(logs.group))
      return 'failed to create task for container: failed to initialize logging driver: failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, ResourceNotFoundException: The specified log group does not exist.';
    return undefined;
  }

  /** "If not specified, the container ID is used as the log stream" (Docker's guide to the driver). */
  #awsLogs({ group, stream }: AwsLogs, id: string): (line: string) => void {
    return (line) => this.#options.logs.append(group, stream ?? id, line);
  }

  #logs({ args: [named, ...more] }: Asked): Outcome {
    if (named?.startsWith('-') === true || more.length > 0) return notModelled('docker logs with options');
    const found = this.#named(named);
    return 'exitCode' in found ? found : said(found.lines.map((line) => `${line}\n`).join(''));
  }

  async #stop({ args }: Asked): Promise<Outcome> {
    const options = parseOptions(args, { '--time': 'value', '-t': '--time', '--timeout': '--time' });
    if (options.unknown !== undefined) return notModelled(`docker stop ${options.unknown}`);
    const seconds = valueOf(options, '--time');
    return this.#each(options.words, (container) =>
      container.stop(...(seconds === undefined ? [] : [Number(seconds) * 1_000])),
    );
  }

  async #remove({ args }: Asked): Promise<Outcome> {
    const options = parseOptions(args, { '--force': 'flag', '-f': '--force' });
    if (options.unknown !== undefined) return notModelled(`docker rm ${options.unknown}`);
    return this.#each(options.words, async (container) => {
      const { id, name } = container.settings;
      if (container.isUp) {
        if (!options.flags.has('--force'))
          return `cannot remove container "/${name}": container is running: stop the container before removing or force remove`;
        await container.stop(0);
      }
      this.#containers.delete(id);
      return undefined;
    });
  }

  async #each(
    names: readonly string[],
    act: (container: Container) => Promise<string | undefined | void>,
  ): Promise<Outcome> {
    for (const name of names) {
      const found = this.#named(name);
      if ('exitCode' in found) return found;
      const refusal = await act(found);
      if (typeof refusal === 'string') return failed(`Error response from daemon: ${refusal}`);
    }
    return said(names.map((name) => `${name}\n`).join(''));
  }

  #named(name = ''): Container | Outcome {
    const found = [...this.#containers.values()].find(
      ({ settings }) => settings.name === name || (name.length >= 4 && settings.id.startsWith(name)),
    );
    return found ?? failed(`Error response from daemon: No such container: ${name}`);
  }
}
