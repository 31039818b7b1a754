import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ImageAlreadyExistsException,
  ImageNotFoundException,
  ImageTagAlreadyExistsException,
  LayersNotFoundException,
  LifecyclePolicyNotFoundException,
  ListImagesCommand,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutImageScanningConfigurationCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  paginateDescribeImages,
  RepositoryAlreadyExistsException,
  RepositoryNotEmptyException,
  RepositoryNotFoundException,
  RepositoryPolicyNotFoundException,
  ScanNotFoundException,
  SetRepositoryPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { manifestTypes } from '../../local/registry/manifest.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import { clientOf } from './clients.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';

const registryId = '123456789012';
const repositoryArn = 'arn:aws:ecr:us-east-1:123456789012:repository/web';

let embedded: EmbeddedRegistry;
let ecr: ECRClient;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start();
  ecr = clientOf(embedded).client;
  await ecr.send(
    new CreateRepositoryCommand({ repositoryName: 'web', tags: [{ Key: 'team', Value: 'shop' }] }),
  );
});
afterEach(async () => {
  await embedded.close();
});

function push(tag: string, content = tag): Promise<string> {
  return pushImage(
    { layers: [{ '/app': { content } }], config: { Cmd: ['/app'] } },
    { registry: embedded.url, repository: 'web', tag },
  );
}

const repositoryName = 'web';

describe('repositories', () => {
  test('are described as on AWS', async () => {
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['web'] }));
    expect(repositories).toEqual([
      {
        registryId,
        repositoryName,
        repositoryArn,
        repositoryUri: '123456789012.dkr.ecr.us-east-1.amazonaws.com/web',
        createdAt: new Date(embedded.clock.now()),
        imageTagMutability: 'MUTABLE',
        imageScanningConfiguration: { scanOnPush: false },
        encryptionConfiguration: { encryptionType: 'AES256' },
      },
    ]);
  });

  test('are listed page by page', async () => {
    for (const name of ['api', 'jobs']) await ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
    const first = await ecr.send(new DescribeRepositoriesCommand({ maxResults: 2 }));
    const second = await ecr.send(
      new DescribeRepositoriesCommand({
        maxResults: 2,
        ...(first.nextToken === undefined ? {} : { nextToken: first.nextToken }),
      }),
    );
    const names = [first, second].map((page) =>
      page.repositories?.map((repository) => repository.repositoryName),
    );
    expect(names).toEqual([['web', 'api'], ['jobs']]);
    expect(second.nextToken).toBeUndefined();
  });

  test('are created once, with a name that ECR takes', async () => {
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toThrow(
      RepositoryAlreadyExistsException,
    );
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName: 'Web' }))).rejects.toThrow(
      "Invalid parameter at 'repositoryName'",
    );
    await expect(ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['nope'] }))).rejects.toThrow(
      RepositoryNotFoundException,
    );
  });

  test('with images are deleted by force only', async () => {
    await push('v1');
    await expect(ecr.send(new DeleteRepositoryCommand({ repositoryName }))).rejects.toThrow(
      RepositoryNotEmptyException,
    );
    await ecr.send(new DeleteRepositoryCommand({ repositoryName, force: true }));
    await expect(ecr.send(new ListImagesCommand({ repositoryName }))).rejects.toThrow(
      RepositoryNotFoundException,
    );
  });

  test('keep their settings', async () => {
    await expect(ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).rejects.toThrow(
      LifecyclePolicyNotFoundException,
    );
    await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).rejects.toThrow(
      RepositoryPolicyNotFoundException,
    );
    await expect(
      ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: '{' })),
    ).rejects.toThrow('Invalid JSON syntax');
    const policy = '{"rules":[]}';
    await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: policy }));
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: '{"Statement":[]}' }));
    await ecr.send(
      new PutImageScanningConfigurationCommand({
        repositoryName,
        imageScanningConfiguration: { scanOnPush: true },
      }),
    );
    expect(await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).toMatchObject({
      lifecyclePolicyText: policy,
    });
    expect(await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).toMatchObject({
      policyText: '{"Statement":[]}',
    });
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({}));
    expect(repositories?.[0]?.imageScanningConfiguration).toEqual({ scanOnPush: true });
    await ecr.send(
      new TagResourceCommand({ resourceArn: repositoryArn, tags: [{ Key: 'env', Value: 'test' }] }),
    );
    await ecr.send(new UntagResourceCommand({ resourceArn: repositoryArn, tagKeys: ['team'] }));
    expect((await ecr.send(new ListTagsForResourceCommand({ resourceArn: repositoryArn }))).tags).toEqual([
      { Key: 'env', Value: 'test' },
    ]);
  });
});

