/**
 * For which platforms an image in Amazon ECR is. An index says so itself; of an image its configuration does, a blob like a
 * layer, which ECR hands out by a pre-signed URL.
 */
import { BatchGetImageCommand, type ECRClient, GetDownloadUrlForLayerCommand } from '@aws-sdk/client-ecr';
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import type { Platform } from '../core/image-platform.ts';
import type { Digest } from '../core/names.ts';
import type { ImagePlatforms } from '../ports/preflight.ts';
import { calling, codeOf } from './failures.ts';

/** https://github.com/opencontainers/image-spec/blob/main/config.md and image-index.md */
const platform = z.object({ os: z.string().min(1), architecture: z.string().min(1) });
const manifest = z.union([
  z.object({ manifests: z.array(z.object({ platform: z.unknown().optional() })) }),
  z.object({ config: z.object({ digest: z.string(), size: z.int() }) }),
]);

/** Configurations have some kilobytes; whoever pushes an image decides how many. */
const mostBytes = 1_000_000;
const patienceMs = 5_000;

export class EcrPlatforms implements ImagePlatforms {
  readonly #client: ECRClient;

  constructor(client: ECRClient) {
    this.#client = client;
  }

  async platforms(repository: string, digest: Digest): Promise<readonly Platform[] | undefined> {
    const name = `${repository}@${digest}`;
    return calling(`reading for which platform ${name} is`, async () => {
      const text = await this.#manifest(repository, digest);
      if (text === undefined) return undefined;
      const found = manifest.safeParse(json(text));
      if (!found.success) return [];
      if ('manifests' in found.data)
        return found.data.manifests.flatMap((each) => platformIn(each.platform)).filter(isKnown);
      const { digest: layerDigest, size } = found.data.config;
      if (size > mostBytes)
        throw new CutoverError(
          'Cutover.AwsRefused',
          `the configuration of ${name} has ${size} bytes, and no more than ${mostBytes} are read`,
        );
      return platformIn(json(await this.#blob(repository, layerDigest)));
    });
  }

  async #manifest(repositoryName: string, imageDigest: Digest): Promise<string | undefined> {
    try {
      const { images } = await this.#client.send(
        new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest }] }),
      );
      return images?.[0]?.imageManifest;
    } catch (thrown) {
      if (codeOf(thrown) === 'RepositoryNotFoundException') return undefined;
      throw thrown;
    }
  }

  async #blob(repositoryName: string, layerDigest: string): Promise<string> {
    const { downloadUrl = '' } = await this.#client.send(
      new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }),
    );
    try {
      const response = await fetch(downloadUrl, { signal: AbortSignal.timeout(patienceMs) });
      if (response.ok) return await response.text();
      throw new Error(`it answers ${response.status}`);
    } catch (failure) {
      // Without the URL: whoever has it may read the blob.
      throw new CutoverError(
        'Cutover.AwsUnavailable',
        `the configuration ${layerDigest} of ${repositoryName} cannot be fetched from where ECR keeps it (${String(failure)})`,
        { cause: failure },
      );
    }
  }
}

function platformIn(value: unknown): Platform[] {
  const parsed = platform.safeParse(value);
  return parsed.success ? [parsed.data] : [];
}

/** Attestations stand in an index as images for nothing: https://docs.docker.com/build/metadata/attestations/attestation-storage/ */
function isKnown({ os }: Platform): boolean {
  return os !== 'unknown';
}

/** Undefined for what is not JSON. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (failure) {
    if (!(failure instanceof SyntaxError)) throw failure;
    return undefined;
  }
}
