/** For which platforms an image is, through the real client, the embedded ECR and its registry. */
import { ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EcrPlatforms } from '../../functions/aws/ecr-platforms.ts';
import { type Digest, digest } from '../../functions/core/names.ts';
import { AwsError, type Operations } from '../../local/call.ts';
import { manifestTypes } from '../../local/registry/manifest.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import { digestOf } from '../core/examples.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';
import { embedded } from '../wire/embedded.ts';

let registry: EmbeddedRegistry;
let aws: Awaited<ReturnType<typeof embedded>>;
let client: ECRClient;
let images: EcrPlatforms;
/** Stands in for ECR's answer about where a blob is. */
let link: ((input: { repositoryName: string; layerDigest: string }) => object) | undefined;
beforeEach(async () => {
  link = undefined;
  registry = await EmbeddedRegistry.start('web');
  const { operations } = registry.ecr;
  aws = await embedded({
    ecr: {
      ...operations,
      // The registry has a port of its own here.
      GetDownloadUrlForLayer: (input: { repositoryName: string; layerDigest: string }, call) =>
        link?.(input) ??
        operations['GetDownloadUrlForLayer']!(input as never, { ...call, endpoint: registry.url }),
    } satisfies Operations,
  });
  client = new ECRClient(aws.client);
  images = new EcrPlatforms(client);
});
afterEach(async () => {
  client.destroy();
  await aws.close();
  await registry.close();
});

async function push(tag: string, architecture: string): Promise<Digest> {
  const image = { layers: [{ '/app': { content: tag } }], config: { Cmd: ['/app'] }, architecture };
  return digest.parse(await pushImage(image, { registry: registry.url, repository: 'web', tag }));
}

async function putIndex(manifests: readonly object[]): Promise<Digest> {
  const manifest = { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests };
  const { image } = await client.send(
    new PutImageCommand({
      repositoryName: 'web',
      imageManifest: JSON.stringify(manifest),
      imageTag: 'multi',
    }),
  );
  return digest.parse(image?.imageId?.imageDigest);
}

const operations = () => aws.calls.records().map(({ operation }) => operation);

describe('the platform', () => {
  it.each(['amd64', 'arm64'])('of an image for %s is read from its configuration', async (architecture) => {
    const one = await push('v1', architecture);
    expect(await images.platforms('web', one)).toEqual([{ os: 'linux', architecture }]);
    expect(operations()).toEqual(['BatchGetImage', 'GetDownloadUrlForLayer']);
  });

  it('of each image of an index is read from the index, without its attestations', async () => {
    const mediaType = manifestTypes.ociManifest;
    const [intel, arm] = [await push('intel', 'amd64'), await push('arm', 'arm64')];
    const index = await putIndex([
      { mediaType, digest: intel, size: 1, platform: { os: 'linux', architecture: 'amd64' } },
      { mediaType, digest: arm, size: 1, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { mediaType, digest: arm, size: 1, platform: { os: 'unknown', architecture: 'unknown' } },
      { mediaType, digest: arm, size: 1 },
    ]);
    expect(await images.platforms('web', index)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ]);
    expect(operations().filter((each) => each === 'GetDownloadUrlForLayer')).toEqual([]);
  });

  it.each(['web', 'nope'])('of an image that %s does not hold is not known', async (repository) => {
    expect(await images.platforms(repository, digestOf(9))).toBeUndefined();
  });

  it.each([
    ['is no JSON', 'data:,nonsense'],
    ['says nothing', 'data:,{}'],
  ])('is none when the configuration %s', async (_, downloadUrl) => {
    const one = await push('v1', 'amd64');
    link = () => ({ downloadUrl });
    expect(await images.platforms('web', one)).toEqual([]);
  });
});

describe('a configuration that cannot be had', () => {
  it('is told without the link, which lets whoever has it read the blob', async () => {
    const one = await push('v1', 'amd64');
    link = ({ layerDigest }) => ({ downloadUrl: `${registry.url}/v2/nope/blobs/${layerDigest}?secret` });
    const failure = images.platforms('web', one);
    await expect(failure).rejects.toMatchObject({
      name: 'Cutover.AwsRefused',
      message: expect.stringMatching(/^the layer sha256:\w+ of web could not be fetched: HTTP 404$/),
    });
  });

  it('is told when ECR refuses', async () => {
    const one = await push('v1', 'amd64');
    link = () => {
      throw new AwsError('AccessDeniedException', 'no');
    };
    await expect(images.platforms('web', one)).rejects.toMatchObject({
      name: 'Cutover.AwsRefused',
      message: `AWS refused while reading for which platform web@${one} is: AccessDeniedException: no`,
    });
  });

  it('is not read when it is larger than any is', async () => {
    const config = {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(1),
      size: 1_000_001,
    };
    registry.registry.repository('web').blobs.add(config.digest);
    const { image } = await client.send(
      new PutImageCommand({
        repositoryName: 'web',
        imageManifest: JSON.stringify({
          schemaVersion: 2,
          mediaType: manifestTypes.ociManifest,
          config,
          layers: [],
        }),
        imageTag: 'huge',
      }),
    );
    await expect(images.platforms('web', digest.parse(image?.imageId?.imageDigest))).rejects.toThrow(
      'has 1000001 bytes, more than are read',
    );
  });
});
