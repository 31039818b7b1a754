/** ECR's operations on images. */
import type {
  BatchCheckLayerAvailabilityCommandInput,
  BatchCheckLayerAvailabilityCommandOutput,
  BatchDeleteImageCommandInput,
  BatchDeleteImageCommandOutput,
  BatchGetImageCommandInput,
  BatchGetImageCommandOutput,
  DescribeImagesCommandInput,
  DescribeImagesCommandOutput,
  GetDownloadUrlForLayerCommandInput,
  GetDownloadUrlForLayerCommandOutput,
  Image,
  ImageDetail,
  ImageFailure,
  ImageIdentifier,
  ImageReferrer,
  Layer,
  LayerFailure,
  ListImageReferrersCommandInput,
  ListImageReferrersCommandOutput,
  ListImagesCommandInput,
  ListImagesCommandOutput,
  PutImageCommandInput,
  PutImageCommandOutput,
  TagStatus,
} from '@aws-sdk/client-ecr';
import { accountId } from '../../account.ts';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import { isDigest } from '../../registry/digest.ts';
import { type Manifest, parseManifest } from '../../registry/manifest.ts';
import { isReferencedByIndex, type Registry } from '../../registry/registry.ts';
import type { ImageReference, Repository, StoredImage } from '../../registry/repository.ts';
import { page } from './page.ts';
import { identity } from './repositories.ts';

/** The media type of layers whose manifest is not at hand, as Docker pushes them. */
const layerMediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';

/** Of ListImageReferrers: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html */
const referrersPage = { default: 20, most: 50 };

export class Images {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  readonly operations = {
    DescribeImages: (input: DescribeImagesCommandInput): Output<DescribeImagesCommandOutput> => {
      const repository = this.#repository(input);
      const wanted = input.imageIds?.map((id) => repository.get(referenceOf(id)));
      const all = [...repository.images.values()].filter((image) =>
        hasStatus(repository.tagsOf(image.manifest.digest), input.filter?.tagStatus),
      );
      const { items, nextToken } = wanted === undefined ? page(all, input) : { items: [...new Set(wanted)] };
      return {
        imageDetails: items.map((image) => detail(repository, image)),
        ...(nextToken === undefined ? {} : { nextToken }),
      };
    },

    ListImages: (input: ListImagesCommandInput): Output<ListImagesCommandOutput> => {
      const repository = this.#repository(input);
      const ids = [...repository.images.keys()].flatMap((imageDigest): ImageIdentifier[] => {
        const tags = repository.tagsOf(imageDigest);
        if (!hasStatus(tags, input.filter?.tagStatus)) return [];
        return tags.length === 0 ? [{ imageDigest }] : tags.map((imageTag) => ({ imageDigest, imageTag }));
      });
      const { items, nextToken } = page(ids, input);
      return { imageIds: items, ...(nextToken === undefined ? {} : { nextToken }) };
    },

    BatchGetImage: (input: BatchGetImageCommandInput): Output<BatchGetImageCommandOutput> => {
      const repository = this.#repository(input);
      const images: Image[] = [];
      const failures: ImageFailure[] = [];
      for (const id of input.imageIds ?? []) {
        const image = repository.find(referenceOf(id));
        if (image === undefined) failures.push(failure(repository, id));
        else {
          this.#registry.recordPull(image);
          images.push(describeImage(repository, image, id.imageTag));
        }
      }
      return { images, failures };
    },

