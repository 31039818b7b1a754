/** Images in the embedded ECR, through the real client. */
import { CreateRepositoryCommand, ECRClient, PutImageCommand } from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EcrImages } from '../../functions/aws/ecr-images.ts';
import { notRunnable } from '../../functions/core/images/registry-image.ts';
import { type Digest, digest } from '../../functions/core/names.ts';
import { manifestTypes } from '../../local/registry/manifest.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import { digestOf } from '../core/examples.ts';
import { EmbeddedRegistry } from '../registry/embedded-registry.ts';
import { embedded } from '../wire/embedded.ts';

const absent = digestOf(9);
let registry: EmbeddedRegistry;
let aws: Awaited<ReturnType<typeof embedded>>;
let client: ECRClient;
let images: EcrImages;
beforeEach(async () => {
  registry = await EmbeddedRegistry.start('web');
  aws = await embedded({ ecr: registry.ecr.operations });
  client = new ECRClient(aws.client);
  images = new EcrImages(client);
});
afterEach(async () => {
  client.destroy();
  await aws.close();
  await registry.close();
});

async function push(tag: string, content = tag): Promise<Digest> {
  const image = { layers: [{ '/app': { content } }], config: { Cmd: ['/app'] } };
  return digest.parse(await pushImage(image, { registry: registry.url, repository: 'web', tag }));
}

/** A manifest of one's own, under a tag. */
async function put(tag: string, manifest: object, repositoryName = 'web'): Promise<Digest> {
  const { image } = await client.send(
    new PutImageCommand({
      repositoryName,
      imageManifest: JSON.stringify({ schemaVersion: 2, ...manifest }),
      imageTag: tag,
    }),
  );
  return digest.parse(image?.imageId?.imageDigest);
}

const tagsOf = async (of: Digest) => (await images.find('web', { digest: of }))?.tags;
const operations = () => aws.calls.records().map(({ operation }) => operation);

describe('an image', () => {
  it('is found by its digest and by its tag, with all that names it', async () => {
    const one = await push('v1');
    await push('v1-again', 'v1');
    const found = {
      digest: one,
      tags: ['v1', 'v1-again'],
      pushedAt: registry.clock.now(),
      manifestType: 'application/vnd.oci.image.manifest.v1+json',
      artifactType: 'application/vnd.oci.image.config.v1+json',
      subject: undefined,
      labels: {},
    };
    expect(await images.find('web', { digest: one })).toEqual(found);
    expect(await images.find('web', { tag: 'v1-again' })).toEqual(found);
    expect(notRunnable(found)).toBeUndefined();
  });

  it.each([
    ['its digest', 'web', { digest: absent }],
    ['its tag', 'web', { tag: 'v9' }],
    ['its repository', 'nope', { tag: 'v1' }],
  ])('is not found when there is none of %s', async (_, repository, reference) => {
    expect(await images.find(repository, reference)).toBeUndefined();
  });

  it('is told from a signature of it and from an index of it', async () => {
    const one = await push('v1');
    const { images: of = [] } = registry.ecr.operations['BatchGetImage']!(
      { repositoryName: 'web', imageIds: [{ imageDigest: one }] } as never,
      undefined as never,
    ) as { images?: { imageManifest?: string }[] };
    const manifest = JSON.parse(of[0]?.imageManifest ?? '') as { config: { digest: string; size: number } };
    const subject = { mediaType: manifestTypes.ociManifest, digest: one, size: 1 };
    const signature = await put('signed', {
      mediaType: manifestTypes.ociManifest,
      artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json',
      config: { ...manifest.config, mediaType: 'application/vnd.oci.empty.v1+json' },
      layers: [],
      subject,
    });
    const index = await put('multi', { mediaType: manifestTypes.ociIndex, manifests: [subject] });
    const [signed, multi] = [
      await images.find('web', { digest: signature }),
      await images.find('web', { digest: index }),
    ];
    expect(signed).toMatchObject({ subject: one });
    expect(notRunnable(signed!)).toContain(one);
    expect(notRunnable({ ...signed!, subject: undefined })).toContain('cosign');
    expect(multi).toMatchObject({ manifestType: manifestTypes.ociIndex, artifactType: undefined });
    expect(notRunnable(multi!)).toBeUndefined();
  });
});

