import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;
let clock: FastForwardClock;
let aws: EmbeddedAws;
const faults: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cutover-cdk-'));
  const onFailure = (failure: unknown): void => void faults.push(failure);
  clock = new FastForwardClock({ speed: 20, onFailure });
  aws = await createEmbeddedAws({ clock, sharedOffset: clock.shared, port: 0, onFailure });
});

afterAll(async () => {
  await aws?.close();
  clock?.stop();
  await rm(folder, { recursive: true, force: true });
  if (faults.length > 0) throw new AggregateError(faults, 'faults of the embedded AWS');
});

/** The pinned CLI, as a person runs it in the repository. */
async function cdk(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [join(root, 'node_modules/aws-cdk/bin/cdk'), ...args, '--no-color', '--no-notices'],
    {
      cwd: root,
      maxBuffer: 16 * 2 ** 20,
      env: {
        // The app's command says `node`; it must be this one.
        PATH: `${root}node_modules/.bin:${process.env['PATH'] ?? ''}`,
        HOME: folder,
        AWS_ENDPOINT_URL: aws.endpoint,
        AWS_ACCESS_KEY_ID: 'any',
        AWS_SECRET_ACCESS_KEY: 'any',
        AWS_REGION: 'us-east-1',
        CDK_DISABLE_CLI_TELEMETRY: 'true',
      },
    },
  );
  return stdout + stderr;
}

/** A changed stack in the middle of a canary: test/end-to-end/stack-update.test.ts. */
it('cdk deploy and diff work with AWS_ENDPOINT_URL', { timeout: 180_000 }, async () => {
  const output = join(folder, 'first');
  expect(await cdk('deploy', '--output', output, '--require-approval', 'never')).toContain(
    'Cutover.LedgerTable = ',
  );
  expect(await cdk('diff', '--app', output)).toContain('There were no differences');
});
