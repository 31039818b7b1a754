/** Scans and managed signing of the embedded ECR, through the SDK's client. */
import {
  CreateRepositoryCommand,
  DeleteSigningConfigurationCommand,
  DescribeImageScanFindingsCommand,
  type DescribeImageScanFindingsCommandOutput,
  DescribeImageSigningStatusCommand,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
  GetRegistryScanningConfigurationCommand,
  GetSigningConfigurationCommand,
  LayerInaccessibleException,
  LayersNotFoundException,
  ListImageReferrersCommand,
  PutRegistryScanningConfigurationCommand,
  PutSigningConfigurationCommand,
  ScanNotFoundException,
  SigningConfigurationNotFoundException,
  StartImageScanCommand,
  UnsupportedImageTypeException,
  ValidationException,
} from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pushImage } from '../../local/registry/oci-image.ts';
import { clientOf } from './clients.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';
import { pushArtifact, pushBytes, pushIndex } from './push-artifact.ts';

const repositoryName = 'web';
const profile = 'arn:aws:signer:us-east-1:123456789012:/signing-profiles/shop_release';

let embedded: EmbeddedRegistry;
let ecr: ECRClient;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start();
  ecr = clientOf(embedded).client;
});
afterEach(async () => {
  await embedded.close();
});

async function makeRepository(scanOnPush = true): Promise<void> {
  await ecr.send(new CreateRepositoryCommand({ repositoryName, imageScanningConfiguration: { scanOnPush } }));
}
function push(tag: string): Promise<string> {
  return pushImage(
    { layers: [{ '/app': { content: tag } }], config: { Cmd: ['/app'] } },
    { registry: embedded.url, repository: repositoryName, tag },
  );
}
const findings = (imageDigest: string, more: object = {}): Promise<DescribeImageScanFindingsCommandOutput> =>
  ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageDigest }, ...more }));

describe('a basic scan', () => {
  test('begins with the push, and is over some seconds later', async () => {
    await makeRepository();
    const digest = await push('v1');
    embedded.ecr.scans.finds(digest, {
      vulnerabilities: [{ name: 'CVE-2026-1', severity: 'HIGH', package: 'openssl', version: '3.0.1' }],
    });
    await expect(findings(digest)).rejects.toThrow(ScanNotFoundException);
    await embedded.clock.advance(2_000);
    expect(await findings(digest)).toMatchObject({ imageScanStatus: { status: 'IN_PROGRESS' } });
    await embedded.clock.advance(10_000);
    const at = new Date(embedded.clock.now());
    const { $metadata: _, ...answer } = await findings(digest);
    expect(answer).toEqual({
      registryId: '123456789012',
      repositoryName,
      imageId: { imageDigest: digest },
      imageScanStatus: { status: 'COMPLETE', description: 'The scan was completed successfully.' },
      imageScanFindings: {
        imageScanCompletedAt: at,
        vulnerabilitySourceUpdatedAt: at,
        findingSeverityCounts: { HIGH: 1 },
        findings: [
          {
            name: 'CVE-2026-1',
            uri: 'http://people.ubuntu.com/~ubuntu-security/cve/CVE-2026-1',
            severity: 'HIGH',
            attributes: [
              { key: 'package_version', value: '3.0.1' },
              { key: 'package_name', value: 'openssl' },
            ],
          },
        ],
      },
    });
    expect(embedded.events.at(-1)).toMatchObject({
      source: 'aws.ecr',
      detailType: 'ECR Image Scan',
      resources: ['arn:aws:ecr:us-east-1:123456789012:repository/web'],
      detail: {
        'scan-status': 'COMPLETE',
        'repository-name': 'web',
        'finding-severity-counts': { HIGH: 1 },
        'image-digest': digest,
        'image-tags': ['v1'],
      },
    });
  });

  test('is listed page by page', async () => {
    await makeRepository();
    const digest = await push('v1');
    const vulnerabilities = [1, 2, 3].map(
      (n) => ({ name: `CVE-${n}`, severity: 'LOW', package: 'a' }) as const,
    );
    embedded.ecr.scans.finds(digest, { vulnerabilities });
    await embedded.clock.advance(12_000);
    const first = await findings(digest, { maxResults: 2 });
    const second = await findings(digest, { maxResults: 2, nextToken: first.nextToken });
    const names = [first, second].map((page) => page.imageScanFindings?.findings?.map(({ name }) => name));
    expect(names).toEqual([['CVE-1', 'CVE-2'], ['CVE-3']]);
    expect(second.nextToken).toBeUndefined();
  });

  test('can come to something else than findings', async () => {
    await makeRepository();
    const digest = await push('v1');
    const description =
      'UnsupportedImageError: The operating system and/or package manager are not supported.';
    embedded.ecr.scans.finds(digest, { status: 'FAILED', description });
    await embedded.clock.advance(12_000);
    const { imageScanStatus, imageScanFindings } = await findings(digest);
    expect(imageScanStatus).toEqual({ status: 'FAILED', description });
    expect(imageScanFindings).toBeUndefined();
  });

  test('is started by hand where pushes start none, once in a day', async () => {
    await makeRepository(false);
    const imageDigest = await push('v1');
    await embedded.clock.advance(60_000);
    await expect(findings(imageDigest)).rejects.toThrow(ScanNotFoundException);
    const start = new StartImageScanCommand({ repositoryName, imageId: { imageDigest } });
    expect(await ecr.send(start)).toMatchObject({ imageScanStatus: { status: 'IN_PROGRESS' } });
    await embedded.clock.advance(10_000);
    expect(await findings(imageDigest)).toMatchObject({ imageScanStatus: { status: 'COMPLETE' } });
    await expect(ecr.send(start)).rejects.toMatchObject({
      name: 'LimitExceededException',
      message: 'The scan quota per image has been exceeded. Wait and try again.',
    });
    await embedded.clock.advance(24 * 3_600_000);
    expect(await ecr.send(start)).toMatchObject({ imageScanStatus: { status: 'IN_PROGRESS' } });
  });

  test('is of the images of an index, not of the index', async () => {
    await makeRepository();
    const child = await push('amd64');
    const index = await pushIndex(embedded.url, repositoryName, 'v1', [
      { digest: child, platform: 'linux/amd64' },
    ]);
    await embedded.clock.advance(12_000);
    expect(await findings(child)).toMatchObject({ imageScanStatus: { status: 'COMPLETE' } });
    await expect(findings(index)).rejects.toThrow(ScanNotFoundException);
    await expect(
      ecr.send(new StartImageScanCommand({ repositoryName, imageId: { imageDigest: index } })),
    ).rejects.toThrow(UnsupportedImageTypeException);
  });

  test('ends with its image', async () => {
    await makeRepository();
    const digest = await push('v1');
    embedded.registry.deleteImage(repositoryName, { digest });
    await push('v1');
    await expect(findings(digest)).rejects.toThrow(ScanNotFoundException);
    await embedded.clock.advance(12_000);
    expect(embedded.events.filter(({ detailType }) => detailType === 'ECR Image Scan')).toHaveLength(1);
  });
});

