/** Somebody deploys the stack while a canary runs: with the pinned CLI, under traffic. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exampleApp } from '../infra/apps.ts';
import { World } from './world.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let world: World;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cutover-update-'));
  world = await World.create();
  // Longer than the CLI takes, however fast the clock runs meanwhile.
  const steps = [
    { weightPercent: 10, bakeSeconds: 86_400 },
    { weightPercent: 100, bakeSeconds: 10 },
  ];
  await world.changeSettings({ strategy: { kind: 'custom', steps } });
  await world.goLive('v1');
});

afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true, force: true });
});

async function cdkDeploy(app: string): Promise<void> {
  await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/aws-cdk/bin/cdk'), 'deploy', '--app', app, '--require-approval', 'never'],
    {
      cwd: root,
      maxBuffer: 16 * 2 ** 20,
      env: {
        PATH: `${root}node_modules/.bin:${process.env['PATH'] ?? ''}`,
        HOME: folder,
        AWS_ENDPOINT_URL: world.aws.endpoint,
        AWS_ACCESS_KEY_ID: 'any',
        AWS_SECRET_ACCESS_KEY: 'any',
        AWS_REGION: 'us-east-1',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
    },
  );
}

it('the weights of the running canary stay, no request is lost, and the deployment goes on', {
  timeout: 150_000,
}, async () => {
  const traffic = world.traffic();
  const outcome = world.watch.outcomeOf('web:v2');
  await world.push('v2');
  const { deployment } = await world.baking('v2');
  const canary = await world.weights();
  expect(Object.values(canary).toSorted((one, other) => one - other)).toEqual([0, 10, 90]);

  const example = { healthDeadlineSeconds: 300, alarmThreshold: 25 };
  await cdkDeploy(exampleApp({ outdir: join(folder, 'changed'), bundled: true, example }).synth().directory);
  expect((await world.settings()).healthDeadlineSeconds).toBe(300);
  expect(await world.weights()).toEqual(canary);
  expect((await world.item()).deployment).toMatchObject({
    phase: 'baking',
    step: 0,
    outcome: null,
    plan: { deployment: deployment?.plan.deployment },
  });

  await world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'the test is over' });
  expect(await outcome).toMatchObject({ outcome: 'restored' });
  const { total, lost, losses } = await traffic.stop();
  expect(losses).toEqual([]);
  expect(lost).toBe(0);
  expect(total).toBeGreaterThan(100);
});
