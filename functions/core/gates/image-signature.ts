/** Who has signed an image, and whether it is whom a service's policy asks for. */
import * as z from 'zod';
import type { Digest } from '../names.ts';
import { plain } from '../plain-text.ts';
import type { Verdict } from './verdict.ts';

/** The pattern of ECR's `SigningProfileArn`; a profile's version, the part after its name, is not ECR's to say. */
const profileArn = /^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\/signing-profiles\/[a-zA-Z0-9_]{2,64}$/;
const publicKeyPem = /^-----BEGIN PUBLIC KEY-----\n(?:[A-Za-z0-9+/=]{1,76}\n)+-----END PUBLIC KEY-----\n?$/;

export const signaturePolicySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('signer').describe("ECR's managed signing with AWS Signer"),
    profile: z
      .string()
      .regex(profileArn, 'must be the ARN of a signing profile, without a version')
      .describe('ARN of the signing profile'),
  }),
  z.strictObject({
    kind: z.literal('cosign'),
    publicKeys: z
      .array(z.string().max(2_000).regex(publicKeyPem, 'must be a public key in PEM'))
      .min(1)
      .max(3)
      .describe('one of them must have signed; two while a key is replaced'),
  }),
]);
export type SignaturePolicy = z.infer<typeof signaturePolicySchema>;

/** What ECR says of its signing with one profile. */
export interface ManagedSigning {
  readonly profile: string | null;
  readonly status: string | null;
  /** Code and words of a failure. */
  readonly why: string | null;
}

/** One signature that is in the repository for the image. */
export type CosignSignature =
  /** By a key of the policy: the digests that it says it is for. */
  | { readonly kind: 'verified'; readonly digests: readonly string[] }
  /** `why` completes "it …". */
  | { readonly kind: 'unverified'; readonly why: string };

export type ImageSignature =
  | { readonly kind: 'signer'; readonly signings: readonly ManagedSigning[] }
  | { readonly kind: 'cosign'; readonly signatures: readonly CosignSignature[] }
  | { readonly kind: 'unreadable'; readonly why: string };

/** Passes only what was signed, exactly this digest, by whom the policy names. */
export function signatureVerdict(
  policy: SignaturePolicy,
  seen: ImageSignature | null,
  digest: Digest,
): Verdict {
  if (seen === null) return fails('its signature was not looked at');
  if (seen.kind === 'unreadable') return fails(`its signature cannot be read: ${plain(seen.why)}`);
  if (policy.kind === 'signer' && seen.kind === 'signer')
    return managedVerdict(policy.profile, seen.signings);
  if (policy.kind === 'cosign' && seen.kind === 'cosign') return cosignVerdict(seen.signatures, digest);
  return fails(`its signature by ${policy.kind} was not looked at`);
}

function managedVerdict(profile: string, signings: readonly ManagedSigning[]): Verdict {
  const name = profile.slice(profile.lastIndexOf('/') + 1);
  const own = signings.filter((each) => each.profile === profile);
  const bad = own.find(({ status }) => status !== 'COMPLETE' && status !== 'IN_PROGRESS');
  if (bad?.status === 'FAILED')
    return fails(
      `ECR could not sign it with the profile ${name}${bad.why === null ? '' : `: ${plain(bad.why)}`}`,
    );
  if (bad !== undefined)
    return fails(
      `ECR says ${plain(bad.status ?? 'nothing')} of its signature with the profile ${name}, which is no signature`,
    );
  if (own.length === 0)
    return waits(
      `ECR's signature with the profile ${name}: it has ${signings.length === 0 ? 'none' : 'those of other profiles'}`,
    );
  if (own.some(({ status }) => status === 'IN_PROGRESS'))
    return waits(`ECR's signature with the profile ${name}: ECR is signing`);
  return { verdict: 'pass' };
}

/** How many a phone shows. */
const shown = 3;

/**
 * Others' signatures prove nothing, and do not fail it either: cosign signs after the push, with one key after another, and each
 * time the same manifest is replaced by one with the new signature added.
 */
function cosignVerdict(signatures: readonly CosignSignature[], digest: Digest): Verdict {
  const others: string[] = [];
  for (const each of signatures) {
    if (each.kind === 'verified' && each.digests.includes(digest)) return { verdict: 'pass' };
    others.push(
      each.kind === 'unverified'
        ? plain(each.why)
        : `is of another image (${plain(each.digests.join(', ') || 'no digest')})`,
    );
  }
  if (others.length === 0) return waits("a cosign signature by the service's key: it has none");
  const distinct = [...new Set(others)];
  const more = distinct.length > shown ? ` and ${distinct.length - shown} more` : '';
  return waits(
    `a cosign signature by the service's key: what it has ${distinct.slice(0, shown).join('; ')}${more}`,
  );
}

function fails(reason: string): Verdict {
  return { verdict: 'fail', reasons: [reason] };
}

function waits(missing: string): Verdict {
  return { verdict: 'wait', missing: [missing] };
}