    BatchCheckLayerAvailability: async (
      input: BatchCheckLayerAvailabilityCommandInput,
    ): Promise<Output<BatchCheckLayerAvailabilityCommandOutput>> => {
      const repository = this.#repository(input);
      const layers: Layer[] = [];
      const failures: LayerFailure[] = [];
      for (const layerDigest of input.layerDigests ?? []) {
        if (isDigest(layerDigest)) layers.push(await this.#layer(repository, layerDigest));
        else {
          failures.push({
            layerDigest,
            failureCode: 'InvalidLayerDigest',
            failureReason: 'Invalid layer digest',
          });
        }
      }
      return { layers, failures };
    },

    PutImage: (input: PutImageCommandInput): Output<PutImageCommandOutput> => {
      const repository = this.#repository(input);
      const manifest = parseManifest(Buffer.from(input.imageManifest ?? ''), input.imageManifestMediaType);
      if (input.imageDigest !== undefined && input.imageDigest !== manifest.digest) {
        throw new AwsError(
          'ImageDigestDoesNotMatchException',
          `The specified image digest '${input.imageDigest}' does not match the calculated digest '${manifest.digest}'`,
        );
      }
      const image = this.#registry.putImage(repository.name, manifest, input.imageTag);
      return { image: describeImage(repository, image, input.imageTag) };
    },

    BatchDeleteImage: (input: BatchDeleteImageCommandInput): Output<BatchDeleteImageCommandOutput> => {
      const repository = this.#repository(input);
      const imageIds: ImageIdentifier[] = [];
      const failures: ImageFailure[] = [];
      for (const id of input.imageIds ?? []) {
        if (repository.find(referenceOf(id)) === undefined) {
          failures.push(failure(repository, id));
          continue;
        }
        try {
          imageIds.push(...this.#delete(repository, id));
        } catch (error) {
          if (!isReferencedByIndex(error)) throw error;
          failures.push({
            imageId: id,
            failureCode: 'ImageReferencedByManifestList',
            failureReason: error.message,
          });
        }
      }
      return { imageIds, failures };
    },

    GetDownloadUrlForLayer: (
      input: GetDownloadUrlForLayerCommandInput,
      call: Call,
    ): Output<GetDownloadUrlForLayerCommandOutput> => {
      const repository = this.#repository(input);
      const { layerDigest = '' } = input;
      if (!isDigest(layerDigest)) throw invalidLayerDigest();
      if (!repository.blobs.has(layerDigest)) throw layerNotFound(repository, layerDigest);
      if (!isPartOfAnImage(repository, layerDigest)) {
        throw new AwsError(
          'LayerInaccessibleException',
          `The layer with digest '${layerDigest}' in the repository with name '${repository.name}' in the registry with id '${accountId}' is not associated with an image`,
        );
      }
      // A configuration is a layer to ECR, too. On AWS a presigned URL of S3; here that of the registry, which lets everybody in.
      return { layerDigest, downloadUrl: `${call.endpoint}/v2/${repository.name}/blobs/${layerDigest}` };
    },

    ListImageReferrers: (input: ListImageReferrersCommandInput): Output<ListImageReferrersCommandOutput> => {
      const repository = this.#repository(input);
      const wanted = input.filter?.artifactTypes;
      const referrers = repository
        .referrers(input.subjectId?.imageDigest ?? '')
        .filter(({ artifactMediaType }) => wanted === undefined || wanted.includes(artifactMediaType ?? ''))
        .map(referrer);
      const { items, nextToken } = page(referrers, input, referrersPage);
      return { referrers: items, ...(nextToken === undefined ? {} : { nextToken }) };
    },
  } satisfies Operations;

  #repository(input: { repositoryName: string | undefined }): Repository {
    return this.#registry.repository(input.repositoryName ?? '');
  }

  /** What went: with a digest all its tags go too. */
  #delete(repository: Repository, id: ImageIdentifier): ImageIdentifier[] {
    const reference = referenceOf(id);
    const imageDigest = repository.get(reference).manifest.digest;
    const tags = reference.tag === undefined ? repository.tagsOf(imageDigest) : [reference.tag];
    this.#registry.deleteImage(repository.name, reference);
    return tags.length === 0 ? [{ imageDigest }] : tags.map((imageTag) => ({ imageDigest, imageTag }));
  }

  async #layer(repository: Repository, layerDigest: string): Promise<Layer> {
    const blob = repository.blobs.has(layerDigest) ? await this.#registry.blobs.find(layerDigest) : undefined;
    if (blob === undefined) return { layerDigest, layerAvailability: 'UNAVAILABLE' };
    const pushed = [...repository.images.values()]
      .flatMap(({ manifest }) => manifest.layers)
      .find((layer) => layer.digest === layerDigest);
    return {
      layerDigest,
      layerAvailability: 'AVAILABLE',
      layerSize: blob.size,
      mediaType: pushed?.mediaType ?? layerMediaType,
    };
  }
}

