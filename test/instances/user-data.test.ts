/** User data that is really run, and what it finds. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../end-to-end/world.ts';
import { noBusybox } from '../tasks/busybox.ts';
import { noNetworkNamespaces } from '../tasks/own-network.ts';
import { processesWith } from '../tasks/tasks.ts';
import { dockerReady, host, Machines } from './booted.ts';

const missing = noBusybox ?? noNetworkNamespaces();
const failure = expect.stringContaining(
  'cc_scripts_user.py[WARNING]: Failed to run module scripts_user',
) as string;

describe.skipIf(missing !== undefined)(
  `instances${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let machines: Machines;
    beforeAll(async () => {
      machines = await Machines.create();
    });
    afterAll(() => machines.close());

    const run = async (script: string, changes: object = {}): Promise<string[]> =>
      (await machines.boot(`#!/bin/bash\n${script}\n`, changes)).output();

    describe('a script', () => {
      it('runs as root in a machine of its own, whose name and address it knows', async () => {
        const script =
          'id -u; hostname; hostname -I; pwd; cat /etc/hostname; ls /home; echo written > /usr/file && cat /usr/file';
        expect(await run(script)).toEqual([
          '0',
          'ip-10-0-1-5.ec2.internal',
          '10.0.1.5',
          '/',
          'ip-10-0-1-5.ec2.internal',
          'ec2-user',
          'written',
        ]);
      });

      it('that fails says so on the console, and the instance runs on', async () => {
        const booted = await machines.boot('#!/bin/bash -e\necho before\nfalse\necho after\n');
        expect(await booted.output()).toEqual(['before', failure]);
        await booted.instance.terminate();
      });

      it('is over only when all that it wrote has come, also what ends no line', async () => {
        const lines = await run('seq 1 20000; printf end');
        expect([lines.length > 1_000, lines.at(-2), lines.at(-1)]).toEqual([true, '20000', 'end']);
      });

      it('writes to the console as the guides have it: by tee, logger and the console itself', async () => {
        const idiom =
          'exec > >(tee /var/log/user-data.log | logger -t user-data -s 2>/dev/console) 2>&1\necho hello';
        const booted = await machines.boot(`#!/bin/bash\n${idiom}\n`);
        await expect.poll(booted.console, { timeout: 30_000 }).toContain('user-data: hello');
      });

      it('finds no program beyond the smallest', async () => {
        expect(await run('git status\n/usr/bin/perl -v')).toEqual([
          expect.stringMatching(/git: command not found$/),
          expect.stringMatching(/\/usr\/bin\/perl: No such file or directory$/),
          failure,
        ]);
      });

      it('sleeps and tells the time by the clock', async () => {
        const before = machines.clock.now();
        const [first, last] = await run('date +%s; sleep 2m 30; date +%s');
        expect(Number(first) * 1_000).toBeGreaterThan(before - 1_000);
        expect(Number(last) - Number(first)).toBeGreaterThanOrEqual(150);
      });

      it('that shuts its instance down ends it', async () => {
        const booted = await machines.boot('#!/bin/bash\nshutdown -h now\n');
        await expect(booted.exited).resolves.toBeUndefined();
      });

      it.each([0, 1, 2, 5, 10, 20, 50])(
        'is over with its instance, also %d ms of the wall after its launch',
        async (ms) => {
          const booted = await machines.boot('#!/bin/bash\nwhile :; do :; done\n');
          await machines.clock.busy(() => new Promise((resolve) => setTimeout(resolve, ms)));
          await expect(booted.instance.terminate()).resolves.toBeUndefined();
        },
      );

      it('leaves nothing when its instance is terminated', async () => {
        const mark = `left-by-${randomUUID()}`;
        const booted = await machines.boot(
          `#!/bin/bash\nnohup bash -c 'exec -a ${mark} tail -f /dev/null' >/dev/null &\n`,
        );
        await booted.output();
        await until('the process', async () => ((await processesWith(mark)).length > 0 ? true : undefined));
        await booted.instance.terminate();
        expect(await processesWith(mark)).toEqual([]);
      });
    });

    it.each([
      ['#cloud-config\npackages: [docker]\n', 'User data with cloud-init directives is not modelled'],
      ['MIME-Version: 1.0\n', 'User data with MIME messages is not modelled'],
      ['#!/usr/bin/python3\n', "User data for '/usr/bin/python3' is not modelled"],
    ])('user data %j is refused', async (userData, words) => {
      await expect(machines.boot(userData)).rejects.toThrow(words);
    });

    it('user data that is none of a kind is passed over, as by cloud-init', async () => {
      expect(await (await machines.boot('echo hello')).output()).toEqual([
        expect.stringContaining('Unhandled non-multipart (text/x-not-multipart) userdata'),
      ]);
    });

    it.each(
      [
        ['docker run hello', 'docker: command not found'],
        [
          'dnf install -y docker; docker login',
          'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
        ],
        ['systemctl enable docker', 'Failed to enable unit: Unit file docker.service does not exist.'],
        ['yum install docker', 'Is this ok [y/N]: Operation aborted.'],
        ['dnf install -y nginx', 'dnf install nginx is not modelled by the embedded AWS'],
        ['aws s3 cp s3://bucket/key .', 'aws s3 cp s3://bucket/key . is not modelled by the embedded AWS'],
        ['curl -s https://example.com', 'curl of https://example.com is not modelled by the embedded AWS'],
        ['systemctl stop docker', 'systemctl stop is not modelled by the embedded AWS'],
        [
          `${dockerReady} >/dev/null; docker compose up`,
          'docker compose is not modelled by the embedded AWS',
        ],
        [
          `${dockerReady} >/dev/null; docker run --privileged x`,
          'docker run --privileged is not modelled by the embedded AWS',
        ],
        [
          `${dockerReady} >/dev/null; docker pull nginx`,
          'the image nginx, which is not of ECR, is not modelled by the embedded AWS',
        ],
        [
          `${dockerReady} >/dev/null; docker run ${host}/worker:v9`,
          `docker: Error response from daemon: manifest for ${host}/worker:v9 not found: manifest unknown: Requested image not found`,
        ],
        [
          `dnf install -y docker >/dev/null; systemctl start docker; docker pull ${host}/worker:v9`,
          `Error response from daemon: Head "https://${host}/v2/worker/manifests/v9": no basic auth credentials`,
        ],
        [
          `dnf install -y docker >/dev/null; systemctl start docker; echo guess | docker login -u AWS --password-stdin ${host}`,
          `Error response from daemon: login attempt to https://${host}/v2/ failed with status: 400 Bad Request`,
        ],
      ].map(([script, words]) => ({ script, words })),
    )('a script hears: $words', async ({ script = '', words }) => {
      const lines = await run(script);
      expect(lines.at(-2)).toBe(words);
      expect(lines.at(-1)).toEqual(failure);
    });

    it('an instance without a role has no credentials', async () => {
      const words = 'Unable to locate credentials. You can configure credentials by running "aws configure".';
      expect(await run('aws ecr get-login-password', { instanceProfile: undefined })).toEqual([
        words,
        failure,
      ]);
    });

    describe('the metadata service', () => {
      const ask = `
      token=$(curl -sSf -X PUT "http://169.254.169.254/latest/api/token" -H "X-aws-ec2-metadata-token-ttl-seconds: 60")
      ask() { curl -s -w '\\n' -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"; }`;

      it('tells an instance what it is, and nothing without a token', async () => {
        const id = 'i-0123456789abcdef0';
        const script = `${ask}
        ask instance-id; ask placement/availability-zone; ask local-ipv4; ec2-metadata -i; ec2-metadata --quiet -z
        curl -s -o /dev/null -w '%{http_code}\\n' http://169.254.169.254/latest/meta-data/instance-id
        curl -fs http://169.254.169.254/latest/meta-data/instance-id; echo $?`;
        expect(await run(script, { id })).toEqual([
          id,
          'us-east-1a',
          '10.0.1.5',
          `instance-id: ${id}`,
          'us-east-1a',
          '401',
          '22',
        ]);
      });

      it('takes a token no longer than it lasts', async () => {
        const code = `curl -s -o /dev/null -w '%{http_code}\\n' -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id`;
        expect(await run(`${ask}\n${code}\nsleep 61\n${code}`)).toEqual(['200', '401']);
      });

      it.each([
        [true, 'web-1'],
        [false, '404'],
      ])('with tags in metadata %s answers %s', async (tags, answer) => {
        const script = `${ask}\nask tags/instance/Name | grep -oE 'web-1|404' | head -n 1`;
        const metadata = { isEnabled: true, tokens: 'required', tags };
        expect(await run(script, { metadata })).toEqual([answer]);
      });
    });
  },
);
