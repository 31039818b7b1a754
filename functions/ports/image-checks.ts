import type { ImageScan } from '../core/gates/image-scan.ts';
import type { ImageSignature, SignaturePolicy } from '../core/gates/image-signature.ts';
import type { Digest } from '../core/names.ts';

/** What the registry knows about the safety and the origin of an image. What AWS refuses to say is thrown. */
export interface ImageChecks {
  /** Of all that tasks may be started from: for an index, of each of its manifests. */
  scan(repository: string, digest: Digest): Promise<ImageScan>;
  /** Verified where it takes a key; whether it is enough is not decided here. */
  signature(repository: string, digest: Digest, wanted: SignaturePolicy): Promise<ImageSignature>;
}
