import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import { createProcessRunner } from '../../local/tasks/process-runner.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';
import { busyboxLayer, noBusybox, shellImage } from './busybox.ts';
import { noNetworkNamespaces } from './own-network.ts';
import { childrenOf, freePort, get, processesWith, retried, socketPath, Tasks } from './tasks.ts';

const missing = noBusybox ?? noNetworkNamespaces();

describe.skipIf(missing !== undefined)(
  `tasks${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let registry: EmbeddedRegistry;
    let clock: FastForwardClock;
    let tasks: Tasks;

    beforeAll(async () => {
      registry = await EmbeddedRegistry.start('web');
      clock = new FastForwardClock({ speed: 1, onFailure: (failure) => expect.fail(String(failure)) });
    });
    afterAll(async () => {
      clock.stop();
      await registry.close();
    });
    beforeEach(async () => {
      tasks = new Tasks(await createProcessRunner({ clock }), registry);
    });
    afterEach(async () => {
      await tasks.runner.close();
    });

    test('two tasks serve on port 80 at once, each its own page', async () => {
      const serve = (page: string) => shellImage(`echo ${page} > /tmp.html; httpd -f -p 80 -h /`);
      const [blue, green] = [await tasks.start(serve('blue')), await tasks.start(serve('green'))];
      expect(await retried(() => get(blue.address, '/tmp.html'))).toBe('blue\n');
      expect(await retried(() => get(green.address, '/tmp.html'))).toBe('green\n');
    });

    test('one task serves many connections at once', async () => {
      const task = await tasks.start(shellImage('echo hello > /index.html; httpd -f -p 80 -h /'));
      await retried(() => get(task.address, '/'));
      const answers = await Promise.all(Array.from({ length: 60 }, () => get(task.address, '/')));
      expect(new Set(answers)).toEqual(new Set(['hello\n']));
    });

    test('a connection that the client half-closes still brings its answer', async () => {
      const task = await tasks.start(shellImage('nc -l -p 80 -e cat'));
      const sent = Buffer.alloc(300_000, 'half-close ');
      const received = await retried(
        () =>
          new Promise<Buffer>((resolve, reject) => {
            const chunks: Buffer[] = [];
            const socket = connect({ path: socketPath(task.address), allowHalfOpen: true });
            socket.on('data', (chunk) => chunks.push(chunk));
            socket.on('end', () =>
              chunks.length === 0 ? reject(new Error('refused')) : resolve(Buffer.concat(chunks)),
            );
            socket.on('error', reject);
            socket.end(sent);
          }),
      );
      expect(received.equals(sent)).toBe(true);
    });

    test('its program is process 1 and sees no other task', async () => {
      await tasks.start(shellImage('sleep 1000'));
      const processes = await tasks.output(shellImage('ps -o pid,args; true'));
      expect(processes.slice(1).map((line) => line.trim())).toEqual([
        '1 sh -c ps -o pid,args; true',
        expect.stringMatching(/ps -o/),
      ]);
    });

    test('as process 1 without a handler it ignores SIGTERM, as in any container, and is killed', async () => {
      const task = await tasks.start(shellImage('echo ready; httpd -f -p 80'));
      await tasks.logged('ready');
      expect(await task.stop(60)).toEqual({ exitCode: 137 });
    });

    test('a daemon that left its process group ends with the task', async () => {
      const mark = `7${process.pid}`;
      const task = await tasks.start(
        shellImage(`(setsid sleep ${mark} >/dev/null 2>&1 &) ; sleep 0.05; exit 3`),
      );
      expect(await task.exited).toEqual({ exitCode: 3 });
      expect(await processesWith(mark)).toEqual([]);
    });

    test('what one task writes, another of the same image does not see', async () => {
      const image = shellImage('echo changed > /etc/motd; rm /bin/env; cat /etc/motd; ls /bin/env');
      const withMotd = { ...image, layers: [busyboxLayer, { '/etc/motd': { content: 'original\n' } }] };
      await tasks.output(withMotd);
      const look = { ...shellImage('cat /etc/motd; ls /bin/env'), layers: withMotd.layers };
      expect(await tasks.output(look)).toEqual(['original', '/bin/env']);
    });

    test('runs as the image’s user, in its working directory, which is made', async () => {
      const image = shellImage('id -u; id -g; pwd; echo $HOME; touch here && ls', {
        User: 'web',
        WorkingDir: '/srv/app',
      });
      expect(await tasks.output(image)).toEqual(['1000', '1001', '/srv/app', '/home/web', 'here']);
    });

    test('a user other than root may listen on port 80', async () => {
      const task = await tasks.start(
        shellImage('echo hello > /index.html; httpd -f -p 80 -h /', { User: '1000' }),
      );
      expect(await retried(() => get(task.address, '/'))).toBe('hello\n');
    });

    test('has /proc, devices, a host name and localhost', async () => {
      const script =
        'test -r /proc/self/status && echo proc; echo x > /dev/null && echo null; hostname; cat /etc/hosts';
      expect(await tasks.output(shellImage(script))).toEqual([
        'proc',
        'null',
        '01aaaaaaaaaa',
        '127.0.0.1 localhost',
        '127.0.0.1 01aaaaaaaaaa',
      ]);
    });

    test('lines are cut at 16 KiB, and an unfinished last line is a line', async () => {
      const lines = await tasks.output(shellImage('head -c 40000 /dev/zero | tr "\\0" x; echo; printf end'));
      expect(lines.map((line) => line.length)).toEqual([16_384, 16_384, 7_232, 3]);
    });

    test.each([
      [
        'a program that is not there',
        { Cmd: ['/no/such'] },
        'exec: "/no/such": stat /no/such: no such file or directory',
      ],
      [
        'a program that is not in the path',
        { Cmd: ['nope'] },
        'exec: "nope": executable file not found in $PATH',
      ],
      ['a file that is not executable', { Cmd: ['/etc/passwd'] }, 'exec: "/etc/passwd": permission denied'],
      [
        'nothing to run',
        { Cmd: [] },
        'CannotCreateContainerError: Error response from daemon: no command specified',
      ],
      [
        'an unknown user',
        { User: 'nobody' },
        'unable to find user nobody: no matching entries in passwd file',
      ],
    ])('cannot start %s', async (_case, config, words) => {
      await expect(tasks.start(shellImage('true', config))).rejects.toThrow(words);
    });

    test('an image that would have devices made outside of it does not start', async () => {
      const image = shellImage('true');
      await expect(
        tasks.start({ ...image, layers: [busyboxLayer, { '/dev': { linkTo: '/tmp' } }] }),
      ).rejects.toThrow('/dev of the image is a symbolic link');
    });

    test('closing kills what runs and leaves nothing behind', async () => {
      const mark = `8${process.pid}`;
      const folder = await mkdtemp(join(tmpdir(), 'runner-test-'));
      vi.stubEnv('TMPDIR', folder);
      const other = new Tasks(await createProcessRunner({ clock }), registry);
      vi.unstubAllEnvs();
      const task = await other.start(shellImage(`sleep ${mark} & sleep ${mark}`));
      const starting = other.start(shellImage(`sleep ${mark}`)).catch((error: unknown) => error);
      await other.runner.close();
      await starting;
      await other.runner.close();
      expect(await task.exited).toEqual({ exitCode: 137 });
      expect(await processesWith(mark)).toEqual([]);
      expect(await readdir(folder)).toEqual([]);
      await rm(folder, { recursive: true });
    });

    test('a task whose supervisor is killed is killed with it', async () => {
      const mark = `5${process.pid}`;
      const task = await tasks.start(shellImage(`sleep ${mark} & echo ready; sleep ${mark}`));
      await tasks.logged('ready');
      const supervisors = (await childrenOf(process.pid)).filter(({ args }) =>
        args.includes('supervisor.mjs'),
      );
      expect(supervisors).toHaveLength(1);
      for (const { pid } of supervisors) process.kill(pid, 'SIGKILL');
      expect(await task.exited).toEqual({ exitCode: 137 });
      await retried(async () => {
        expect(await processesWith(mark)).toEqual([]);
      });
    });

    test('without networks of their own, a second task on a port is refused with what to do', async () => {
      const sharing = new Tasks(
        await createProcessRunner({
          clock,
          isolation: { kind: 'namespaces', user: true, network: false, overlay: false },
        }),
        registry,
      );
      const port = await freePort();
      try {
        const first = await sharing.start(shellImage('sleep 1000'), { containerPort: port });
        expect(first.address).toEqual({ host: '127.0.0.1', port });
        await expect(sharing.start(shellImage('sleep 1000'), { containerPort: port })).rejects.toThrow(
          `CannotStartContainerError: port ${port} of this machine cannot be used: task 01aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa listens on it. Tasks share`,
        );
        await first.stop(0);
        await sharing.start(shellImage('sleep 1000'), { containerPort: port });
      } finally {
        await sharing.runner.close();
      }
    });
  },
);
