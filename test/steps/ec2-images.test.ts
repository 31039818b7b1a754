/** The AMIs of an account as a repository, through the real client and the embedded EC2. */
import {
  type ArchitectureValues,
  DeregisterImageCommand,
  DescribeTagsCommand,
  RegisterImageCommand,
} from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ec2Images } from '../../functions/aws/ec2-images.ts';
import { ImagesByRepository, PlatformsByRepository } from '../../functions/aws/images-by-repository.ts';
import { notRunnable } from '../../functions/core/images/registry-image.ts';
import { type Digest, digest } from '../../functions/core/names.ts';
import { amazonLinux } from '../../local/services/amazon-linux.ts';
import { amiOf, digestOf } from '../core/examples.ts';
import { compute } from '../ec2/world.ts';

const self = 'ami:self';
const amazon = 'ami:137112412989';
const minute = 60_000;

let aws: ReturnType<typeof compute>;
let images: Ec2Images;
beforeEach(() => {
  aws = compute();
  images = new Ec2Images(aws.client);
});

async function register(
  Name: string,
  tags: Readonly<Record<string, string>> = {},
  Architecture: ArchitectureValues = 'x86_64',
): Promise<Digest> {
  const { ImageId } = await aws.client.send(
    new RegisterImageCommand({
      Name,
      Architecture,
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-0123456789abcdef0' } }],
      TagSpecifications: [
        { ResourceType: 'image', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
      ],
    }),
  );
  return digest.parse(ImageId);
}

async function available(...given: Parameters<typeof register>): Promise<Digest> {
  const id = await register(...given);
  await aws.clock.advance(minute);
  return id;
}

async function tagKeys(id: Digest): Promise<readonly (string | undefined)[]> {
  const Filters = [{ Name: 'resource-id', Values: [id] }];
  const { Tags = [] } = await aws.client.send(new DescribeTagsCommand({ Filters }));
  return Tags.map(({ Key }) => Key);
}

const tagsOf = async (id: Digest) => (await images.find(self, { digest: id }))?.tags;

describe('an AMI', () => {
  it('is found by its id and by its name, with what it bears', async () => {
    const createdAt = aws.clock.now();
    const id = await available('worker (7)/x', { Release: 'true' });
    const found = {
      digest: id,
      tags: ['worker (7)/x'],
      pushedAt: createdAt,
      manifestType: undefined,
      artifactType: undefined,
      subject: undefined,
      labels: { Release: 'true' },
    };
    expect(await images.find(self, { digest: id })).toEqual(found);
    expect(await images.find(self, { tag: 'worker (7)/x' })).toEqual(found);
    expect(notRunnable(found)).toBeUndefined();
  });

  it("of another account is that account's alone", async () => {
    const id = digest.parse(amazonLinux[0]?.id);
    expect(await images.find(self, { digest: id })).toBeUndefined();
    expect(await images.find(amazon, { digest: id })).toMatchObject({ digest: id });
    expect(await images.existing(self, [id])).toEqual(new Set());
    expect(await images.platforms(self, id)).toBeUndefined();
  });

  it('is not there before it is available, nor when it is deregistered, nor if it never was', async () => {
    const pending = await register('worker-8');
    const gone = await available('worker-7');
    const late = await register('worker-9');
    await aws.client.send(new DeregisterImageCommand({ ImageId: gone }));
    expect(await images.find(self, { digest: late })).toBeUndefined();
    expect(await images.find(self, { digest: gone })).toBeUndefined();
    expect(await images.find(self, { tag: 'worker-7' })).toBeUndefined();
    expect(await images.find(self, { digest: amiOf(1) })).toBeUndefined();
    expect(await images.existing(self, [gone, late, pending, amiOf(1)])).toEqual(new Set([pending]));
    expect((await images.tagged(self)).map((image) => image.digest)).toEqual([pending]);
  });

  it('in a repository that is none of AMIs is a mistake in words', async () => {
    await expect(images.find('shop/web', { tag: 'v1' })).rejects.toMatchObject({
      name: 'Cutover.InvalidInput',
      message: 'shop/web names no AMIs: must be ami:self, or ami: and the 12 digits of an account',
    });
  });
});

describe('a tag that keeps it', () => {
  it('is an EC2 tag that people see, and stands beside its name', async () => {
    const id = await available('worker-7', { Release: 'true' });
    await images.tag(self, id, 'retain-worker-g0001');
    await images.tag(self, id, 'retain-worker-g0001');
    expect(await tagKeys(id)).toEqual(['Release', 'retain-worker-g0001']);
    expect(await tagsOf(id)).toEqual(['worker-7', 'retain-worker-g0001']);
    expect(await images.find(self, { tag: 'retain-worker-g0001' })).toMatchObject({ digest: id });
  });

  it('is taken off alone, and a repeat finds it gone', async () => {
    const id = await available('worker-7', { Release: 'true' });
    await images.tag(self, id, 'retain-worker-g0001');
    await images.tag(self, id, 'retain-worker-g0002');
    await images.untag(self, 'retain-worker-g0001');
    await images.untag(self, 'retain-worker-g0001');
    expect(await tagKeys(id)).toEqual(['Release', 'retain-worker-g0002']);
  });

  it('takes no tag off that is called as the AMI is', async () => {
    const id = await available('worker-7');
    await images.untag(self, 'worker-7');
    expect(await tagsOf(id)).toEqual(['worker-7']);
  });

  it('can be put on an AMI of another account', async () => {
    const id = digest.parse(amazonLinux[0]?.id);
    await images.tag(amazon, id, 'retain-worker-g0001');
    expect((await images.find(amazon, { digest: id }))?.tags).toContain('retain-worker-g0001');
  });

  it('is refused in words where the AMI is gone', async () => {
    await expect(images.tag(self, amiOf(1), 'retain-worker-g0001')).rejects.toMatchObject({
      name: 'Cutover.AwsRefused',
      message: expect.stringContaining(
        `tagging the AMI ${amiOf(1)} of ami:self with retain-worker-g0001`,
      ) as unknown,
    });
  });
});

it('many AMIs are listed page by page', async () => {
  for (let number = 0; number < 1_001; number++) await register(`worker-${number}`);
  await aws.clock.advance(minute);
  const all = await images.tagged(self);
  expect(new Set(all.map(({ tags }) => tags[0])).size).toBe(1_001);
});

describe('the platform', () => {
  it.each<[ArchitectureValues, object[]]>([
    ['x86_64', [{ os: 'linux', architecture: 'amd64' }]],
    ['arm64', [{ os: 'linux', architecture: 'arm64' }]],
    ['i386', []],
  ])('of an AMI for %s', async (architecture, platforms) => {
    const id = await available('worker-7', {}, architecture);
    expect(await images.platforms(self, id)).toEqual(platforms);
  });
});

describe('by its repository', () => {
  /** In place of ECR; what it is asked for is there. */
  const ecr = {
    find: async () => undefined,
    tagged: async () => [],
    existing: async (_: string, digests: readonly Digest[]) => new Set(digests),
    tag: async () => undefined,
    untag: async () => undefined,
    platforms: async () => undefined,
  };

  it('an image is asked of ECR, an AMI of EC2', async () => {
    const id = await available('worker-7');
    const both = new ImagesByRepository({ ecr, amis: images });
    expect(await both.find(self, { digest: id })).toMatchObject({ tags: ['worker-7'] });
    await both.tag(self, id, 'retain-worker-g0001');
    expect(await both.tagged(self)).toHaveLength(1);
    expect(await tagsOf(id)).toHaveLength(2);
    await both.untag(self, 'retain-worker-g0001');
    expect(await tagsOf(id)).toHaveLength(1);
    expect(await both.find('shop/web', { digest: digestOf(1) })).toBeUndefined();
    expect(await both.tagged('shop/web')).toEqual([]);
    const platforms = new PlatformsByRepository({ ecr, amis: images });
    expect(await platforms.platforms(self, id)).toHaveLength(1);
    expect(await platforms.platforms('shop/web', digestOf(1))).toBeUndefined();
  });

  it('of what a service deployed before, the other kind is in none', async () => {
    const id = await available('worker-7');
    const both = new ImagesByRepository({ ecr, amis: images });
    expect(await both.existing(self, [id, digestOf(1)])).toEqual(new Set([id]));
    expect(await both.existing('shop/web', [id, digestOf(1)])).toEqual(new Set([digestOf(1)]));
  });
});
