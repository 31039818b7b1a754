/** One repository's content: its images by digest, its tags, and which blobs were pushed to it. */

import { accountId } from '../account.ts';
import { AwsError } from '../call.ts';
import type { Manifest } from './manifest.ts';
import type { TagMutability } from './tag-mutability.ts';

export interface StoredImage {
  readonly manifest: Manifest;
  /** Of the digest's first push: tags that come later do not change it. */
  readonly pushedAt: number;
  lastPulledAt?: number;
}

/** Either may be given; when both are, the tag must point to the digest. */
export interface ImageReference {
  readonly digest?: string | undefined;
  readonly tag?: string | undefined;
}

export class Repository {
  readonly name: string;
  readonly createdAt: number;
  mutability: TagMutability;
  /** Digests of the blobs that were pushed or mounted here: a repository shows no others. */
  readonly blobs = new Set<string>();
  readonly images = new Map<string, StoredImage>();
  /** Tag → digest. */
  readonly tags = new Map<string, string>();

  constructor(name: string, createdAt: number, mutability: TagMutability) {
    this.name = name;
    this.mutability = mutability;
    this.createdAt = createdAt;
  }

  find(reference: ImageReference): StoredImage | undefined {
    const tagged = reference.tag === undefined ? undefined : this.tags.get(reference.tag);
    if (reference.tag !== undefined && tagged === undefined) return undefined;
    if (reference.digest !== undefined && tagged !== undefined && tagged !== reference.digest)
      return undefined;
    return this.images.get(reference.digest ?? tagged ?? '');
  }

  /** Throws `ImageNotFoundException` when there is none. */
  get(reference: ImageReference): StoredImage {
    const image = this.find(reference);
    if (image === undefined) throw imageNotFound(this.name, reference);
    return image;
  }

  tagsOf(digest: string): string[] {
    return [...this.tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag);
  }

  /** The indexes that refer to an image: while there is one, the image cannot be deleted. */
  indexesWith(digest: string): string[] {
    return [...this.images.values()]
      .filter(({ manifest }) => manifest.manifests.some((child) => child.digest === digest))
      .map(({ manifest }) => manifest.digest);
  }

  /** Manifests that name this digest as their subject. */
  referrers(digest: string): Manifest[] {
    return [...this.images.values()]
      .map(({ manifest }) => manifest)
      .filter((manifest) => manifest.subject?.digest === digest);
  }
}

function imageNotFound(repository: string, reference: ImageReference): AwsError {
  const id = `{imageDigest:'${reference.digest ?? 'null'}', imageTag:'${reference.tag ?? 'null'}'}`;
  return new AwsError(
    'ImageNotFoundException',
    `The image with imageId ${id} does not exist within the repository with name '${repository}' in the registry with id '${accountId}'`,
  );
}
