/** Who is asked of an image: Amazon ECR, or EC2 where the repository is the AMIs of an account. */
import { amiOwner } from '../core/images/ami-event.ts';
import { type Digest, isAmi } from '../core/names.ts';
import type { ImageReference, Images } from '../ports/images.ts';
import type { ImagePlatforms } from '../ports/preflight.ts';

/** One adapter for each kind of repository. */
interface Registries<T> {
  readonly ecr: T;
  readonly amis: T;
}

function of<T>({ ecr, amis }: Registries<T>, repository: string): T {
  return amiOwner(repository) === undefined ? ecr : amis;
}

export class ImagesByRepository implements Images {
  readonly #registries: Registries<Images>;

  constructor(registries: Registries<Images>) {
    this.#registries = registries;
  }

  async find(repository: string, reference: ImageReference) {
    return of(this.#registries, repository).find(repository, reference);
  }

  async tagged(repository: string) {
    return of(this.#registries, repository).tagged(repository);
  }

  /** A service may have deployed the other kind before: no repository has both, and asked for one ECR would refuse to answer. */
  async existing(repository: string, digests: readonly Digest[]) {
    const ofAmis = amiOwner(repository) !== undefined;
    const own = digests.filter((digest) => isAmi(digest) === ofAmis);
    return of(this.#registries, repository).existing(repository, own);
  }

  async tag(repository: string, digest: Digest, tag: string): Promise<void> {
    return of(this.#registries, repository).tag(repository, digest, tag);
  }

  async untag(repository: string, tag: string): Promise<void> {
    return of(this.#registries, repository).untag(repository, tag);
  }
}

export class PlatformsByRepository implements ImagePlatforms {
  readonly #registries: Registries<ImagePlatforms>;

  constructor(registries: Registries<ImagePlatforms>) {
    this.#registries = registries;
  }

  async platforms(repository: string, digest: Digest) {
    return of(this.#registries, repository).platforms(repository, digest);
  }
}
