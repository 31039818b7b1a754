/** Manifests and indexes, as far as the checks of an image need them. */
import { BatchGetImageCommand, type ECRClient, type ImageIdentifier } from '@aws-sdk/client-ecr';
import * as z from 'zod';
import { CutoverError } from '../core/errors.ts';
import { type Digest, digest } from '../core/names.ts';
import { parseOrThrow } from '../core/parse.ts';
import { codeOf } from './failures.ts';
import { jsonOrNothing } from './json.ts';

const descriptor = z.object({
  mediaType: z.string(),
  digest,
  size: z.int().min(0),
  annotations: z.record(z.string(), z.string()).optional(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
});
export type Descriptor = z.infer<typeof descriptor>;

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md and image-index.md */
const manifestSchema = z.object({
  mediaType: z.string().optional(),
  config: z.object({ digest: z.string(), size: z.int().min(0) }).optional(),
  layers: z.array(descriptor).default([]),
  manifests: z.array(descriptor).optional(),
});
/** `manifests` is what makes an index of it. */
export type Manifest = z.infer<typeof manifestSchema>;

/** Undefined when the repository does not hold it. Throws `Cutover.InvalidInput` for what is no manifest. */
export async function readManifest(
  client: ECRClient,
  repositoryName: string,
  id: ImageIdentifier,
): Promise<Manifest | undefined> {
  const command = new BatchGetImageCommand({ repositoryName, imageIds: [id] });
  const { images = [], failures = [] } = await client.send(command);
  const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
  const name = `${repositoryName}@${id.imageDigest ?? id.imageTag}`;
  if (failure !== undefined)
    throw new CutoverError(
      'Cutover.AwsRefused',
      `ECR does not give the manifest of ${name}: ${failure.failureCode} ${failure.failureReason}`,
    );
  const text = images[0]?.imageManifest;
  return text === undefined
    ? undefined
    : parseOrThrow(manifestSchema, jsonOrNothing(text), `the manifest of ${name}`);
}

export interface RunnableManifest {
  readonly digest: Digest;
  /** `linux/arm64`; null when the index does not say. */
  readonly platform: string | null;
}

/** More platforms than any image has, and fewer than would take long to ask for. */
const mostManifests = 64;

/**
 * All that a task may be started from: the image itself, or what its index and the indexes in it name. Left out is only what no
 * runtime ever takes, the platform "unknown/unknown" of BuildKit's attestations
 * (https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md), whatever its annotations say.
 */
export async function runnableManifests(
  client: ECRClient,
  repository: string,
  image: Digest,
): Promise<readonly RunnableManifest[] | 'gone' | 'too many'> {
  const first = await readManifest(client, repository, { imageDigest: image });
  if (first === undefined) return 'gone';
  if (first.manifests === undefined) return [{ digest: image, platform: null }];
  const open = [...first.manifests];
  const seen = new Set<Digest>([image]);
  const found: RunnableManifest[] = [];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (seen.has(next.digest) || runsNowhere(next)) continue;
    seen.add(next.digest);
    if (seen.size > mostManifests) return 'too many';
    if (!isIndex(next)) {
      found.push({ digest: next.digest, platform: platformOf(next) });
      continue;
    }
    const inner = await readManifest(client, repository, { imageDigest: next.digest });
    if (inner?.manifests === undefined) return 'gone';
    open.push(...inner.manifests);
  }
  return found;
}

function isIndex({ mediaType }: Descriptor): boolean {
  return (
    mediaType === 'application/vnd.oci.image.index.v1+json' ||
    mediaType === 'application/vnd.docker.distribution.manifest.list.v2+json'
  );
}

/** The platform of attestations: no runtime ever takes it. */
export function runsNowhere({ platform }: Descriptor): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

function platformOf({ platform }: Descriptor): string | null {
  if (platform === undefined) return null;
  const { os, architecture, variant } = platform;
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

export function isAbsence(thrown: unknown): boolean {
  return codeOf(thrown) === 'ImageNotFoundException' || codeOf(thrown) === 'RepositoryNotFoundException';
}
