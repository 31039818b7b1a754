/** Pulling: from an image's URI to the manifest for this machine and its blobs on disk. */
import { readFile } from 'node:fs/promises';
import { digestOf } from './digest.ts';
import type { ImageConfig, ImageStore, Layer, PulledImage } from './image-store.ts';
import { type Descriptor, isRecord, type Manifest, type Platform } from './manifest.ts';
import type { Registry } from './registry.ts';
import type { ImageReference, Repository, StoredImage } from './repository.ts';

/** Node's names of CPUs and Go's, which images use. */
const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
  arm: 'arm',
};

interface ImageConfigFile {
  readonly platform: Platform;
  readonly config: ImageConfig;
  readonly diffIds: readonly string[];
}

export class ImagePuller implements ImageStore {
  readonly #registry: Registry;
  readonly #architecture: string;

  constructor(options: { registry: Registry; architecture?: string }) {
    this.#registry = options.registry;
    this.#architecture = options.architecture ?? architectures[process.arch] ?? process.arch;
  }

  async pull(imageUri: string): Promise<PulledImage> {
    const { repository, image } = this.#resolve(imageUri);
    const manifest = this.#forThisMachine(image.manifest, repository);
    const configFile = parseConfig(await this.#readConfig(manifest));
    if (!this.#runsHere(configFile.platform)) throw this.#noPlatform();
    const { diffIds } = configFile;
    if (diffIds.length !== manifest.layers.length) {
      const counts = `${manifest.layers.length} != ${diffIds.length}`;
      throw refFailed(`number of layers and diffIDs don't match: ${counts}`);
    }
    const layers: Layer[] = [];
    for (const [index, descriptor] of manifest.layers.entries()) {
      const diffId = diffIds[index];
      const path = await this.#blobPath(descriptor);
      layers.push({
        digest: descriptor.digest,
        mediaType: descriptor.mediaType,
        path,
        ...(diffId === undefined ? {} : { diffId }),
      });
    }
    this.#registry.recordPull(image);
    return { repository: repository.name, digest: manifest.digest, config: configFile.config, layers };
  }

  #resolve(imageUri: string): { repository: Repository; image: StoredImage } {
    const { name, reference } = parseUri(imageUri);
    const repository = this.#registry.repositories().find((candidate) => candidate.name === name);
    // A digest that is given decides, whatever the tag beside it (Docker's rule).
    const image = repository?.find(reference.digest === undefined ? reference : { digest: reference.digest });
    if (repository === undefined || image === undefined) {
      throw manifestFailed(`failed to resolve ref ${imageUri}: ${imageUri}: not found`);
    }
    return { repository, image };
  }

  /** An index leads to its first manifest for this platform. */
  #forThisMachine(manifest: Manifest, repository: Repository): Manifest {
    if (manifest.config !== undefined) return manifest;
    const match = manifest.manifests.find(
      ({ platform }) => platform !== undefined && this.#runsHere(platform),
    );
    const child = match === undefined ? undefined : repository.images.get(match.digest);
    if (child === undefined) throw this.#noPlatform();
    return this.#forThisMachine(child.manifest, repository);
  }

  #runsHere(platform: Platform): boolean {
    return platform.os === 'linux' && platform.architecture === this.#architecture;
  }

  async #readConfig(manifest: Manifest): Promise<Buffer> {
    const descriptor = manifest.config;
    if (descriptor === undefined) throw this.#noPlatform();
    const content = await readFile(await this.#blobPath(descriptor));
    const actual = digestOf(content);
    if (actual !== descriptor.digest) {
      throw refFailed(
        `unexpected commit digest ${actual}, expected ${descriptor.digest}: failed precondition`,
      );
    }
    return content;
  }

  async #blobPath(descriptor: Descriptor): Promise<string> {
    const blob = await this.#registry.blobs.find(descriptor.digest);
    if (blob === undefined)
      throw refFailed(
        `failed to copy: httpReadSeeker: failed open: content at ${descriptor.digest} not found: not found`,
      );
    return blob.path;
  }

  #noPlatform(): Error {
    return manifestFailed(
      `image Manifest does not contain descriptor matching platform 'linux/${this.#architecture}'`,
    );
  }
}

/** `HOST/repository[:tag][@digest]`; whatever the host, it is this registry. */
function parseUri(imageUri: string): { name: string; reference: ImageReference } {
  const match = /^[^/]+\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(imageUri);
  if (match === null) throw manifestFailed(`failed to resolve ref ${imageUri}: ${imageUri}: not found`);
  const [, name = '', tag, digest] = match;
  return { name, reference: digest === undefined ? { tag: tag ?? 'latest' } : { digest } };
}

function parseConfig(content: Buffer): ImageConfigFile {
  let file: unknown;
  try {
    file = JSON.parse(content.toString('utf8'));
  } catch (error) {
    throw refFailed(error instanceof Error ? error.message : String(error));
  }
  if (!isRecord(file)) throw refFailed('image configuration is not a JSON object');
  const { os, architecture, rootfs, config } = file;
  const diffIds = isRecord(rootfs) && Array.isArray(rootfs['diff_ids']) ? rootfs['diff_ids'] : [];
  return {
    platform: {
      ...(typeof os === 'string' ? { os } : {}),
      ...(typeof architecture === 'string' ? { architecture } : {}),
    },
    config: imageConfig(isRecord(config) ? config : {}),
    diffIds: diffIds.filter((id) => typeof id === 'string'),
  };
}

function imageConfig(config: Record<string, unknown>): ImageConfig {
  const { WorkingDir, User, ExposedPorts } = config;
  return {
    Entrypoint: texts(config, 'Entrypoint'),
    Cmd: texts(config, 'Cmd'),
    Env: texts(config, 'Env'),
    ...(typeof WorkingDir === 'string' ? { WorkingDir } : {}),
    ...(typeof User === 'string' ? { User } : {}),
    ExposedPorts: isRecord(ExposedPorts) ? ExposedPorts : null,
  };
}

function texts(config: Record<string, unknown>, member: string): string[] | null {
  const value = config[member];
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw refFailed(`json: cannot unmarshal ${member} of the image configuration into a list of strings`);
  }
  return value;
}

/** Fargate's words (platform version 1.4) for what fails before and after the manifest is known. */
function manifestFailed(reason: string): Error {
  return new Error(`CannotPullContainerError: pull image manifest has been retried 1 time(s): ${reason}`);
}

function refFailed(reason: string): Error {
  return new Error(`CannotPullContainerError: ref pull has been retried 1 time(s): ${reason}`);
}
