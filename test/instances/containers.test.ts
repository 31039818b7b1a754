/** What user data starts with Docker, as real processes. */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../local/tasks/task.ts';
import { until } from '../end-to-end/world.ts';
import { noBusybox, shellImage } from '../tasks/busybox.ts';
import { noNetworkNamespaces } from '../tasks/own-network.ts';
import { get, processesWith } from '../tasks/tasks.ts';
import { dockerReady, Machines } from './booted.ts';

const missing = noBusybox ?? noNetworkNamespaces();

/** The first answer: the script and the container that it starts take their time. */
const answered = (address: Address, path: string): Promise<string> =>
  until(`an answer to ${path}`, () => get(address, path).catch(() => undefined));

describe.skipIf(missing !== undefined)(
  `containers of instances${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let machines: Machines;
    beforeAll(async () => {
      machines = await Machines.create();
    });
    afterAll(() => machines.close());

    /** An instance that runs the image with such options. */
    const boot = async (shell: string, run: string, rest = '') => {
      const image = await machines.push(shellImage(shell));
      return machines.boot(`#!/bin/bash\n${dockerReady}\ndocker run ${run} ${image}\n${rest}`);
    };
    const serve = 'echo "hello from $NAME" > /index.html; exec httpd -f -p 80 -h /';

    it('answer at the port that they publish, with the environment that they are given', async () => {
      const { instance } = await boot(serve, '-d -p 8080:80 -e NAME=web-1');
      expect(await answered(instance.address(8080), '/')).toBe('hello from web-1\n');
      await expect(get(instance.address(80), '/')).rejects.toThrow('ENOENT');
    });

    it('take their environment from files and from the script too', async () => {
      const given = 'printf "# a comment\\nONE=1\\n" > /etc/web.env; export TWO=2';
      const image = await machines.push(shellImage('echo $ONE $TWO $THREE'));
      const { output } = await machines.boot(
        `#!/bin/bash\n${dockerReady}\n${given}\ndocker run --env-file /etc/web.env -e TWO -e THREE=3 ${image}`,
      );
      expect((await output()).at(-1)).toBe('1 2 3');
    });

    it('are waited for by curl, as a script does that wants its instance healthy', async () => {
      const wait = 'curl -sf --retry 20 --retry-delay 1 --retry-connrefused http://localhost:8080/index.html';
      const { output } = await boot(serve, '-d -p 8080:80 -e NAME=web-1', wait);
      expect((await output()).at(-1)).toBe('hello from web-1');
    });

    it.each([
      'yum update -y; yum install -y docker; systemctl enable --now docker',
      'sudo amazon-linux-extras install -y docker && sudo service docker start && usermod -aG docker ec2-user',
      'dnf -y -q install docker aws-cli; systemctl daemon-reload; systemctl start docker.service; systemctl is-active docker',
    ])('run once Docker is there: %s', async (ready) => {
      const image = await machines.push(shellImage('echo hello'));
      const { output } = await machines.boot(
        `#!/bin/bash\n${ready}\n${dockerReady}\ndocker run --rm ${image}`,
      );
      expect((await output()).at(-1)).toBe('hello');
    });

    it('in the foreground of a script do not keep the clock, nor does the end of the script end them', async () => {
      const { instance, output } = await boot(serve, '-p 8080:80 -e NAME=web-1');
      expect((await output()).at(-2)).toContain('the embedded AWS ends user data that takes more than 600 s');
      expect(await get(instance.address(8080), '/')).toBe('hello from web-1\n');
    });

    it('write to the log group and stream that the awslogs driver is told, which must exist', async () => {
      const options =
        '--log-driver awslogs --log-opt awslogs-group=/worker --log-opt awslogs-stream=$(ec2-metadata -qi)';
      const { output } = await boot('echo one; echo two', `${options}`);
      await output();
      const stream = expect.stringMatching(/^\/worker i-\d{17} (?:one|two)$/) as string;
      expect(machines.logs).toEqual([stream, stream]);
      const missed = await boot('echo one', '-d --log-driver awslogs --log-opt awslogs-group=/other');
      expect((await missed.output()).at(-2)).toContain('The specified log group does not exist.');
      const made =
        '-d --log-driver awslogs --log-opt awslogs-group=/other --log-opt awslogs-create-group=true';
      expect((await (await boot('echo one', made)).output()).at(-1)).toMatch(/^[0-9a-f]{64}$/);
    });

    it('that end are gone for good without a policy: the instance runs and answers nothing', async () => {
      const { instance, output } = await boot('echo done', '-p 8080:80');
      expect((await output()).at(-1)).toBe('done');
      await expect(get(instance.address(8080), '/')).rejects.toThrow('ENOENT');
    });

    it.each(['always', 'unless-stopped', 'on-failure'])(
      'that die are started again with --restart %s, and answer at the same address',
      async (policy) => {
        const dies = `${serve} & cat /proc/sys/kernel/random/uuid > /boot.html; read line < /die; exit 1`;
        const { instance } = await boot(
          `mkfifo /die; mkdir -p /cgi-bin; printf '#!/bin/sh\\necho; echo > /die\\n' > /cgi-bin/die; chmod +x /cgi-bin/die; ${dies}`,
          `-d --restart ${policy} -p 8080:80`,
        );
        const address = instance.address(8080);
        const first = await answered(address, '/boot.html');
        await get(address, '/cgi-bin/die').catch(() => undefined);
        const now = () => get(address, '/boot.html').catch(() => first);
        await expect.poll(now, { timeout: 30_000 }).not.toBe(first);
      },
    );

    it('are stopped by docker stop and stay so, and their names and ports are free after docker rm', async () => {
      const image = await machines.push(
        shellImage('trap "echo bye; exit 0" TERM; while :; do sleep 1 & wait; done'),
      );
      const run = `docker run -d --restart always --name web -p 8080:80 ${image}`;
      const { output } = await machines.boot(
        `#!/bin/bash\n${dockerReady}\n${run} >/dev/null\n${run}\ndocker run -d -p 8080:80 ${image}\n` +
          'docker stop web; docker logs web; docker rm web\n' +
          `${run} >/dev/null && docker rm -f web`,
      );
      expect((await output()).slice(-6)).toEqual([
        expect.stringContaining('The container name "/web" is already in use'),
        expect.stringContaining('Bind for 0.0.0.0:8080 failed: port is already allocated.'),
        'web',
        'bye',
        'web',
        'web',
      ]);
    });

    it('that cannot be started say why', async () => {
      const { output } = await boot('true', '-d --entrypoint /nothing');
      expect((await output()).at(-2)).toContain('exec: "/nothing": stat /nothing: no such file or directory');
    });

    it('end with their instance: asked first, and those that do not listen killed', async () => {
      const polite = await machines.push(
        shellImage('trap "echo polite; exit 0" TERM; echo up; while :; do sleep 1 & wait; done'),
      );
      const nap = `sleep 98761.${randomInt(1e9)}`;
      const deaf = await machines.push(shellImage(`echo up; exec ${nap}`));
      const options = '-d --restart always --log-driver awslogs --log-opt awslogs-group=/worker';
      const { instance, output } = await machines.boot(
        `#!/bin/bash\n${dockerReady}\n` +
          `docker run ${options} --log-opt awslogs-stream=ends ${polite}\n` +
          `docker run ${options} --log-opt awslogs-stream=ends --stop-timeout 1 ${deaf}`,
      );
      await output();
      await until('both', async () =>
        machines.logs.filter((line) => line.endsWith('ends up')).length === 2 ? true : undefined,
      );
      expect(await processesWith(nap)).not.toEqual([]);
      await instance.terminate();
      await instance.terminate();
      expect(machines.logs).toContain('/worker ends polite');
      expect(await processesWith(nap)).toEqual([]);
    });
  },
);

it('instances without a root of their own start containers all the same', async () => {
  const machines = await Machines.create({ confinement: { ownRoot: false } });
  try {
    const image = await machines.push(shellImage('echo hello'));
    const { output } = await machines.boot(`#!/bin/bash\n${dockerReady}\ndocker run ${image}\n`);
    expect((await output()).at(-1)).toBe('hello');
  } finally {
    await machines.close();
  }
});

it('a script that never ends is ended, and its instance with its containers runs on', async () => {
  const machines = await Machines.create({ scriptLimitMs: 1_000 });
  try {
    const { instance, output } = await machines.boot('#!/bin/bash\nwhile :; do :; done\n');
    expect(await output()).toEqual([
      expect.stringContaining('the embedded AWS ends user data that takes more than 1 s'),
      expect.stringContaining('Failed to run module scripts_user'),
    ]);
    await instance.terminate();
  } finally {
    await machines.close();
  }
});