describe('images', () => {
  test('are described with their first push, however they are tagged later', async () => {
    const imageDigest = await push('v1');
    const pushedAt = new Date(embedded.clock.now());
    await embedded.clock.advance(60_000);
    await push('v2', 'v1');
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v2' }] }),
    );
    expect(imageDetails).toEqual([
      {
        registryId,
        repositoryName,
        imageDigest,
        imageTags: ['v1', 'v2'],
        imageSizeInBytes: expect.any(Number),
        imagePushedAt: pushedAt,
        imageManifestMediaType: manifestTypes.ociManifest,
        artifactMediaType: 'application/vnd.oci.image.config.v1+json',
        imageStatus: 'ACTIVE',
      },
    ]);
  });

  test('are listed page by page, tagged or not', async () => {
    for (const tag of ['v1', 'v2', 'v3']) await push(tag);
    const untagged = await push('v4');
    await push('v4', 'another image takes the tag');
    const found: (string | undefined)[] = [];
    for await (const page of paginateDescribeImages({ client: ecr, pageSize: 2 }, { repositoryName })) {
      found.push(...(page.imageDetails ?? []).map((detail) => detail.imageTags?.join()));
    }
    expect(found).toEqual(['v1', 'v2', 'v3', undefined, 'v4']);
    const { imageIds } = await ecr.send(
      new ListImagesCommand({ repositoryName, filter: { tagStatus: 'UNTAGGED' } }),
    );
    expect(imageIds).toEqual([{ imageDigest: untagged }]);
    expect(
      (await ecr.send(new ListImagesCommand({ repositoryName, filter: { tagStatus: 'TAGGED' } }))).imageIds,
    ).toHaveLength(4);
  });

  test('that are not there are an error to describe, a failure to get', async () => {
    await expect(
      ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'nope' }] })),
    ).rejects.toThrow(ImageNotFoundException);
    const { failures } = await ecr.send(
      new BatchGetImageCommand({
        repositoryName,
        imageIds: [{ imageTag: 'nope' }, {}, { imageDigest: 'x' }],
      }),
    );
    expect(failures?.map((failure) => failure.failureCode)).toEqual([
      'ImageNotFound',
      'MissingDigestAndTag',
      'InvalidImageDigest',
    ]);
  });

  test('are tagged again by their manifest, which is a push', async () => {
    const imageDigest = await push('v1');
    const { images } = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }),
    );
    const { imageManifest } = images?.[0] ?? {};
    const tagged = await ecr.send(
      new PutImageCommand({ repositoryName, imageManifest, imageTag: 'retain-1' }),
    );
    expect(tagged.image?.imageId).toEqual({ imageDigest, imageTag: 'retain-1' });
    expect(embedded.events.at(-1)?.detail).toMatchObject({
      'action-type': 'PUSH',
      'image-digest': imageDigest,
      'image-tag': 'retain-1',
    });
    await expect(
      ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'retain-1' })),
    ).rejects.toThrow(ImageAlreadyExistsException);
  });

  test('keep immutable tags where they are', async () => {
    await push('v1');
    const imageManifest = (
      await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }))
    ).images?.[0]?.imageManifest;
    await push('v2');
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: 'IMMUTABLE' }));
    await expect(
      ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v2' })),
    ).rejects.toThrow(ImageTagAlreadyExistsException);
  });

  test('need their layers', async () => {
    const config = { mediaType: 'c', digest: `sha256:${'0'.repeat(64)}`, size: 1 };
    const imageManifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestTypes.ociManifest,
      config,
      layers: [],
    });
    await expect(ecr.send(new PutImageCommand({ repositoryName, imageManifest }))).rejects.toThrow(
      LayersNotFoundException,
    );
    const { layers, failures } = await ecr.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [config.digest, 'nonsense'] }),
    );
    expect(layers).toEqual([{ layerDigest: config.digest, layerAvailability: 'UNAVAILABLE' }]);
    expect(failures?.[0]?.failureCode).toBe('InvalidLayerDigest');
  });

  test('are deleted tag by tag, or by digest with all tags', async () => {
    const imageDigest = await push('v1');
    for (const tag of ['v2', 'v3']) await push(tag, 'v1');
    const first = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }, { imageTag: 'nope' }] }),
    );
    expect(first).toMatchObject({
      imageIds: [{ imageDigest, imageTag: 'v1' }],
      failures: [{ failureCode: 'ImageNotFound' }],
    });
    const second = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest }] }),
    );
    expect(second.imageIds).toEqual([
      { imageDigest, imageTag: 'v2' },
      { imageDigest, imageTag: 'v3' },
    ]);
    const deletions = embedded.events
      .map((event) => event.detail as Record<string, unknown>)
      .filter((detail) => detail['action-type'] === 'DELETE');
    expect(deletions.map((detail) => detail['image-tag'])).toEqual(['v1', 'v2', 'v3']);
  });

  test('in an index are not deleted before it', async () => {
    const imageDigest = await push('v1');
    const imageManifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestTypes.ociIndex,
      manifests: [{ mediaType: manifestTypes.ociManifest, digest: imageDigest, size: 1 }],
    });
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'index' }));
    const { imageIds, failures } = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest }] }),
    );
    expect(imageIds).toEqual([]);
    expect(failures?.[0]?.failureCode).toBe('ImageReferencedByManifestList');
  });

  test('have not been scanned', async () => {
    await push('v1');
    await expect(
      ecr.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId: { imageTag: 'v1' } })),
    ).rejects.toThrow(ScanNotFoundException);
  });
});

