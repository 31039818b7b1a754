import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import type { ImageFile, OciImage } from '../../local/registry/oci-image.ts';
import type { Isolation } from '../../local/tasks/isolation.ts';
import { createProcessRunner } from '../../local/tasks/process-runner.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';
import { busyboxLayer, noBusybox } from './busybox.ts';
import { noNetworkNamespaces } from './own-network.ts';
import { freePort, get, processesWith, retried, Tasks } from './tasks.ts';

const isRoot = process.getuid?.() === 0;

let registry: EmbeddedRegistry;
let clock: FastForwardClock;

beforeAll(async () => {
  registry = await EmbeddedRegistry.start('web');
  clock = new FastForwardClock({ speed: 1, onFailure: (failure) => expect.fail(String(failure)) });
});
afterAll(async () => {
  clock.stop();
  await registry.close();
});

const kinds: readonly { name: string; isolation?: Isolation; needsRoot?: true; confined: boolean }[] = [
  { name: 'the best isolation of this machine', confined: true },
  {
    name: 'namespaces without overlay',
    isolation: { kind: 'namespaces', user: true, network: true, overlay: false },
    confined: true,
  },
  {
    name: 'namespaces of root without a user namespace',
    isolation: { kind: 'namespaces', user: false, network: true, overlay: true },
    needsRoot: true,
    confined: true,
  },
  { name: 'chroot', isolation: { kind: 'chroot' }, needsRoot: true, confined: true },
  { name: 'no isolation', isolation: { kind: 'none' }, confined: false },
];

for (const { name, isolation, needsRoot, confined } of kinds) {
  const missing =
    noBusybox ??
    (needsRoot === true && !isRoot ? 'needs root' : undefined) ??
    (isolation?.kind === 'namespaces' ? noNetworkNamespaces() : undefined);
  describe.skipIf(missing !== undefined)(
    `a task with ${name}${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    () => {
      let tasks: Tasks;
      beforeEach(async () => {
        tasks = new Tasks(
          await createProcessRunner({ clock, ...(isolation === undefined ? {} : { isolation }) }),
          registry,
        );
        // Without a network of its own a task has a port of this machine.
        if (isolation?.kind === 'chroot' || isolation?.kind === 'none')
          tasks.containerPort = await freePort();
      });
      afterEach(async () => {
        await tasks.runner.close();
      });

      const image = (script: string): OciImage => ({
        layers: [busyboxLayer],
        config: { Cmd: ['sh', '-c', script] },
      });

      test('ends with the code of its program', async () => {
        const task = await tasks.start(image('echo out; echo err >&2; exit 7'));
        expect(await task.exited).toEqual({ exitCode: 7 });
        expect(tasks.lines.toSorted()).toEqual(['err', 'out']);
      });

      test('ends with 143 by itself when it handles SIGTERM', async () => {
        const task = await tasks.start(
          image('trap "exit 143" TERM; echo ready; while :; do sleep 0.02; done'),
        );
        await tasks.logged('ready');
        expect(await task.stop(10_000)).toEqual({ exitCode: 143 });
      });

      test('is killed with all its children after the stop timeout', async () => {
        const mark = `6${process.pid}${kinds.findIndex((kind) => kind.name === name)}`;
        const task = await tasks.start(image(`trap "" TERM; sleep ${mark} & echo ready; sleep ${mark}`));
        await tasks.logged('ready');
        expect(await task.stop(50)).toEqual({ exitCode: 137 });
        expect(await processesWith(mark)).toEqual([]);
      });

      test('gets the image’s environment and the task definition’s, and nothing of this machine’s', async () => {
        const lines = await tasks.output(
          { layers: [busyboxLayer], config: { Cmd: ['/bin/env'], Env: ['A=image', 'B=image'] } },
          { environment: { B: 'task', EMPTY: '' } },
        );
        expect(
          lines.filter((line) => !line.startsWith('PWD=') && !line.startsWith('SHLVL=')).toSorted(),
        ).toEqual([
          'A=image',
          'B=task',
          'EMPTY=',
          'HOME=/root',
          'HOSTNAME=01aaaaaaaaaa',
          'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ]);
      });

      test('is reached at its address', async () => {
        const page: Record<string, ImageFile> = { '/www/index.html': { content: 'hello' } };
        const home = confined ? '/www' : 'www';
        const task = await tasks.start({
          layers: [busyboxLayer, page],
          config: { Cmd: ['sh', '-c', `httpd -f -p ${tasks.containerPort} -h ${home} & echo up; wait`] },
        });
        expect(await retried(() => get(task.address, '/'))).toBe('hello');
      });
    },
  );
}
