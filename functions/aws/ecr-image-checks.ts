/**
 * Scans and signatures in Amazon ECR. Not supported, and never passed: signatures of Notation that ECR did not make itself,
 * cosign without a key, signatures in another repository, and cosign's tags for registries without a referrers API.
 */
import {
  DescribeImageSigningStatusCommand,
  type ECRClient,
  ListImageReferrersCommand,
} from '@aws-sdk/client-ecr';
import { CutoverError } from '../core/errors.ts';
import type { ImageScan, ManifestScan } from '../core/gates/image-scan.ts';
import type { CosignSignature, ImageSignature, SignaturePolicy } from '../core/gates/image-signature.ts';
import type { Digest } from '../core/names.ts';
import type { ImageChecks } from '../ports/image-checks.ts';
import { type PublicKey, publicKey, signedBundle, simpleSigning } from './cosign-signature.ts';
import { readLayer } from './ecr-layer.ts';
import {
  type Descriptor,
  isAbsence,
  type Manifest,
  readManifest,
  runnableManifests,
} from './ecr-manifest.ts';
import { readScan } from './ecr-scan-findings.ts';
import { calling } from './failures.ts';

const simpleSigningType = 'application/vnd.dev.cosign.simplesigning.v1+json';
const simpleSigningArtifact = 'application/vnd.dev.cosign.artifact.sig.v1+json';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const signatureAnnotation = 'dev.cosignproject.cosign/signature';

/** Each takes two or three calls; more than these nobody signs with. */
const mostSignatures = 20;

const gone = { kind: 'unreadable', why: 'the repository does not hold the image (any more)' } as const;

export class EcrImageChecks implements ImageChecks {
  readonly #client: ECRClient;

  constructor(client: ECRClient) {
    this.#client = client;
  }

  async scan(repository: string, digest: Digest): Promise<ImageScan> {
    return this.#reading(`reading the scan of ${repository}@${digest}`, async () => {
      // ECR scans no index (aws/containers-roadmap#1683), but what it names, each by its own digest.
      const runnable = await runnableManifests(this.#client, repository, digest);
      if (runnable === 'gone') return gone;
      if (runnable === 'too many') return { kind: 'unreadable', why: 'its index names too many images' };
      const manifests: ManifestScan[] = [];
      for (const { digest: each, platform } of runnable)
        manifests.push({ platform, ...(await readScan(this.#client, repository, each)) });
      return { kind: 'read', manifests };
    });
  }

  async signature(repository: string, digest: Digest, wanted: SignaturePolicy): Promise<ImageSignature> {
    return this.#reading(`reading the signature of ${repository}@${digest}`, async () =>
      wanted.kind === 'signer'
        ? this.#managed(repository, digest)
        : this.#cosigned(repository, digest, wanted.publicKeys),
    );
  }

  /** What is malformed is an answer about the image; what AWS refuses is not. */
  async #reading<T>(doing: string, read: () => Promise<T>): Promise<T | { kind: 'unreadable'; why: string }> {
    return calling(doing, async () => {
      try {
        return await read();
      } catch (thrown) {
        if (isAbsence(thrown)) return gone;
        if (thrown instanceof CutoverError && thrown.name === 'Cutover.InvalidInput')
          return { kind: 'unreadable', why: thrown.message };
        throw thrown;
      }
    });
  }

  async #managed(repositoryName: string, imageDigest: Digest): Promise<ImageSignature> {
    const { signingStatuses = [] } = await this.#client.send(
      new DescribeImageSigningStatusCommand({ repositoryName, imageId: { imageDigest } }),
    );
    return {
      kind: 'signer',
      signings: signingStatuses.map(({ signingProfileArn, status, failureCode, failureReason }) => ({
        profile: signingProfileArn ?? null,
        status: status ?? null,
        why: [failureCode, failureReason].filter((each) => each !== undefined).join(': ') || null,
      })),
    };
  }

  async #cosigned(repository: string, digest: Digest, pems: readonly string[]): Promise<ImageSignature> {
    const keys: PublicKey[] = [];
    for (const [index, pem] of pems.entries()) {
      try {
        keys.push(publicKey(pem));
      } catch (thrown) {
        return {
          kind: 'unreadable',
          why: `public key ${index + 1} of the service is none: ${String(thrown)}`,
        };
      }
    }
    const layers = await this.#signatureLayers(repository, digest);
    if (layers === undefined)
      return { kind: 'unreadable', why: `there are more than ${mostSignatures} signatures` };
    const signatures: CosignSignature[] = [];
    for (const layer of layers) signatures.push(await this.#verify(repository, layer, keys));
    return { kind: 'cosign', signatures };
  }

  /** Of cosign 1 and 2's tag, and of what refers to the image, as cosign 3 writes it. Undefined for too many. */
  async #signatureLayers(repository: string, digest: Digest): Promise<readonly Descriptor[] | undefined> {
    const referrers = await this.#referrers(repository, digest);
    if (referrers === undefined) return undefined;
    const ids = [
      { imageTag: `${digest.replace(':', '-')}.sig` },
      ...referrers.map((imageDigest) => ({ imageDigest })),
    ];
    const layers: Descriptor[] = [];
    for (const id of ids) layers.push(...signatureLayers(await readManifest(this.#client, repository, id)));
    return layers.length > mostSignatures ? undefined : layers;
  }

  async #referrers(repositoryName: string, digest: Digest): Promise<readonly string[] | undefined> {
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await this.#client.send(
        new ListImageReferrersCommand({
          repositoryName,
          subjectId: { imageDigest: digest },
          filter: { artifactTypes: [bundleType, simpleSigningArtifact] },
          // One more than is looked at: mostly one page is enough.
          maxResults: mostSignatures + 1,
          ...(nextToken && { nextToken }),
        }),
      );
      for (const referrer of page.referrers ?? [])
        if (referrer.digest !== undefined) found.push(referrer.digest);
      // A filter may leave pages with fewer than they could hold.
      nextToken = page.nextToken;
    } while (nextToken !== undefined && found.length <= mostSignatures);
    return found.length > mostSignatures ? undefined : found;
  }

  async #verify(repository: string, layer: Descriptor, keys: readonly PublicKey[]): Promise<CosignSignature> {
    const bytes = await readLayer(this.#client, repository, layer);
    if (bytes === undefined) return { kind: 'unverified', why: 'is too large' };
    return layer.mediaType === bundleType
      ? signedBundle(bytes, keys)
      : simpleSigning(bytes, layer.annotations?.[signatureAnnotation] ?? '', keys);
  }
}

function signatureLayers(manifest: Manifest | undefined): Descriptor[] {
  return (manifest?.layers ?? []).filter(
    ({ mediaType }) => mediaType === simpleSigningType || mediaType === bundleType,
  );
}