test('docker login gets a token for twelve hours, for the registry where it is', async () => {
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
  const [grant] = authorizationData ?? [];
  expect(Buffer.from(grant?.authorizationToken ?? '', 'base64').toString()).toMatch(/^AWS:.+/);
  expect(grant?.expiresAt).toEqual(new Date(embedded.clock.now() + 12 * 3_600_000));
  expect(grant?.proxyEndpoint).toBe(embedded.url);
  expect(await ecr.send(new DescribeRegistryCommand({}))).toMatchObject({
    registryId,
    replicationConfiguration: { rules: [] },
  });
});

test('a configuration is downloaded like a layer, from where ECR says', async () => {
  const image = { layers: [{ '/app': { content: 'v1' } }], config: { Cmd: ['/app'] }, architecture: 'arm64' };
  const imageDigest = await pushImage(image, { registry: embedded.url, repository: 'web', tag: 'v1' });
  const { images } = await ecr.send(
    new BatchGetImageCommand({ repositoryName: 'web', imageIds: [{ imageDigest }] }),
  );
  const { config } = JSON.parse(images?.[0]?.imageManifest ?? '') as { config: { digest: string } };
  const { downloadUrl = '', layerDigest } = await ecr.send(
    new GetDownloadUrlForLayerCommand({ repositoryName: 'web', layerDigest: config.digest }),
  );
  expect(layerDigest).toBe(config.digest);
  expect(await (await fetch(downloadUrl)).json()).toMatchObject({ os: 'linux', architecture: 'arm64' });
  const unknown = new GetDownloadUrlForLayerCommand({ repositoryName: 'web', layerDigest: imageDigest });
  await expect(ecr.send(unknown)).rejects.toThrow(LayersNotFoundException);
});
