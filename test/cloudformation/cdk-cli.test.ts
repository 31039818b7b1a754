import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CfnOutput, Stack } from 'aws-cdk-lib';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';
import { newApp } from './example-app.ts';

const cli = join(import.meta.dirname, '../../node_modules/aws-cdk/bin/cdk');

let folder: string;
let clock: FastForwardClock;
let aws: EmbeddedAws;
const failures: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdk-cli-'));
  const onFailure = (failure: unknown): void => void failures.push(failure);
  clock = new FastForwardClock({ speed: 20, onFailure });
  aws = await createEmbeddedAws({ clock, sharedOffset: clock.shared, port: 0, onFailure });
});

afterEach(async () => {
  await aws.close();
  clock.stop();
  await rm(folder, { recursive: true });
  if (failures.length > 0) throw new AggregateError(failures, 'faults of the embedded AWS');
});

function assembly(name: string, value: string): string {
  const app = newApp(join(folder, name));
  const stack = new Stack(app, 'Shop');
  const shown = new StringParameter(stack, 'Shown', { parameterName: '/shown', stringValue: value });
  new CfnOutput(stack, 'Name', { value: shown.parameterName });
  return app.synth().directory;
}

async function cdk(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [cli, ...args, '--app', directory, '--no-color', '--no-notices'],
    {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
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

/** Of calls whose failure is no answer to a question such as "is there this stack". */
function refusedCalls(): string[] {
  return aws.calls
    .records()
    .filter(
      ({ error }) =>
        error !== undefined && error !== 'ValidationError' && error !== 'ChangeSetNotFoundException',
    )
    .map(({ service, operation, error }) => `${service} ${operation} ${error}`);
}

describe('the pinned CLI of the CDK, unmodified', () => {
  // Most of the time is the CLI's own polling, five seconds per operation.
  it('deploys, tells differences, and destroys', { timeout: 90_000 }, async () => {
    const [first, second] = [assembly('first', 'one'), assembly('second', 'two')];
    const deployed = await cdk(first, 'deploy', '--require-approval', 'never');
    expect(deployed).toContain('Shop.Name = /shown');
    // Its roles could be assumed: the CLI warns when it goes on without.
    expect(deployed).not.toMatch(/could not be used to assume|Could not assume/i);
    expect(await cdk(first, 'diff')).toContain('There were no differences');
    const differences = await cdk(second, 'diff');
    expect(differences).toContain('[~] AWS::SSM::Parameter');
    expect(differences).toMatch(/\[-\] one\s+.*\[\+\] two/s);
    expect(await cdk(first, 'destroy', '--force')).toContain('destroyed');
    await expect(
      aws.dispatcher.call('ssm', 'GetParameter', { Name: '/shown' }, { kind: 'root' }),
    ).rejects.toMatchObject({ code: 'ParameterNotFound' });
    expect(refusedCalls()).toEqual(['ssm GetParameter ParameterNotFound']);
  });
});
