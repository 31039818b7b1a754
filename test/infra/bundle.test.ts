import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { bundleOptions } from '../../infra/bundle.ts';
import { DeployerFunction } from '../../infra/deployer-function.ts';
import { newApp, newStack } from './apps.ts';
import { type Resource, readTemplate, resourcesOf } from './templates.ts';

interface Bundle {
  readonly text: string;
  /** The files that it is made of, from the repository's root. */
  readonly files: readonly string[];
}

/** As the construct bundles, and also telling what went in. */
async function bundle(entry: string): Promise<Bundle> {
  const { outputFiles, metafile } = await build({ ...bundleOptions(entry), write: false, metafile: true });
  // Of inputs that came to nothing, nothing is in the bundle.
  const [made] = Object.values(metafile.outputs);
  const files = Object.entries(made?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { text: outputFiles[0]!.text, files: files.map(([path]) => path) };
}

/** The clients of the ports that each function touches, and what its bundle may weigh: 15 % above what it did. */
const functions = [
  {
    entry: 'plan-deployment',
    clients: [
      'auto-scaling',
      'cloudwatch',
      'dynamodb',
      'ec2',
      'ecr',
      'ecs',
      'elastic-load-balancing-v2',
      'service-quotas',
      'sfn',
      'ssm',
    ],
    // 562 of it, wherever EC2 is asked, are its schemas: their computed member names keep esbuild from leaving out what nothing uses.
    kilobytes: 1_410,
  },
  {
    entry: 'launch',
    clients: ['application-auto-scaling', 'auto-scaling', 'dynamodb', 'ec2', 'ecr', 'ecs'],
    kilobytes: 1_390,
  },
  {
    entry: 'await',
    clients: ['auto-scaling', 'cloudwatch', 'dynamodb', 'ecs', 'elastic-load-balancing-v2', 'sfn'],
    kilobytes: 630,
  },
  {
    entry: 'shift',
    clients: ['application-auto-scaling', 'auto-scaling', 'dynamodb', 'ecs', 'elastic-load-balancing-v2'],
    kilobytes: 610,
  },
  {
    entry: 'judge',
    clients: ['auto-scaling', 'cloudwatch', 'dynamodb', 'ecs', 'elastic-load-balancing-v2'],
    kilobytes: 595,
  },
  { entry: 'promote', clients: ['application-auto-scaling', 'auto-scaling', 'dynamodb'], kilobytes: 495 },
  {
    entry: 'terminate',
    clients: [
      'application-auto-scaling',
      'auto-scaling',
      'cloudwatch',
      'cloudwatch-logs',
      'dynamodb',
      'ec2',
      'ecs',
      'elastic-load-balancing-v2',
    ],
    kilobytes: 1_320,
  },
  {
    entry: 'plan-rollback',
    clients: ['dynamodb', 'ec2', 'ecr', 'elastic-load-balancing-v2', 'ssm'],
    kilobytes: 1_260,
  },
  { entry: 'plan-recovery', clients: ['dynamodb', 'sfn'], kilobytes: 430 },
  {
    entry: 'sweep',
    clients: ['application-auto-scaling', 'auto-scaling', 'dynamodb', 'ec2', 'ecr', 'ecs', 'sfn', 'ssm'],
    kilobytes: 1_385,
  },
  { entry: 'signal', clients: ['dynamodb', 'sfn'], kilobytes: 415 },
  { entry: 'announce', clients: ['dynamodb', 'lambda', 'sns'], kilobytes: 560 },
  { entry: 'hook', clients: ['auto-scaling', 'dynamodb', 'lambda', 'sfn'], kilobytes: 595 },
  { entry: 'listener-rule', clients: ['elastic-load-balancing-v2'], kilobytes: 370 },
];

describe.each(functions)('the bundle of $entry', ({ entry, clients, kilobytes }) => {
  it('holds the clients of its ports alone, and stays within its budget', async () => {
    const { text, files } = await bundle(entry);
    const held = files.flatMap((path) => /node_modules\/@aws-sdk\/client-([^/]+)\//.exec(path)?.[1] ?? []);
    expect([...new Set(held)].toSorted()).toEqual(clients);
    expect(text.length / 1_000).toBeLessThan(kilobytes);
  });

  it('holds no translations, no chain of credential sources, and no CommonJS of its libraries where there is better', async () => {
    const { files } = await bundle(entry);
    const unwanted =
      /zod\/.*\/locales\/(?!en\.)|@aws-sdk\/credential-provider-(?:ini|sso|process|web-identity|node|login)|@aws-sdk\/token-providers|@smithy\/credential-provider-imds/;
    expect(files.filter((path) => unwanted.test(path))).toEqual([]);
    expect(
      files.filter((path) => /node_modules\/(?:@aws-sdk|@smithy|zod)\/.*(?:dist-cjs\/|\.cjs$)/.test(path)),
    ).toEqual([]);
  });
});

describe('the construct', () => {
  it('makes the very bundle that is measured here', async () => {
    const outdir = mkdtempSync(join(tmpdir(), 'cutover-bundle-'));
    try {
      const app = newApp({ outdir, bundled: true });
      const stack = newStack(app, 'One');
      new DeployerFunction(stack, 'Shift', {
        entry: 'shift',
        description: '',
        environment: {},
        logRetention: RetentionDays.ONE_DAY,
      });
      const template = readTemplate(app.synth().getStackByName('One').templateFullPath);
      const [, made] = resourcesOf(template, 'AWS::Lambda::Function')[0]! as [
        string,
        Resource & { Metadata?: unknown },
      ];
      const { S3Key } = made.Properties['Code'] as { S3Key: string };
      const asset = readFileSync(join(outdir, `asset.${S3Key.replace('.zip', '')}`, 'shift.mjs'), 'utf8');
      expect(asset).toBe((await bundle('shift')).text);
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });
});
