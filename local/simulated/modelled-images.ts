/** Images without content: the registry has their manifests, and a pull takes as long as the image's behaviour says. */
import type { Clock } from '../clock.ts';
import { digestOf } from '../registry/digest.ts';
import type { ImageStore, PulledImage } from '../registry/image-store.ts';
import { manifestTypes, parseManifest } from '../registry/manifest.ts';
import type { Registry } from '../registry/registry.ts';
import { machineArchitecture, resolveImage } from '../registry/resolve-image.ts';
import type { BehaviourOf } from './behaviour.ts';

export class ModelledImages implements ImageStore {
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #behaviourOf: BehaviourOf;

  constructor(options: { clock: Clock; registry: Registry; behaviourOf: BehaviourOf }) {
    this.#clock = options.clock;
    this.#registry = options.registry;
    this.#behaviourOf = options.behaviourOf;
  }

  /** The manifest must be there when the pull begins; what happens to it later does not matter to this pull. */
  async pull(imageUri: string): Promise<PulledImage> {
    const { repository, image, manifest } = resolveImage(this.#registry, imageUri, machineArchitecture);
    this.#registry.recordPull(image);
    const { pullMs } = this.#behaviourOf(manifest.digest);
    if (pullMs > 0) await this.#clock.sleep(pullMs);
    return { repository: repository.name, digest: manifest.digest, config: {}, layers: [] };
  }
}

/** What each modelled image says of itself: the tasks of the templates run on X86_64, whatever this machine is. */
export const modelledConfiguration = JSON.stringify({ os: 'linux', architecture: 'amd64' });

/**
 * Puts an image without layers under the tag, as a push of it ends: ECR announces it. The same content is the same
 * digest. Returns the digest; throws ECR's own errors, such as for an immutable tag.
 */
export function pushModelledImage(
  registry: Registry,
  image: { readonly repository: string; readonly tag: string; readonly content: string },
): string {
  const content = Buffer.from(image.content);
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(content),
    size: content.length,
  };
  // In the repository's books only: nobody reads what a modelled image consists of.
  registry.repository(image.repository).blobs.add(config.digest);
  const manifest = { schemaVersion: 2, mediaType: manifestTypes.ociManifest, config, layers: [] };
  return registry.putImage(image.repository, parseManifest(Buffer.from(JSON.stringify(manifest))), image.tag)
    .manifest.digest;
}
