/** The process that an instance is on this machine: a shell that runs its user data, and what that leaves running. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLines } from '../tasks/log-lines.ts';
import type { Tools } from './tools.ts';
import type { Script } from './user-data.ts';

const enterInstance = join(import.meta.dirname, 'enter-instance.sh');

/** How user data is kept from this machine. `ownRoot`: a root, network and processes of its own, all gone with it. */
export type Confinement = { readonly ownRoot: true; readonly user: boolean } | { readonly ownRoot: false };

export interface MachineOptions {
  readonly confinement: Confinement;
  readonly tools: Tools;
  /** Its own, made here. */
  readonly folder: string;
  readonly socketPath: string;
  readonly hostName: string;
  readonly script: Script;
  readonly onLine: (line: string) => void;
}

export class Machine {
  /** The exit status of the script; `undefined` when it was ended before. */
  readonly scriptEnded: Promise<number | undefined>;
  readonly #gone: Promise<void>;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, mark: string, onLine: (line: string) => void) {
    this.#process = process;
    const ended = Promise.withResolvers<number | undefined>();
    const gone = Promise.withResolvers<void>();
    const read = (line: string): void => {
      // A last line that the script did not end stands before it.
      const [words = '', status] = line.split(`${mark} `);
      if (status === undefined || words !== '') onLine(words);
      if (status !== undefined) ended.resolve(Number(status));
    };
    for (const output of [process.stdout, process.stderr]) if (output !== null) readLines(output, read);
    process.on('error', (error) => {
      onLine(error.message);
      ended.resolve(undefined);
      gone.resolve();
    });
    process.on('exit', () => {
      ended.resolve(undefined);
      gone.resolve();
    });
    this.scriptEnded = ended.promise;
    this.#gone = gone.promise;
  }

  static async start(options: MachineOptions): Promise<Machine> {
    const { confinement, tools, folder, socketPath, hostName, script } = options;
    const root = confinement.ownRoot ? join(folder, 'root') : '';
    const path = join(folder, 'part-001');
    const mark = `ended-${randomUUID()}`;
    await mkdir(root || folder, { recursive: true });
    await writeFile(path, script.text, { mode: 0o700 });
    const [program = '', ...args] = [
      ...entryOf(confinement),
      'sh',
      enterInstance,
      root,
      tools.folder,
      process.execPath,
      socketPath,
      path,
      hostName,
      mark,
      ...script.shellOptions,
    ];
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
      detached: true,
    });
    // Closed before it was read: it has ended.
    child.stdin?.on('error', () => undefined);
    return new Machine(child, mark, options.onLine);
  }

  /** Kills all of it. */
  async end(): Promise<void> {
    const { pid } = this.#process;
    if (pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    }
    await this.#gone;
    for (const output of [this.#process.stdout, this.#process.stderr]) output?.destroy();
  }
}

function entryOf(confinement: Confinement): readonly string[] {
  const dieWithParent = ['setpriv', '--pdeathsig', 'KILL'];
  if (!confinement.ownRoot) return dieWithParent;
  const user = confinement.user ? ['--user', '--map-root-user'] : [];
  const others = ['--mount', '--pid', '--net', '--ipc', '--uts', '--fork', '--kill-child=KILL'];
  return [...dieWithParent, 'unshare', ...user, ...others];
}

/** The best confinement that works here, found out by trying. `folder` becomes the trial's. */
export async function probeConfinement(folder: string): Promise<Confinement> {
  const tools = { folder: join(folder, 'tools') };
  await mkdir(tools.folder, { recursive: true });
  // No program is found in there, so bash is not: a status at all says that the root was entered.
  const isRoot = process.getuid?.() === 0;
  for (const user of isRoot ? [true, false] : [true]) {
    const confinement: Confinement = { ownRoot: true, user };
    const machine = await Machine.start({
      confinement,
      tools,
      folder: join(folder, user ? 'user' : 'root'),
      socketPath: process.execPath,
      hostName: 'probe',
      script: { text: '', shellOptions: [] },
      onLine: () => undefined,
    });
    const status = await machine.scriptEnded;
    await machine.end();
    if (status !== undefined) return confinement;
  }
  return { ownRoot: false };
}
