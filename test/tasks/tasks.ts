import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { type OciImage, pushImage } from '../../local/registry/oci-image.ts';
import type { Address, RunningTask, TaskRunner, TaskSpec } from '../../local/tasks/task.ts';
import type { EmbeddedRegistry } from '../registry/embedded-registry.ts';

/** Tasks of one runner, whatever isolation it has. */
export class Tasks {
  readonly runner: TaskRunner;
  readonly lines: string[] = [];
  containerPort = 80;
  #waiting: { readonly line: string; readonly seen: () => void }[] = [];
  #count = 0;

  readonly #registry: EmbeddedRegistry;

  constructor(runner: TaskRunner, registry: EmbeddedRegistry) {
    this.runner = runner;
    this.#registry = registry;
  }

  async start(image: OciImage, spec: Partial<TaskSpec> = {}): Promise<RunningTask> {
    this.#count += 1;
    const tag = `t${randomUUID()}`;
    await pushImage(image, { registry: this.#registry.url, repository: 'web', tag });
    return this.runner.start({
      id: `${String(this.#count).padStart(2, '0')}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`,
      image: await this.#registry.images.pull(this.#registry.uri(`web:${tag}`)),
      environment: {},
      containerPort: this.containerPort,
      onLog: (line) => {
        this.lines.push(line);
        for (const waiting of this.#waiting) if (waiting.line === line) waiting.seen();
      },
      ...spec,
    });
  }

  /** What the script wrote, once it has ended. */
  async output(image: OciImage, spec: Partial<TaskSpec> = {}): Promise<string[]> {
    const from = this.lines.length;
    const task = await this.start(image, spec);
    await task.exited;
    return this.lines.slice(from);
  }

  logged(line: string): Promise<void> {
    if (this.lines.includes(line)) return Promise.resolve();
    return new Promise((seen) => {
      this.#waiting.push({ line, seen });
    });
  }
}

export function get(address: Address, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...address, path, agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve(body));
    });
    sent.on('error', reject).end();
  });
}

/** Where a task with a network of its own is reached. */
export function socketPath(address: Address): string {
  if ('socketPath' in address) return address.socketPath;
  throw new Error(`${address.host}:${address.port} is not a socket`);
}

/** A port of this machine that nobody has. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The server comes up a moment after its process. */
export async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

/** The command lines of all processes of this machine that contain the mark. */
export async function processesWith(mark: string): Promise<string[]> {
  return (await processes()).map(({ args }) => args).filter((args) => args.includes(mark));
}

export async function childrenOf(pid: number): Promise<Process[]> {
  return (await processes()).filter(({ parent }) => parent === pid);
}

async function processes(): Promise<Process[]> {
  const found: Process[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    // Gone since it was listed: no process any more.
    const [args, status] = await Promise.all(
      ['cmdline', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    const parent = Number(/^PPid:\s*(\d+)/m.exec(status ?? '')?.[1]);
    found.push({ pid: Number(pid), parent, args: (args ?? '').replaceAll('\0', ' ') });
  }
  return found;
}
