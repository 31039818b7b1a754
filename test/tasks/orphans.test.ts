import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noBusybox } from './busybox.ts';
import { noNetworkNamespaces } from './own-network.ts';
import { processesWith, retried } from './tasks.ts';

const missing = noBusybox ?? noNetworkNamespaces();
const why = missing === undefined ? '' : ` (skipped: ${missing})`;
const isRoot = process.getuid?.() === 0;
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

let runner: ChildProcess | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orphans-test-'));
  await chmod(folder, 0o777);
});
afterEach(async () => {
  runner?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

test
  .skipIf(missing !== undefined)
  .each([
    { who: 'this user', prefix: [] },
    ...(isRoot ? [{ who: 'an unprivileged user', prefix: nobody }] : []),
  ])(
  `the tasks of $who run in namespaces and end when their runner is killed${why}`,
  async ({ who, prefix }) => {
    const mark = `9${process.pid}${prefix.length}`;
    const [program, ...args] = [
      ...prefix,
      process.execPath,
      join(import.meta.dirname, 'runner-process.ts'),
      mark,
    ];
    runner = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    });
    if (runner.stdout === null) throw new Error('no output');
    const [line]: unknown[] = await once(runner.stdout, 'data');
    const { uid, isolation } = JSON.parse(String(line)) as { uid: number; isolation: string };
    expect(uid).toBe(who === 'this user' ? process.getuid?.() : 65_534);
    expect(isolation).toContain('namespaces (user, mount, PID, network)');
    expect(await processesWith(mark)).not.toEqual([]);

    runner.kill('SIGKILL');
    await retried(async () => {
      expect(await processesWith(mark)).toEqual([]);
    });
  },
);
