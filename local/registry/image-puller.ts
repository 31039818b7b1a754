/** Pulling: from an image's URI to the manifest for this machine and its blobs on disk. */
import { readFile } from 'node:fs/promises';
import { digestOf } from './digest.ts';
import type { ImageConfig, ImageStore, Layer, PulledImage } from './image-store.ts';
import { type Descriptor, isRecord, type Manifest, type Platform } from './manifest.ts';
import type { Registry } from './registry.ts';
import { machineArchitecture, noPlatform, resolveImage, runsOn } from './resolve-image.ts';

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
    this.#architecture = options.architecture ?? machineArchitecture;
  }

  async pull(imageUri: string): Promise<PulledImage> {
    const { repository, image, manifest } = resolveImage(this.#registry, imageUri, this.#architecture);
    const configFile = parseConfig(await this.#readConfig(manifest));
    if (!runsOn(configFile.platform, this.#architecture)) throw noPlatform(this.#architecture);
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

  async #readConfig(manifest: Manifest): Promise<Buffer> {
    const descriptor = manifest.config;
    if (descriptor === undefined) throw noPlatform(this.#architecture);
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

/** Fargate's words (platform version 1.4) for what fails after the manifest is known. */
function refFailed(reason: string): Error {
  return new Error(`CannotPullContainerError: ref pull has been retried 1 time(s): ${reason}`);
}
