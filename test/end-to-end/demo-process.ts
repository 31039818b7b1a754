/** `npm start` as a process of its own, with a temporary folder of its own, and all that it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './world.ts';

const program = fileURLToPath(new URL('../../local/start.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

export class DemoProcess {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #watching: NodeJS.Timeout;
  /** Everything that it ever started, as `pid start time`, so that a pid that is used again is told apart. */
  readonly #started = new Set<string>();
  readonly #exit: Promise<number | null>;
  #stdout = '';
  #stderr = '';

  private constructor(
    args: readonly string[],
    folder: string,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder;
    this.#process = spawn(process.execPath, [program, ...args], {
      env: { ...process.env, TMPDIR: folder, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()));
    this.#process.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
    this.#exit = once(this.#process, 'close').then(([code]) => code as number | null);
    let looking = false;
    this.#watching = setInterval(() => {
      if (looking) return;
      looking = true;
      void this.#noteDescendants().finally(() => (looking = false));
    }, 250);
  }

  static async start(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<DemoProcess> {
    return new DemoProcess(args, await mkdtemp(join(tmpdir(), 'demo-process-')), environment);
  }

  /** Resolves when `text` was written to stderr. */
  async says(text: string): Promise<void> {
    await until(`the demo to say "${text}"; it said: ${this.#stderr.slice(-500)}`, async () => {
      if (this.#stderr.includes(text)) return true;
      if (this.#process.exitCode !== null)
        throw new Error(`it ended without saying "${text}": ${this.#stderr}`);
      return undefined;
    });
  }

  async interrupt(signal: NodeJS.Signals): Promise<void> {
    await this.#noteDescendants();
    this.#process.kill(signal);
  }

  async ended(): Promise<Ended> {
    const code = await this.#exit;
    clearInterval(this.#watching);
    return { code, stdout: lines(this.#stdout), stderr: lines(this.#stderr) };
  }

  /** How many processes were seen to be started by it. */
  get started(): number {
    return this.#started.size;
  }

  /** Of what it started, the processes that still run. What was told to end gets a moment. */
  async leftRunning(): Promise<readonly string[]> {
    const deadline = Date.now() + 2_000;
    for (;;) {
      const left = (await processes()).filter(({ key }) => this.#started.has(key)).map(({ key }) => key);
      if (left.length === 0 || Date.now() > deadline) return left;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Of what it wrote to the temporary folder, what is still there. */
  async leftFiles(): Promise<readonly string[]> {
    // Node's own cache of compiled code, shared by all programs that ask for it, such as the CDK's CLI.
    return (await readdir(this.#folder)).filter((name) => name !== 'node-compile-cache');
  }

  /** Ends it however the test went. */
  async close(): Promise<void> {
    clearInterval(this.#watching);
    this.#process.kill('SIGKILL');
    await this.#exit;
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #noteDescendants(): Promise<void> {
    const all = await processes();
    const family = new Set([this.#process.pid]);
    // A child's pid need not be above its parent's: look until nothing new is found.
    for (let size = 0; size !== family.size; ) {
      size = family.size;
      for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
    }
    family.delete(this.#process.pid);
    for (const { pid, key } of all) if (family.has(pid)) this.#started.add(key);
  }
}

/** proc(5): the fields of `stat` after the command, which may hold spaces and parentheses. */
async function processes(): Promise<
  readonly { readonly pid: number; readonly parent: number; readonly key: string }[]
> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      if (stat === undefined) return [];
      const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const startTime = rest[17];
      return state === 'Z' ? [] : [{ pid: Number(pid), parent: Number(parent), key: `${pid} ${startTime}` }];
    }),
  );
  return found.flat();
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
