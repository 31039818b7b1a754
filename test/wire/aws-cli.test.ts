import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from './embedded.ts';

const cli = '/usr/bin/aws';
const installed = existsSync(cli);
const run = promisify(execFile);

const targetGroup = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-blue/1';
const seen: unknown[] = [];
const services = {
  elbv2: {
    ModifyRule(input: unknown) {
      seen.push(input);
      return {
        Rules: [{ RuleArn: 'r', Priority: '1', Actions: [{ Type: 'forward', TargetGroupArn: targetGroup }] }],
      };
    },
  },
  cloudwatch: {
    DescribeAlarms: () => ({ MetricAlarms: [{ AlarmName: 'red', StateValue: 'ALARM' }] }),
  },
  ecs: { ListClusters: () => ({ clusterArns: ['arn:aws:ecs:us-east-1:123456789012:cluster/main'] }) },
};

// One process of the CLI takes over half a second: few calls, in parallel.
describe.skipIf(!installed)(`the AWS CLI${installed ? '' : ` (skipped: ${cli} is not installed)`}`, () => {
  let aws: Awaited<ReturnType<typeof embedded>>;
  let folder: string;
  beforeAll(async () => {
    aws = await embedded(services);
    folder = await mkdtemp(join(tmpdir(), 'aws-cli-'));
  });
  afterAll(async () => {
    await aws.close();
    await rm(folder, { recursive: true });
  });

  async function cliOutput(...args: string[]): Promise<string> {
    const { stdout } = await run(cli, ['--endpoint-url', aws.endpoint, '--output', 'json', ...args], {
      env: {
        PATH: '/usr/bin:/bin',
        HOME: folder,
        AWS_ACCESS_KEY_ID: 'AKIDTEST',
        AWS_SECRET_ACCESS_KEY: 'secret',
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_PAGER: '',
        AWS_MAX_ATTEMPTS: '1',
      },
    });
    return stdout;
  }

  it('reads and writes by query, json and rest', async () => {
    const [identity, rules, alarms, clusters, parameter] = await Promise.all([
      cliOutput('sts', 'get-caller-identity'),
      cliOutput(
        'elbv2',
        'modify-rule',
        '--rule-arn',
        'r',
        '--actions',
        `Type=forward,TargetGroupArn=${targetGroup}`,
      ),
      cliOutput('cloudwatch', 'describe-alarms'),
      cliOutput('ecs', 'list-clusters'),
      cliOutput('ssm', 'put-parameter', '--name', '/web/hold', '--value', 'x', '--type', 'String'),
    ]);
    expect(JSON.parse(identity)).toMatchObject({ Account: '123456789012' });
    expect(JSON.parse(rules)).toMatchObject({
      Rules: [{ Actions: [{ Type: 'forward', TargetGroupArn: targetGroup }] }],
    });
    expect(seen).toEqual([{ RuleArn: 'r', Actions: [{ Type: 'forward', TargetGroupArn: targetGroup }] }]);
    expect(JSON.parse(alarms)).toMatchObject({ MetricAlarms: [{ AlarmName: 'red', StateValue: 'ALARM' }] });
    expect(JSON.parse(clusters)).toEqual({
      clusterArns: ['arn:aws:ecs:us-east-1:123456789012:cluster/main'],
    });
    expect(JSON.parse(parameter)).toMatchObject({ Version: 1 });
  });

  it('shows errors with their codes', async () => {
    const [json, query] = await Promise.allSettled([
      cliOutput('ssm', 'get-parameter', '--name', 'none'),
      cliOutput('iam', 'get-role', '--role-name', 'none'),
    ]);
    expect(json).toMatchObject({ reason: { stderr: expect.stringContaining('(ParameterNotFound)') } });
    expect(query).toMatchObject({
      reason: {
        stderr: expect.stringMatching(
          /\(NoSuchEntity\) when calling the GetRole operation.*: The role with name none cannot/,
        ),
      },
    });
  });

  it('moves files to and from S3, large ones in parts', async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 'large');
    await writeFile(join(folder, 'large'), large);
    await cliOutput('s3', 'mb', 's3://assets');
    await cliOutput('s3', 'cp', join(folder, 'large'), 's3://assets/deep/large');
    expect(Buffer.compare(aws.buckets.get('assets', 'deep/large').body, large)).toBe(0);
    const [listing] = await Promise.all([
      cliOutput('s3', 'ls', 's3://assets/deep/'),
      cliOutput('s3', 'cp', 's3://assets/deep/large', join(folder, 'copy')),
    ]);
    expect(listing).toContain('9437184 large');
    expect(Buffer.compare(await readFile(join(folder, 'copy')), large)).toBe(0);
  });
});
