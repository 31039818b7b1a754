/** How `npm start` ends when it cannot start, or when a person ends it. */

import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DemoProcess, type Ended } from './demo-process.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function start(
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): Promise<DemoProcess> {
  const demo = await DemoProcess.start(args, environment);
  closing.push(() => demo.close());
  return demo;
}

async function endOf(demo: DemoProcess): Promise<Ended> {
  const ended = await demo.ended();
  expect(await demo.leftRunning()).toEqual([]);
  expect(await demo.leftFiles()).toEqual([]);
  return ended;
}

it('--help teaches on stdout', async () => {
  const { code, stdout, stderr } = await endOf(await start(['--help']));
  expect({ code, stderr }).toEqual({ code: 0, stderr: [] });
  for (const flag of ['--once', '--json', '--port', '--speed', '--help'])
    expect(stdout.join('\n')).toContain(flag);
});

describe('one clear line and exit code 2, nothing left running', () => {
  it.each([
    { args: ['--twice'], line: "cutover: Unknown option '--twice'; see npm start -- --help" },
    { args: ['v5'], line: "cutover: Unexpected argument 'v5'; see npm start -- --help" },
    {
      args: ['--port', 'many'],
      line: 'cutover: --port takes a whole number from 0 to 65535, got many; see npm start -- --help',
    },
    {
      args: ['--speed', '0'],
      line: 'cutover: --speed takes a whole number from 1 to 1000, got 0; see npm start -- --help',
    },
    { args: ['--port'], line: "cutover: Option '--port <value>' argument missing; see npm start -- --help" },
  ])('$args', async ({ args, line }) => {
    const { code, stdout, stderr } = await endOf(await start(args));
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: [], stderr: [line] });
  });

  it.each(['--port N', '--port=N'])('a port that is taken: %s', async (form) => {
    const holder = createServer().listen(0, '127.0.0.1');
    closing.push(() => holder.close());
    await once(holder, 'listening');
    const port = String((holder.address() as AddressInfo).port);
    const { code, stdout, stderr } = await endOf(
      await start(['--once', '--json', ...form.replace('N', port).split(' ')]),
    );
    const line = `cutover: port ${port} is taken; choose another with --port, or leave it out for a free one`;
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: [], stderr: [line] });
  });

  it('an image of the demo that cannot be made', async () => {
    const bin = await mkdtemp(join(tmpdir(), 'stop-'));
    closing.push(() => rm(bin, { recursive: true }));
    // The libraries of the Node runtime, which the image needs, as ldd names them: one is not there.
    await writeFile(join(bin, 'ldd'), '#!/bin/sh\necho "libm.so.6 => /nowhere/libm.so.6 (0x1)"\n');
    await chmod(join(bin, 'ldd'), 0o755);
    const { code, stdout, stderr } = await endOf(
      await start(['--once', '--json'], { PATH: `${bin}:${process.env['PATH']}` }),
    );
    expect(code).toBe(2);
    expect(stdout).toHaveLength(1);
    expect(stderr.filter((line) => line.startsWith('cutover: '))).toEqual([
      "cutover: the image web:v1 could not be pushed: ENOENT: no such file or directory, realpath '/nowhere/libm.so.6'",
    ]);
    expect(stderr.at(-1)).toMatch(/^cutover: /);
  });
});

describe('whoever ends it, it ends within seconds, nothing left, and its exit code names the signal', () => {
  it.each([
    ['while the template is synthesized', 'synthesizing the template', 'SIGINT', 130],
    ['while the embedded AWS is provisioned', 'provisioning the embedded AWS', 'SIGTERM', 143],
    ['while an image is pushed', 'pushing web:v1', 'SIGINT', 130],
    ['in the middle of a canary', 'web-g0002 takes traffic', 'SIGHUP', 129],
  ] as const)('%s', async (_when, words, signal, exitCode) => {
    const demo = await start(['--json', '--speed', '60']);
    await demo.says(words);
    const at = Date.now();
    await demo.interrupt(signal);
    const { code, stderr } = await endOf(demo);
    expect(code).toBe(exitCode);
    expect(stderr.filter((line) => line.startsWith('cutover: ') || line.includes('fault'))).toEqual([]);
    expect(Date.now() - at).toBeLessThan(8_000);
  });
});
