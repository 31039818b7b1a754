/** For which platforms an image in Amazon ECR is. An index says so itself; of an image its configuration does. */
import type { ECRClient } from '@aws-sdk/client-ecr';
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import type { Digest } from '../core/names.ts';
import type { Platform } from '../core/preflight/image-platform.ts';
import type { ImagePlatforms } from '../ports/preflight.ts';
import { readLayer } from './ecr-layer.ts';
import { type Manifest, readManifest, runsNowhere } from './ecr-manifest.ts';
import { calling, codeOf } from './failures.ts';
import { jsonOrNothing } from './json.ts';

/** https://github.com/opencontainers/image-spec/blob/main/config.md and image-index.md */
const platformSchema = z.object({ os: z.string().min(1), architecture: z.string().min(1) });

export class EcrPlatforms implements ImagePlatforms {
  readonly #client: ECRClient;

  constructor(client: ECRClient) {
    this.#client = client;
  }

  async platforms(repository: string, digest: Digest): Promise<readonly Platform[] | undefined> {
    const name = `${repository}@${digest}`;
    return calling(`reading for which platform ${name} is`, async () => {
      const manifest = await this.#manifest(repository, digest);
      if (manifest === undefined) return undefined;
      if (manifest.manifests !== undefined)
        return manifest.manifests
          .filter((each) => !runsNowhere(each))
          .flatMap(({ platform }) => platformIn(platform));
      return manifest.config === undefined ? [] : this.#configured(repository, name, manifest.config);
    });
  }

  async #manifest(repositoryName: string, imageDigest: Digest): Promise<Manifest | undefined> {
    try {
      return await readManifest(this.#client, repositoryName, { imageDigest });
    } catch (thrown) {
      if (codeOf(thrown) === 'RepositoryNotFoundException') return undefined;
      throw thrown;
    }
  }

  async #configured(
    repository: string,
    name: string,
    config: NonNullable<Manifest['config']>,
  ): Promise<readonly Platform[]> {
    const bytes = await readLayer(this.#client, repository, config);
    if (bytes !== undefined) return platformIn(jsonOrNothing(Buffer.from(bytes).toString()));
    throw new CutoverError(
      'Cutover.AwsRefused',
      `the configuration of ${name} has ${config.size} bytes, more than are read`,
    );
  }
}

function platformIn(value: unknown): Platform[] {
  const parsed = platformSchema.safeParse(value);
  return parsed.success ? [parsed.data] : [];
}
