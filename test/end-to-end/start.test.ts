/** `npm start -- --once --json`, while another one begins on the same machine. */
import { afterEach, expect, it } from 'vitest';
import * as z from 'zod';
import { DemoProcess } from './demo-process.ts';

const address = z.string().regex(/^http:\/\/127\.0\.0\.1:\d+(?:\/\w*\/?)?$/);
const firstLine = z.strictObject({
  endpoint: address,
  registry: z.string().regex(/^127\.0\.0\.1:\d+$/),
  services: z.strictObject({ web: address, worker: address }),
});
const count = z.int().min(0);
const lastLine = z.strictObject({
  deployments: z.array(
    z.strictObject({
      service: z.enum(['web', 'worker']),
      direction: z.enum(['forward', 'back']),
      image: z.string(),
      generation: z.int().min(1),
      outcome: z.enum(['live', 'restored', 'rejected']),
      reason: z.string().min(1),
      seconds: z.number(),
    }),
  ),
  requests: z.strictObject({ total: count, lost: count, byGeneration: z.record(z.string(), count) }),
  seconds: z.number(),
});

const running: DemoProcess[] = [];
afterEach(async () => {
  for (const demo of running.splice(0)) await demo.close();
});

async function start(): Promise<DemoProcess> {
  const demo = await DemoProcess.start(['--once', '--json']);
  running.push(demo);
  return demo;
}

it('deploys images of two services, each with its outcome, goes back in a rollback, loses no request, and leaves nothing behind', {
  timeout: 240_000,
}, async () => {
  const demo = await start();
  const other = await start();
  await other.says('web:v1 is live');
  await other.interrupt('SIGTERM');
  const first = await other.ended();
  expect(first.code).toBe(143);
  const elsewhere = firstLine.parse(JSON.parse(first.stdout[0] ?? ''));

  const { code, stdout, stderr } = await demo.ended();
  // Its last words say what came out otherwise.
  expect({ code, words: code === 0 ? [] : stderr.slice(-15) }).toEqual({ code: 0, words: [] });
  expect(stdout).toHaveLength(2);
  const ready = firstLine.parse(JSON.parse(stdout[0] ?? ''));
  const { deployments, requests } = lastLine.parse(JSON.parse(stdout[1] ?? ''));
  expect(
    deployments.map(({ direction, image, generation, outcome }) => [direction, image, generation, outcome]),
  ).toEqual([
    ['forward', 'web:v1', 1, 'live'],
    ['forward', 'web:v2', 2, 'live'],
    ['forward', 'web:v3', 3, 'restored'],
    ['forward', 'web:v4', 4, 'restored'],
    ['back', 'web:v1', 1, 'live'],
    ['forward', 'worker:v1', 1, 'live'],
    ['forward', 'worker:v2', 2, 'live'],
    ['forward', 'worker:v3', 3, 'restored'],
  ]);
  expect(deployments[2]?.reason).toContain('did not become healthy within 120 s');
  expect(deployments[3]?.reason).toMatch(/^the alarm .* is red: Threshold Crossed/);
  expect(deployments[4]?.reason).toBe('rollback by you: to see the way back');
  // Hot: nothing is launched. Generous, for the demo shares the machine with everything else.
  expect(deployments[4]?.seconds).toBeLessThan(10);
  expect(deployments[7]?.reason).toContain('did not become healthy within 120 s');
  expect(requests.lost).toBe(0);
  const { byGeneration } = requests;
  expect(Object.keys(byGeneration)).toEqual([
    'web-g0001',
    'web-g0002',
    'web-g0003',
    'web-g0004',
    'worker-g0001',
    'worker-g0002',
    'worker-g0003',
  ]);
  expect(byGeneration['worker-g0002']).toBeGreaterThan(0);
  expect(byGeneration['worker-g0003']).toBe(0);
  expect(Object.values(byGeneration).reduce((sum, each) => sum + each, 0)).toBe(requests.total);
  expect(byGeneration['web-g0003']).toBe(0);
  // A tenth of 20 a second, until the alarm of a metric in minutes is red.
  expect(byGeneration['web-g0004']).toBeGreaterThan(10);
  expect(byGeneration['web-g0004']).toBeLessThan(requests.total / 10);

  expect(demo.started).toBeGreaterThan(4);
  for (const each of [demo, other]) {
    expect(await each.leftRunning()).toEqual([]);
    expect(await each.leftFiles()).toEqual([]);
  }
  for (const url of [ready.endpoint, ready.services.web])
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  const endpoints = [ready, elsewhere].flatMap(({ endpoint, services }) => [endpoint, services.web]);
  expect(new Set(endpoints).size).toBe(4);
});
