/** Images in Amazon ECR. */
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  DescribeImagesCommand,
  type ECRClient,
  type Image,
  type ImageDetail,
  type ImageIdentifier,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { CutoverError } from '../core/errors.ts';
import type { RegistryImage } from '../core/images/registry-image.ts';
import { type Digest, digest } from '../core/names.ts';
import type { ImageReference, Images } from '../ports/images.ts';
import { calling, codeOf } from './failures.ts';

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html */
const imagesPerPage = 1_000;

export class EcrImages implements Images {
  readonly #client: ECRClient;

  constructor(client: ECRClient) {
    this.#client = client;
  }

  async find(repository: string, reference: ImageReference): Promise<RegistryImage | undefined> {
    return calling(`looking for ${nameOf(repository, reference)}`, async () => {
      const command = new DescribeImagesCommand({
        repositoryName: repository,
        imageIds: [identifierOf(reference)],
      });
      try {
        const { imageDetails = [] } = await this.#client.send(command);
        return imageDetails.flatMap(read)[0];
      } catch (thrown) {
        if (isAbsence(thrown)) return undefined;
        throw thrown;
      }
    });
  }

  async tagged(repository: string): Promise<readonly RegistryImage[]> {
    return calling(`listing the images of ${repository}`, async () => {
      const images: RegistryImage[] = [];
      let nextToken: string | undefined;
      do {
        const page = await this.#client.send(
          new DescribeImagesCommand({
            repositoryName: repository,
            filter: { tagStatus: 'TAGGED' },
            maxResults: imagesPerPage,
            ...(nextToken && { nextToken }),
          }),
        );
        images.push(...(page.imageDetails ?? []).flatMap(read));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      return images;
    });
  }

  async existing(repository: string, digests: readonly Digest[]): Promise<ReadonlySet<Digest>> {
    if (digests.length === 0) return new Set();
    return calling(`looking whether images of ${repository} can be pulled`, async () => {
      const imageIds = [...new Set(digests)].map((imageDigest) => ({ imageDigest }));
      try {
        const { images = [], failures = [] } = await this.#client.send(
          new BatchGetImageCommand({ repositoryName: repository, imageIds }),
        );
        // Any other failure must not pass for "does not exist".
        const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
        if (failure !== undefined) {
          throw new CutoverError(
            'Cutover.AwsRefused',
            `ECR cannot say whether ${failure.imageId?.imageDigest} exists in ${repository}: ${failure.failureCode} ${failure.failureReason}`,
          );
        }
        return new Set(images.map(({ imageId }) => digest.parse(imageId?.imageDigest)));
      } catch (thrown) {
        if (isAbsence(thrown)) return new Set();
        throw thrown;
      }
    });
  }

  async tag(repository: string, wanted: Digest, tag: string): Promise<void> {
    await calling(`tagging ${nameOf(repository, { digest: wanted })} with ${tag}`, async () => {
      const image = await this.#manifest(repository, { imageDigest: wanted });
      if (image?.imageManifest === undefined) {
        throw new CutoverError(
          'Cutover.AwsRefused',
          `${nameOf(repository, { digest: wanted })} does not exist (any more), so it cannot be tagged with ${tag}`,
        );
      }
      try {
        await this.#client.send(
          new PutImageCommand({
            repositoryName: repository,
            imageManifest: image.imageManifest,
            imageManifestMediaType: image.imageManifestMediaType,
            imageDigest: wanted,
            imageTag: tag,
          }),
        );
      } catch (thrown) {
        if (codeOf(thrown) === 'ImageAlreadyExistsException') return;
        // A tag that is immutable is refused even for the digest that it names (aws/containers-roadmap#2179).
        if (codeOf(thrown) !== 'ImageTagAlreadyExistsException') throw thrown;
        const named = await this.#manifest(repository, { imageTag: tag });
        if (named?.imageId?.imageDigest !== wanted) throw thrown;
      }
    });
  }

  async #manifest(repositoryName: string, id: ImageIdentifier): Promise<Image | undefined> {
    const { images } = await this.#client.send(new BatchGetImageCommand({ repositoryName, imageIds: [id] }));
    return images?.[0];
  }

  async untag(repository: string, tag: string): Promise<void> {
    const image = await this.find(repository, { tag });
    // ECR deletes an image with its last tag: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
    if (image === undefined || image.tags.length < 2) return;
    await calling(`taking the tag ${tag} off in ${repository}`, async () => {
      const { failures = [] } = await this.#client.send(
        new BatchDeleteImageCommand({ repositoryName: repository, imageIds: [{ imageTag: tag }] }),
      );
      const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
      if (failure === undefined) return;
      throw new CutoverError(
        'Cutover.AwsRefused',
        `ECR does not take the tag ${tag} off in ${repository}: ${failure.failureCode} ${failure.failureReason}`,
      );
    });
  }
}

function identifierOf(reference: ImageReference): ImageIdentifier {
  return 'tag' in reference ? { imageTag: reference.tag } : { imageDigest: reference.digest };
}

function nameOf(repository: string, reference: ImageReference): string {
  return 'tag' in reference ? `${repository}:${reference.tag}` : `${repository}@${reference.digest}`;
}

function isAbsence(thrown: unknown): boolean {
  return codeOf(thrown) === 'ImageNotFoundException' || codeOf(thrown) === 'RepositoryNotFoundException';
}

function read(detail: ImageDetail): RegistryImage[] {
  const known = digest.safeParse(detail.imageDigest);
  // None that a generation could be made of.
  if (!known.success) return [];
  return [
    {
      digest: known.data,
      tags: detail.imageTags ?? [],
      pushedAt: detail.imagePushedAt?.getTime() ?? 0,
      manifestType: detail.imageManifestMediaType,
      artifactType: detail.artifactMediaType,
      subject: detail.subjectManifestDigest,
      labels: {},
    },
  ];
}