describe('a scan by Inspector', () => {
  const inspector = (scanFrequency: 'CONTINUOUS_SCAN' | 'SCAN_ON_PUSH') =>
    ecr.send(
      new PutRegistryScanningConfigurationCommand({
        scanType: 'ENHANCED',
        rules: [{ scanFrequency, repositoryFilters: [{ filter: 'w*', filterType: 'WILDCARD' }] }],
      }),
    );

  test('is unknown for a minute, then pending, then complete without findings, then goes on', async () => {
    await inspector('CONTINUOUS_SCAN');
    await makeRepository(false);
    const digest = await push('v1');
    embedded.ecr.scans.finds(digest, {
      vulnerabilities: [{ name: 'CVE-2026-1', severity: 'UNDEFINED', package: 'xz-utils' }],
    });
    await expect(findings(digest)).rejects.toThrow(ScanNotFoundException);
    await embedded.clock.advance(60_000);
    expect(await findings(digest)).toMatchObject({
      imageScanStatus: { status: 'PENDING', description: 'Pending start of the image scan.' },
      imageScanFindings: { findings: [], enhancedFindings: [] },
    });
    await embedded.clock.advance(10_000);
    const announced = await findings(digest);
    expect(announced.imageScanStatus?.status).toBe('COMPLETE');
    expect(announced.imageScanFindings?.imageScanCompletedAt).toBeUndefined();
    await embedded.clock.advance(5_000);
    expect(await findings(digest)).toMatchObject({
      imageScanStatus: { status: 'ACTIVE', description: 'Continuous scan is selected for image.' },
      imageScanFindings: {
        imageScanCompletedAt: new Date(embedded.clock.now()),
        findingSeverityCounts: { UNDEFINED: 1 },
        enhancedFindings: [
          {
            severity: 'UNTRIAGED',
            title: 'CVE-2026-1 - xz-utils',
            packageVulnerabilityDetails: {
              vulnerabilityId: 'CVE-2026-1',
              vulnerablePackages: [{ name: 'xz-utils', version: '1.0.0' }],
            },
          },
        ],
      },
    });
  });

  test('of the push alone is complete, and none is started by hand', async () => {
    await inspector('SCAN_ON_PUSH');
    await makeRepository(false);
    const imageDigest = await push('v1');
    await embedded.clock.advance(75_000);
    expect(await findings(imageDigest)).toMatchObject({ imageScanStatus: { status: 'COMPLETE' } });
    await expect(
      ecr.send(new StartImageScanCommand({ repositoryName, imageId: { imageDigest } })),
    ).rejects.toThrow(ValidationException);
    expect(await ecr.send(new GetRegistryScanningConfigurationCommand({}))).toMatchObject({
      scanningConfiguration: { scanType: 'ENHANCED' },
    });
  });
});

