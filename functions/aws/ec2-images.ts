/**
 * The AMIs of an account as a repository: each is named by its name, which is unique in its account and Region, and by the EC2
 * tags that keep it, so that whoever cleans up sees them. EC2 tags on another account's AMI stand in this account alone:
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
 */
import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeImagesCommand,
  type EC2Client,
  type Filter,
  type Image,
} from '@aws-sdk/client-ec2';
import { CutoverError } from '../core/errors.ts';
import { amiOwner } from '../core/images/ami-event.ts';
import type { RegistryImage } from '../core/images/registry-image.ts';
import { retainPrefix } from '../core/images/tag-pattern.ts';
import { type Digest, digest } from '../core/names.ts';
import type { Platform } from '../core/preflight/image-platform.ts';
import type { ImageReference, Images } from '../ports/images.ts';
import type { ImagePlatforms } from '../ports/preflight.ts';
import { calling } from './failures.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html */
const imagesPerPage = 1_000;

export class Ec2Images implements Images, ImagePlatforms {
  readonly #client: EC2Client;

  constructor(client: EC2Client) {
    this.#client = client;
  }

  async find(repository: string, reference: ImageReference): Promise<RegistryImage | undefined> {
    const [found] = await this.#search(repository, [filterOf(reference)]);
    return found === undefined ? undefined : read(found)[0];
  }

  async tagged(repository: string): Promise<readonly RegistryImage[]> {
    return (await this.#search(repository, [])).flatMap(read);
  }

  async existing(repository: string, digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
    if (digests.length === 0) return new Set();
    const found = await this.#search(repository, [byId(...new Set(digests))]);
    return new Set(found.flatMap(read).map((image) => image.digest));
  }

  async tag(repository: string, wanted: Digest, tag: string): Promise<void> {
    await calling(`tagging the AMI ${wanted} of ${repository} with ${tag}`, () =>
      this.#client.send(new CreateTagsCommand({ Resources: [wanted], Tags: [{ Key: tag, Value: '' }] })),
    );
  }

  /** Never an AMI's name: that is no tag of EC2. */
  async untag(repository: string, tag: string): Promise<void> {
    const found = await this.#search(repository, [{ Name: 'tag-key', Values: [tag] }]);
    const Resources = found.flatMap(({ ImageId }) => ImageId ?? []);
    if (Resources.length === 0) return;
    await calling(`taking the tag ${tag} off in ${repository}`, () =>
      this.#client.send(new DeleteTagsCommand({ Resources, Tags: [{ Key: tag }] })),
    );
  }

  async platforms(repository: string, wanted: Digest): Promise<readonly Platform[] | undefined> {
    const [found] = await this.#search(repository, [byId(wanted)]);
    return found === undefined ? undefined : platformOf(found);
  }

  /** By filters, which find nothing where an id is no (or no longer an) AMI of the account; asked by id EC2 would fail. */
  async #search(repository: string, filters: readonly Filter[]): Promise<readonly Image[]> {
    const owner = ownerOf(repository);
    return calling(`looking for AMIs of ${repository}`, async () => {
      const images: Image[] = [];
      let NextToken: string | undefined;
      do {
        const page = await this.#client.send(
          new DescribeImagesCommand({
            Owners: [owner],
            Filters: [...filters, { Name: 'state', Values: ['available'] }],
            // Instances can still be launched from these, as a way back may have to.
            IncludeDeprecated: true,
            MaxResults: imagesPerPage,
            ...(NextToken && { NextToken }),
          }),
        );
        images.push(...(page.Images ?? []));
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
      return images;
    });
  }
}

function ownerOf(repository: string): string {
  const owner = amiOwner(repository);
  if (owner !== undefined) return owner;
  throw new CutoverError(
    'Cutover.InvalidInput',
    `${repository} names no AMIs: must be ami:self, or ami: and the 12 digits of an account`,
  );
}

/** No name has what a filter takes for a wildcard (`*`, `?`): API_RegisterImage. */
function filterOf(reference: ImageReference): Filter {
  if ('digest' in reference) return byId(reference.digest);
  const { tag } = reference;
  return { Name: tag.startsWith(retainPrefix) ? 'tag-key' : 'name', Values: [tag] };
}

function byId(...ids: readonly Digest[]): Filter {
  return { Name: 'image-id', Values: [...ids] };
}

function read({ ImageId, Name, CreationDate, Tags = [] }: Image): RegistryImage[] {
  const known = digest.safeParse(ImageId);
  // Some public ones have no name; nothing says what they are.
  if (!known.success || Name === undefined) return [];
  const labels = Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
  return [
    {
      digest: known.data,
      tags: [Name, ...Object.keys(labels).filter((key) => key.startsWith(retainPrefix))],
      pushedAt: CreationDate === undefined ? 0 : Date.parse(CreationDate),
      manifestType: undefined,
      artifactType: undefined,
      subject: undefined,
      labels,
    },
  ];
}

/** In Go's words, as those of container images are. */
const architectures: Readonly<Record<string, string>> = { x86_64: 'amd64', arm64: 'arm64' };

/** Empty for one that no instance type here is compared with (i386, macOS). */
function platformOf({ Architecture: name, Platform: os }: Image): readonly Platform[] {
  const architecture = name === undefined ? undefined : architectures[name];
  if (architecture === undefined) return [];
  // "The value is set to windows for Windows AMIs; otherwise, it is blank" (API_Image); the SDK's enum has a capital.
  return [{ os: os?.toLowerCase() === 'windows' ? 'windows' : 'linux', architecture }];
}
