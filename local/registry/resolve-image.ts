/** From an image's URI to the manifest that runs on a platform. Failures in the words of Fargate 1.4. */
import type { Manifest, Platform } from './manifest.ts';
import type { Registry } from './registry.ts';
import type { ImageReference, Repository, StoredImage } from './repository.ts';

/** Node's names of CPUs and Go's, which images use. */
const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
  arm: 'arm',
};

/** This machine's CPU, in Go's words. */
export const machineArchitecture = architectures[process.arch] ?? process.arch;

export interface ResolvedImage {
  readonly repository: Repository;
  /** What the URI names: the image that was pulled, in ECR's books. */
  readonly image: StoredImage;
  /** What runs: for an index, the manifest for the platform. */
  readonly manifest: Manifest;
}

/** Throws `CannotPullContainerError: …` for an image that the registry has not, or not for linux on this CPU. */
export function resolveImage(registry: Registry, imageUri: string, architecture: string): ResolvedImage {
  const { name, reference } = parseUri(imageUri);
  const repository = registry.repositories().find((candidate) => candidate.name === name);
  // A digest that is given decides, whatever the tag beside it (Docker's rule).
  const image = repository?.find(reference.digest === undefined ? reference : { digest: reference.digest });
  if (repository === undefined || image === undefined) {
    throw manifestFailed(`failed to resolve ref ${imageUri}: ${imageUri}: not found`);
  }
  return { repository, image, manifest: manifestFor(image.manifest, repository, architecture) };
}

export function runsOn(platform: Platform, architecture: string): boolean {
  return platform.os === 'linux' && platform.architecture === architecture;
}

export function noPlatform(architecture: string): Error {
  return manifestFailed(
    `image Manifest does not contain descriptor matching platform 'linux/${architecture}'`,
  );
}

/** An index leads to its first manifest for this platform. */
function manifestFor(manifest: Manifest, repository: Repository, architecture: string): Manifest {
  if (manifest.config !== undefined) return manifest;
  const match = manifest.manifests.find(
    ({ platform }) => platform !== undefined && runsOn(platform, architecture),
  );
  const child = match === undefined ? undefined : repository.images.get(match.digest);
  if (child === undefined) throw noPlatform(architecture);
  return manifestFor(child.manifest, repository, architecture);
}

/** `HOST/repository[:tag][@digest]`; whatever the host, it is this registry. */
function parseUri(imageUri: string): { name: string; reference: ImageReference } {
  const match = /^[^/]+\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(imageUri);
  if (match === null) throw manifestFailed(`failed to resolve ref ${imageUri}: ${imageUri}: not found`);
  const [, name = '', tag, digest] = match;
  return { name, reference: digest === undefined ? { tag: tag ?? 'latest' } : { digest } };
}

function manifestFailed(reason: string): Error {
  return new Error(`CannotPullContainerError: pull image manifest has been retried 1 time(s): ${reason}`);
}
