import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DescribeAlarmsCommandOutput } from '@aws-sdk/client-cloudwatch';
import type { DescribeRulesCommandOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { GetParameterCommandOutput } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServiceSettings, serviceSettings } from '../../functions/core/service-settings.ts';
import { FastForwardClock } from '../../local/clock.ts';
import { createEmbeddedAws, type EmbeddedAws } from '../../local/embedded-aws.ts';
import { exampleApp } from './apps.ts';

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

const call = <T>(service: string, operation: string, input: object): Promise<T> =>
  aws.dispatcher.call(service, operation, input, { kind: 'root' }) as Promise<T>;

async function settings(): Promise<ServiceSettings> {
  const { Parameter } = await call<GetParameterCommandOutput>('ssm', 'GetParameter', {
    Name: '/cutover/web',
  });
  return serviceSettings.parse(JSON.parse(Parameter?.Value ?? ''));
}

async function weights(): Promise<readonly (number | undefined)[]> {
  const { traffic } = await settings();
  const { Rules } = await call<DescribeRulesCommandOutput>('elasticloadbalancing', 'DescribeRules', {
    RuleArns: [traffic.rule],
  });
  const groups = Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
  return traffic.slots.map(
    ({ targetGroup }) => groups.find(({ TargetGroupArn }) => TargetGroupArn === targetGroup)?.Weight,
  );
}

/** As the deployment's function does in the middle of a canary. */
async function shift(...shares: readonly number[]): Promise<void> {
  const { traffic } = await settings();
  const TargetGroups = traffic.slots.map(({ targetGroup }, index) => ({
    TargetGroupArn: targetGroup,
    Weight: shares[index] ?? 0,
  }));
  await call('elasticloadbalancing', 'ModifyRule', {
    RuleArn: traffic.rule,
    Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
  });
}

it('cdk deploy and diff work with AWS_ENDPOINT_URL, and change no weights in the middle of a canary', {
  timeout: 180_000,
}, async () => {
  const output = join(folder, 'first');
  expect(await cdk('deploy', '--output', output, '--require-approval', 'never')).toContain(
    'Cutover.LedgerTable = ',
  );
  expect(await cdk('diff', '--app', output)).toContain('There were no differences');

  await shift(90, 10);
  const changed = exampleApp({
    outdir: join(folder, 'changed'),
    bundled: true,
    example: { healthDeadlineSeconds: 300, alarmThreshold: 25 },
  }).synth().directory;
  await cdk('deploy', '--app', changed, '--require-approval', 'never');

  expect(await weights()).toEqual([90, 10, 0]);
  expect((await settings()).healthDeadlineSeconds).toBe(300);
  const { MetricAlarms } = await call<DescribeAlarmsCommandOutput>('monitoring', 'DescribeAlarms', {
    AlarmNames: ['web-5xx'],
  });
  expect(MetricAlarms?.map(({ Threshold }) => Threshold)).toEqual([25]);
});
