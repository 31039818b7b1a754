/**
 * The one process beside each task. It stands inside the task's network namespace, where it passes connections from a
 * unix socket (which crosses namespaces) to the container's port, and it sees to it that nothing of the task outlives
 * the task runner: when the channel to the runner closes, for whatever reason, the task is killed.
 *
 * It runs as a program of its own, so it imports nothing but node's modules.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';

/** From the runner. */
export type ToSupervisor =
  | {
      readonly kind: 'run';
      /** Enters the container and runs it; announces `started <pid>` on file descriptor 3, or says there why it cannot. */
      readonly argv: readonly string[];
      /** Where to pass connections on from; absent when the task shares the host's network. */
      readonly socketPath?: string;
      readonly containerPort: number;
    }
  | { readonly kind: 'stop'; readonly killAfterMs: number };

/** To the runner. */
export type FromSupervisor =
  | { readonly kind: 'started' }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'exited'; readonly exitCode: number };

let task: ChildProcess | undefined;
let containerPid: number | undefined;

process.on('message', (message: ToSupervisor) => {
  if (message.kind === 'run') run(message);
  else stop(message.killAfterMs);
});
process.on('disconnect', () => {
  killAll();
  process.exit(1);
});

function run(order: Extract<ToSupervisor, { kind: 'run' }>): void {
  if (order.socketPath === undefined) {
    enter(order.argv);
    return;
  }
  const server = createServer({ allowHalfOpen: true }, (client) => passOn(client, order.containerPort));
  server.on('error', (error) => send({ kind: 'failed', reason: error.message }));
  server.listen(order.socketPath, () => enter(order.argv));
}

function enter(argv: readonly string[]): void {
  const [program = '', ...args] = argv;
  // A process group of its own, so that all of it can be killed at once.
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], detached: true });
  task = child;
  let announced = '';
  const announcements = child.stdio[3] as Readable;
  announcements.setEncoding('utf8').on('data', (text: string) => {
    announced += text;
    const pid = /^started (\d+)\n/.exec(announced)?.[1];
    if (pid === undefined || containerPid !== undefined) return;
    containerPid = Number(pid);
    send({ kind: 'started' });
  });
  child.on('error', (error) => send({ kind: 'failed', reason: error.message }));
  child.on('close', (code, ended) => {
    const hasStarted = containerPid !== undefined;
    killAll();
    if (hasStarted) send({ kind: 'exited', exitCode: code ?? 128 + constants.signals[ended ?? 'SIGKILL'] });
    else send({ kind: 'failed', reason: announced.trim() || `exit status ${code ?? ended}` });
  });
}

/** Sends the last word and ends, unless it is the first. */
function send(message: FromSupervisor): void {
  process.send?.(message, undefined, undefined, () => {
    if (message.kind !== 'started') process.exit(0);
  });
}

/** As ECS: SIGTERM goes to the container's first process, SIGKILL to all of it. */
function stop(killAfterMs: number): void {
  if (containerPid !== undefined) signal(containerPid, 'SIGTERM');
  setTimeout(killAll, killAfterMs);
}

function killAll(): void {
  if (task?.pid !== undefined) signal(-task.pid, 'SIGKILL');
  if (containerPid !== undefined && task?.exitCode === null && task.signalCode === null) {
    signal(containerPid, 'SIGKILL');
  }
}

/** A process that has ended already needs no signal. */
function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Bytes both ways, each direction ending on its own, so that half-closed connections and upgrades work. */
function passOn(client: Socket, port: number): void {
  const container = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  client.pipe(container);
  container.pipe(client);
  const drop = (): void => {
    client.destroy();
    container.destroy();
  };
  client.on('error', drop);
  container.on('error', drop);
}
