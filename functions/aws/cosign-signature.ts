/**
 * Signatures of cosign, verified with the keys of a policy. Two formats: the "simple signing" payload of cosign 1 and 2
 * (https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md) and the bundle that cosign 3 writes
 * (https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md). With a pinned key neither needs the transparency log or
 * a timestamp, so these are not looked at; signatures without a key ("keyless", by a certificate) are not verified.
 */
import { bundleFromJSON, toMessageSignatureBundle } from '@sigstore/bundle';
import { crypto } from '@sigstore/core';
import { type SignedEntity, type TrustMaterial, toSignedEntity, Verifier } from '@sigstore/verify';
import * as z from 'zod';
import type { CosignSignature } from '../core/gates/image-signature.ts';
import { parseOrThrow } from '../core/parse.ts';

export type PublicKey = ReturnType<typeof crypto.createPublicKey>;

/** Throws for what is no public key that signatures can be verified with. */
export function publicKey(pem: string): PublicKey {
  const key = crypto.createPublicKey(pem);
  if (key.asymmetricKeyType !== 'ec' && key.asymmetricKeyType !== 'rsa')
    throw new TypeError(`cosign signs with ECDSA or RSA keys, this one is ${key.asymmetricKeyType}`);
  return key;
}

const simplePayload = z.object({
  critical: z.object({
    image: z.object({ 'docker-manifest-digest': z.string() }),
    type: z.literal('cosign container image signature'),
  }),
});

/** `signature`: base64, from the annotation of the layer that holds the payload. */
export function simpleSigning(
  payload: Uint8Array,
  signature: string,
  keys: readonly PublicKey[],
): CosignSignature {
  return reading(() => {
    const bytes = Buffer.from(payload);
    const bundle = toMessageSignatureBundle({
      digest: crypto.digest('sha256', bytes),
      signature: Buffer.from(signature, 'base64'),
      keyHint: '',
    });
    if (!isBy(keys, toSignedEntity(bundle, bytes))) return foreign;
    const { critical } = parseOrThrow(simplePayload, jsonOf(bytes), 'what was signed');
    return { kind: 'verified', digests: [critical.image['docker-manifest-digest']] };
  });
}

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, as `cosign sign` writes it (sigstore/cosign#4634). */
const statement = z.object({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  // The same key also signs attestations, which say something about an image, not that it may run.
  predicateType: z.literal('https://sigstore.dev/cosign/sign/v1'),
  subject: z.array(z.object({ digest: z.object({ sha256: z.string().optional() }) })),
});
const statementType = 'application/vnd.in-toto+json';

/** `text`: the bundle as the registry has it, in JSON. */
export function signedBundle(text: Uint8Array, keys: readonly PublicKey[]): CosignSignature {
  return reading(() => {
    const bundle = bundleFromJSON(jsonOf(text));
    if (bundle.content.$case !== 'dsseEnvelope') return notOfCosign;
    const { payloadType, payload } = bundle.content.dsseEnvelope;
    if (payloadType !== statementType) return notOfCosign;
    if (bundle.verificationMaterial.content.$case !== 'publicKey')
      return { kind: 'unverified', why: 'is by a certificate, not by a key' };
    if (!isBy(keys, toSignedEntity(bundle))) return foreign;
    const { subject } = parseOrThrow(statement, jsonOf(payload), 'what was signed');
    return {
      kind: 'verified',
      digests: subject.flatMap(({ digest }) =>
        digest.sha256 === undefined ? [] : [`sha256:${digest.sha256}`],
      ),
    };
  });
}

const foreign: CosignSignature = { kind: 'unverified', why: "is not by the service's key" };
const notOfCosign: CosignSignature = { kind: 'unverified', why: 'is not what cosign sign writes' };

function isBy(keys: readonly PublicKey[], entity: SignedEntity): boolean {
  return keys.some((key) => {
    const trusted: TrustMaterial = {
      publicKey: () => ({ publicKey: key, validFor: () => true }),
      certificateAuthorities: [],
      timestampAuthorities: [],
      tlogs: [],
      ctlogs: [],
    };
    const verifier = new Verifier(trusted, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
    try {
      verifier.verify({ ...entity, tlogEntries: [], timestamps: [] });
      return true;
    } catch (failed) {
      if (failed instanceof Error && 'code' in failed && failed.code === 'SIGNATURE_ERROR') return false;
      throw failed;
    }
  });
}

/** Whoever may push can put anything there: what cannot be read is one more signature that proves nothing. */
function reading(read: () => CosignSignature): CosignSignature {
  try {
    return read();
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { kind: 'unverified', why: `cannot be read: ${why}` };
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