describe('managed signing', () => {
  const status = async (imageDigest: string) =>
    (await ecr.send(new DescribeImageSigningStatusCommand({ repositoryName, imageId: { imageDigest } })))
      .signingStatuses;

  test('signs what is pushed, with each profile whose rule matches', async () => {
    await makeRepository();
    const before = await push('v0');
    const others = `${profile}_others`;
    const filter = (name: string) => [{ filter: name, filterType: 'WILDCARD_MATCH' as const }];
    await ecr.send(
      new PutSigningConfigurationCommand({
        signingConfiguration: {
          rules: [
            { signingProfileArn: profile },
            { signingProfileArn: others, repositoryFilters: filter('w*') },
            { signingProfileArn: `${profile}_never`, repositoryFilters: filter('api') },
          ],
        },
      }),
    );
    embedded.ecr.signing.fails(others, { failureCode: 'AccessDenied', failureReason: 'not yours' });
    const digest = await push('v1');
    expect(await status(before)).toEqual([]);
    expect(await status(digest)).toEqual([
      { signingProfileArn: profile, status: 'IN_PROGRESS' },
      { signingProfileArn: others, status: 'IN_PROGRESS' },
    ]);
    await embedded.clock.advance(5_000);
    expect(await status(digest)).toEqual([
      { signingProfileArn: profile, status: 'COMPLETE' },
      {
        signingProfileArn: others,
        status: 'FAILED',
        failureCode: 'AccessDenied',
        failureReason: 'not yours',
      },
    ]);
  });

  test('is configured for the registry', async () => {
    const signingConfiguration = { rules: [{ signingProfileArn: profile }] };
    await expect(ecr.send(new GetSigningConfigurationCommand({}))).rejects.toThrow(
      SigningConfigurationNotFoundException,
    );
    await ecr.send(new PutSigningConfigurationCommand({ signingConfiguration }));
    expect(await ecr.send(new GetSigningConfigurationCommand({}))).toMatchObject({ signingConfiguration });
    await ecr.send(new DeleteSigningConfigurationCommand({}));
    await expect(ecr.send(new DeleteSigningConfigurationCommand({}))).rejects.toThrow(
      SigningConfigurationNotFoundException,
    );
  });
});

describe('an artifact', () => {
  test('is listed with what it refers to, page by page', async () => {
    await makeRepository();
    const digest = await push('v1');
    const one = await pushArtifact(embedded.url, repositoryName, { artifactType: 'a/b', subject: digest });
    const other = await pushArtifact(embedded.url, repositoryName, { artifactType: 'c/d', subject: digest });
    const list = (more: object) =>
      ecr.send(
        new ListImageReferrersCommand({ repositoryName, subjectId: { imageDigest: digest }, ...more }),
      );
    const first = await list({ maxResults: 1 });
    const second = await list({ maxResults: 1, nextToken: first.nextToken });
    expect(first.referrers).toMatchObject([{ digest: one, artifactType: 'a/b', artifactStatus: 'ACTIVE' }]);
    expect(second.referrers).toMatchObject([{ digest: other, artifactType: 'c/d' }]);
    const filtered = await list({ filter: { artifactTypes: ['c/d'] } });
    expect(filtered.referrers?.map((each) => each.digest)).toEqual([other]);
    await expect(list({ maxResults: 51 })).rejects.toThrow('between 1 and 50');
  });

  test('has layers that are downloaded from where ECR says', async () => {
    await makeRepository();
    const content = Buffer.from('signed');
    const layer = await pushBytes(embedded.url, repositoryName, content);
    const url = (layerDigest: string) =>
      ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }));
    await expect(url(layer)).rejects.toThrow(LayerInaccessibleException);
    await expect(url(`sha256:${'0'.repeat(64)}`)).rejects.toThrow(LayersNotFoundException);
    await expect(url('latest')).rejects.toThrow("Invalid parameter at 'layerDigest'");
    await pushArtifact(embedded.url, repositoryName, {
      tag: 'x.sig',
      layers: [{ mediaType: 'text/plain', digest: layer, size: content.length }],
    });
    const { downloadUrl = '' } = await url(layer);
    expect(await (await fetch(downloadUrl)).text()).toBe('signed');
  });
});
