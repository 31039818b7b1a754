/**
 * The account's image registry: what the registry's HTTP API and the ECR API both act on, and where ECR's events come
 * from. Errors are ECR's own.
 */
import { accountId } from '../account.ts';
import type { Emit } from '../aws-event.ts';
import { AwsError } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { BlobStore } from './blob-store.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { type ImageReference, Repository, type StoredImage } from './repository.ts';
import { isImmutable, type TagMutability } from './tag-mutability.ts';

/** From ECR's CreateRepository. */
const repositoryName = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
/** From the OCI distribution spec, which ECR follows. */
const tagName = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

export interface RegistryOptions {
  readonly clock: Clock;
  readonly blobs: BlobStore;
  readonly emit: Emit;
}

/** Hears of an image that the repository did not hold before. */
export type PushListener = (repository: Repository, image: StoredImage) => void;

export class Registry {
  readonly blobs: BlobStore;
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #repositories = new Map<string, Repository>();
  readonly #pushListeners: PushListener[] = [];

  constructor(options: RegistryOptions) {
    this.blobs = options.blobs;
    this.#clock = options.clock;
    this.#emit = options.emit;
  }

  createRepository(name: string, mutability: TagMutability): Repository {
    if (name.length < 2 || name.length > 256 || !repositoryName.test(name)) {
      throw invalid(
        'repositoryName',
        `must satisfy regular expression '${repositoryName.source.slice(1, -1)}'`,
      );
    }
    if (this.#repositories.has(name)) {
      throw new AwsError(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists in the registry with id '${accountId}'`,
      );
    }
    const repository = new Repository(name, this.#clock.now(), mutability);
    this.#repositories.set(name, repository);
    return repository;
  }

  deleteRepository(name: string, options: { force: boolean }): Repository {
    const repository = this.repository(name);
    if (repository.images.size > 0 && !options.force) {
      throw new AwsError(
        'RepositoryNotEmptyException',
        `The repository with name '${name}' in registry with id '${accountId}' cannot be deleted because it still contains images`,
      );
    }
    this.#repositories.delete(name);
    return repository;
  }

  repository(name: string): Repository {
    const repository = this.#repositories.get(name);
    if (repository === undefined) {
      throw new AwsError(
        'RepositoryNotFoundException',
        `The repository with name '${name}' does not exist in the registry with id '${accountId}'`,
      );
    }
    return repository;
  }

  repositories(): Repository[] {
    return [...this.#repositories.values()];
  }

  /** What ECR does with each image that is pushed; one more tag on it is none. */
  onPush(listener: PushListener): void {
    this.#pushListeners.push(listener);
  }

  /** Stores a manifest, under a tag when one is given. What it refers to must have been pushed before. */
  putImage(name: string, manifest: Manifest, tag?: string): StoredImage {
    const repository = this.repository(name);
    if (tag !== undefined && !tagName.test(tag)) {
      throw invalid('imageTag', `must satisfy regular expression '${tagName.source.slice(1, -1)}'`);
    }
    const isTaken = tag !== undefined && repository.tags.has(tag);
    // Even for the digest that the tag has (aws/containers-roadmap#2179).
    if (isTaken && isImmutable(tag, repository.mutability)) throw tagIsImmutable(name, tag);
    const existing = repository.images.get(manifest.digest);
    if (existing !== undefined && (tag === undefined || repository.tags.get(tag) === manifest.digest)) {
      throw alreadyExists(name, manifest.digest, tag);
    }
    requireReferenced(repository, manifest);
    const image = existing ?? { manifest, pushedAt: this.#clock.now() };
    repository.images.set(manifest.digest, image);
    if (tag !== undefined) repository.tags.set(tag, manifest.digest);
    this.#announce('PUSH', repository, manifest, tag);
    if (existing === undefined) for (const heard of this.#pushListeners) heard(repository, image);
    return image;
  }

  /** Removes one tag, or, by digest, the image with all its tags. An image goes with its last tag, as in ECR. */
  deleteImage(name: string, reference: ImageReference): StoredImage {
    const repository = this.repository(name);
    const image = repository.get(reference);
    const { digest } = image.manifest;
    const removed = reference.tag === undefined ? repository.tagsOf(digest) : [reference.tag];
    const remaining = repository.tagsOf(digest).length - removed.length;
    if (remaining === 0) {
      const indexes = repository.indexesWith(digest);
      if (indexes.length > 0) throw referenced(digest, indexes);
      repository.images.delete(digest);
    }
    for (const tag of removed) repository.tags.delete(tag);
    const announced = removed.length === 0 ? [undefined] : removed;
    for (const tag of announced) this.#announce('DELETE', repository, image.manifest, tag);
    return image;
  }

  recordPull(image: StoredImage): void {
    image.lastPulledAt = this.#clock.now();
  }

  #announce(
    action: 'PUSH' | 'DELETE',
    repository: Repository,
    manifest: Manifest,
    tag: string | undefined,
  ): void {
    this.#emit({
      source: 'aws.ecr',
      detailType: 'ECR Image Action',
      resources: [],
      detail: {
        result: 'SUCCESS',
        'repository-name': repository.name,
        'image-digest': manifest.digest,
        'action-type': action,
        ...(tag === undefined ? {} : { 'image-tag': tag }),
        'manifest-media-type': manifest.mediaType,
        ...(manifest.artifactMediaType === undefined
          ? {}
          : { 'artifact-media-type': manifest.artifactMediaType }),
      },
    });
  }
}

const referencedByIndex = 'ImageReferencedByManifestList';

/** Whether an image could not be deleted because an index refers to it; BatchDeleteImage says so in a failure. */
export function isReferencedByIndex(error: unknown): error is AwsError {
  return error instanceof AwsError && error.code === referencedByIndex;
}

function referenced(digest: string, indexes: readonly string[]): AwsError {
  return new AwsError(
    referencedByIndex,
    `Requested image digest '${digest}' is referenced by manifest list: [${indexes.join(', ')}]`,
  );
}

function requireReferenced(repository: Repository, manifest: Manifest): void {
  const isMissing = (item: Descriptor): boolean =>
    item.urls === undefined && !repository.blobs.has(item.digest);
  const blobs = [...(manifest.config === undefined ? [] : [manifest.config]), ...manifest.layers].filter(
    isMissing,
  );
  if (blobs.length > 0) throw missing('LayersNotFoundException', 'Layers', blobs, repository.name);
  const children = manifest.manifests.filter((child) => !repository.images.has(child.digest));
  if (children.length > 0) {
    throw missing('ReferencedImagesNotFoundException', 'Images', children, repository.name);
  }
}

function missing(code: string, what: string, absent: readonly Descriptor[], repository: string): AwsError {
  const digests = absent.map((item) => item.digest).join(', ');
  return new AwsError(
    code,
    `${what} with digests '[${digests}]' required for pushing image into repository with name '${repository}' in the registry with id '${accountId}' do not exist`,
  );
}

function tagIsImmutable(repository: string, tag: string): AwsError {
  return new AwsError(
    'ImageTagAlreadyExistsException',
    `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,
  );
}

function alreadyExists(repository: string, digest: string, tag: string | undefined): AwsError {
  return new AwsError(
    'ImageAlreadyExistsException',
    `Image with digest '${digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${repository}' in registry with id '${accountId}'`,
  );
}

function invalid(parameter: string, constraint: string): AwsError {
  return new AwsError(
    'InvalidParameterException',
    `Invalid parameter at '${parameter}' failed to satisfy constraint: '${constraint}'`,
  );
}
