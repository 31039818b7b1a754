import type { RegistryImage } from '../core/images/registry-image.ts';
import type { Digest } from '../core/names.ts';

/** Either by what it is or by what names it now. */
export type ImageReference = { readonly digest: Digest } | { readonly tag: string };

/** The registry that images are pushed to and pulled from. */
export interface Images {
  /** Undefined when the repository does not hold it (any more). */
  find(repository: string, reference: ImageReference): Promise<RegistryImage | undefined>;
  /** All that a tag names, in no order. */
  tagged(repository: string): Promise<readonly RegistryImage[]>;
  /** Those of the digests, at most 100, that can still be pulled. */
  existing(repository: string, digests: readonly Digest[]): Promise<ReadonlySet<Digest>>;
  /** Puts one more tag on the digest. A repeat finds it there. */
  tag(repository: string, digest: Digest, tag: string): Promise<void>;
  /** Takes a tag off its image, unless it is the only one: the image would go with it. A repeat finds it gone. */
  untag(repository: string, tag: string): Promise<void>;
}