function invalidLayerDigest(): AwsError {
  return new AwsError(
    'InvalidParameterException',
    "Invalid parameter at 'layerDigest' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+''",
  );
}

function layerNotFound(repository: Repository, layerDigest: string): AwsError {
  return new AwsError(
    'LayersNotFoundException',
    `The layer with digest '${layerDigest}' does not exist in the repository with name '${repository.name}' in the registry with id '${accountId}'`,
  );
}

function isPartOfAnImage(repository: Repository, layerDigest: string): boolean {
  return [...repository.images.values()].some(({ manifest }) =>
    [...manifest.layers, manifest.config].some((part) => part?.digest === layerDigest),
  );
}

function referrer(manifest: Manifest): ImageReferrer {
  return {
    digest: manifest.digest,
    mediaType: manifest.mediaType,
    size: manifest.bytes.length,
    ...(manifest.artifactMediaType === undefined ? {} : { artifactType: manifest.artifactMediaType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
    artifactStatus: 'ACTIVE',
  };
}

function referenceOf(id: ImageIdentifier): ImageReference {
  return { digest: id.imageDigest, tag: id.imageTag };
}

function hasStatus(tags: readonly string[], status: TagStatus | undefined): boolean {
  if (status === 'TAGGED') return tags.length > 0;
  return status === 'UNTAGGED' ? tags.length === 0 : true;
}

function describeImage(repository: Repository, image: StoredImage, tag: string | undefined): Image {
  const { digest, bytes, mediaType } = image.manifest;
  return {
    ...identity(repository),
    imageId: { imageDigest: digest, ...(tag === undefined ? {} : { imageTag: tag }) },
    imageManifest: bytes.toString('utf8'),
    imageManifestMediaType: mediaType,
  };
}

function detail(repository: Repository, image: StoredImage): ImageDetail {
  const { manifest, pushedAt, lastPulledAt } = image;
  const tags = repository.tagsOf(manifest.digest);
  return {
    ...identity(repository),
    imageDigest: manifest.digest,
    ...(tags.length === 0 ? {} : { imageTags: tags }),
    imageSizeInBytes: sizeOf(repository, image),
    imagePushedAt: new Date(pushedAt),
    imageManifestMediaType: manifest.mediaType,
    ...(manifest.artifactMediaType === undefined ? {} : { artifactMediaType: manifest.artifactMediaType }),
    ...(lastPulledAt === undefined ? {} : { lastRecordedPullTime: new Date(lastPulledAt) }),
    ...(manifest.subject === undefined ? {} : { subjectManifestDigest: manifest.subject.digest }),
    imageStatus: 'ACTIVE',
  };
}

/** All that is stored for the image; of an index, its largest image (ECR's ImageDetail). */
function sizeOf(repository: Repository, image: StoredImage): number {
  const { config, layers, manifests } = image.manifest;
  const own = layers.reduce((sum, layer) => sum + layer.size, config?.size ?? 0);
  const children = manifests.map(({ digest }) => {
    const child = repository.images.get(digest);
    return child === undefined ? 0 : sizeOf(repository, child);
  });
  return Math.max(own, ...children);
}

function failure(repository: Repository, id: ImageIdentifier): ImageFailure {
  if (id.imageDigest === undefined && id.imageTag === undefined) {
    const failureReason = 'Invalid request parameters: both tag and digest cannot be null';
    return { imageId: id, failureCode: 'MissingDigestAndTag', failureReason };
  }
  if (id.imageDigest !== undefined && !isDigest(id.imageDigest)) {
    const failureReason =
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'";
    return { imageId: id, failureCode: 'InvalidImageDigest', failureReason };
  }
  const isElsewhere =
    id.imageDigest !== undefined && id.imageTag !== undefined && repository.tags.has(id.imageTag);
  return isElsewhere
    ? {
        imageId: id,
        failureCode: 'ImageTagDoesNotMatchDigest',
        failureReason: 'Requested image tag does not match the requested image digest',
      }
    : { imageId: id, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' };
}