describe('the tagged images', () => {
  it('of a repository are listed in one call, without those that no tag names', async () => {
    await push('v1');
    const two = await push('v2');
    await push('v1', 'another');
    const listed = await images.tagged('web');
    expect(listed.map(({ tags }) => tags)).toHaveLength(2);
    expect(listed.find(({ digest: each }) => each === two)?.tags).toEqual(['v2']);
    expect(operations()).toEqual(['DescribeImages']);
  });

  it('of a large repository are listed page by page', async () => {
    const one = await push('v1');
    const { images: of = [] } = registry.ecr.operations['BatchGetImage']!(
      { repositoryName: 'web', imageIds: [{ imageDigest: one }] } as never,
      undefined as never,
    ) as { images?: { imageManifest?: string }[] };
    const manifest = JSON.parse(of[0]?.imageManifest ?? '') as object;
    const putImage = registry.ecr.operations['PutImage']!;
    for (let number = 2; number <= 1_001; number++) {
      const imageManifest = JSON.stringify({ ...manifest, annotations: { number: String(number) } });
      putImage(
        {
          repositoryName: 'web',
          imageManifest,
          imageManifestMediaType: manifestTypes.ociManifest,
          imageTag: `v${number}`,
        } as never,
        undefined as never,
      );
    }
    expect(new Set((await images.tagged('web')).flatMap(({ tags }) => tags)).size).toBe(1_001);
    expect(operations()).toEqual(['DescribeImages', 'DescribeImages']);
  });

  it('of an empty repository are none', async () => {
    await client.send(new CreateRepositoryCommand({ repositoryName: 'empty' }));
    expect(await images.tagged('empty')).toEqual([]);
  });

  it('of a repository that does not exist cannot be listed', async () => {
    await expect(images.tagged('nope')).rejects.toThrow(
      expect.objectContaining({ name: 'Cutover.AwsRefused' }),
    );
  });
});

describe('which of several can be pulled', () => {
  it('is answered by one call, whatever names them', async () => {
    const one = await push('v1');
    const two = await push('v2');
    await push('v2', 'another');
    expect(await images.existing('web', [one, two, absent, one])).toEqual(new Set([one, two]));
    expect(operations()).toEqual(['BatchGetImage']);
  });

  it('is none in a repository that does not exist, and asks nothing about none', async () => {
    expect(await images.existing('nope', [absent])).toEqual(new Set());
    expect(await images.existing('web', [])).toEqual(new Set());
    expect(operations()).toEqual(['BatchGetImage']);
  });
});

describe.each(['MUTABLE', 'IMMUTABLE'] as const)('a tag in a repository that is %s', (imageTagMutability) => {
  beforeEach(() => {
    registry.registry.deleteRepository('web', { force: true });
    registry.registry.createRepository('web', { imageTagMutability });
  });

  it('is put on once, whether on an image or an index; a repeat finds it', async () => {
    const one = await push('v1');
    const child = { mediaType: manifestTypes.ociManifest, digest: one, size: 1 };
    const index = await put('multi', { mediaType: manifestTypes.ociIndex, manifests: [child] });
    for (const [of, first] of [
      [one, 'v1'],
      [index, 'multi'],
    ] as const) {
      await images.tag('web', of, `retain-${first}`);
      await images.tag('web', of, `retain-${first}`);
      expect(await tagsOf(of)).toEqual([first, `retain-${first}`]);
    }
  });

  it('is taken off; a repeat finds it gone', async () => {
    const one = await push('v1');
    await images.tag('web', one, 'retain-web-g0001');
    await images.untag('web', 'retain-web-g0001');
    await images.untag('web', 'retain-web-g0001');
    expect(await tagsOf(one)).toEqual(['v1']);
  });

  it('stays when it is the only one: the image would go with it', async () => {
    const one = await push('retain-web-g0001');
    await images.untag('web', 'retain-web-g0001');
    expect(await tagsOf(one)).toEqual(['retain-web-g0001']);
    expect(operations()).not.toContain('BatchDeleteImage');
  });

  it('cannot be put on what is gone', async () => {
    await expect(images.tag('web', absent, 'retain-web-g0001')).rejects.toThrow('does not exist (any more)');
  });
});

it('a tag that is immutable and names another digest is refused, not taken for done', async () => {
  registry.registry.deleteRepository('web', { force: true });
  registry.registry.createRepository('web', { imageTagMutability: 'IMMUTABLE' });
  const [one, two] = [await push('v1'), await push('v2')];
  await images.tag('web', one, 'retain-web-g0001');
  await expect(images.tag('web', two, 'retain-web-g0001')).rejects.toThrow(
    expect.objectContaining({ name: 'Cutover.AwsRefused' }),
  );
});
