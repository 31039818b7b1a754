/** Whether an image may be launched at all: its scan and its signature, by the service's policy. Asked before anything is made. */
import * as z from 'zod';
import type { Digest } from '../names.ts';
import { type ImageScan, scanPolicySchema, scanVerdict } from './image-scan.ts';
import { type ImageSignature, signaturePolicySchema, signatureVerdict } from './image-signature.ts';
import { together, type Verdict } from './verdict.ts';

export const imageGateSchema = z.strictObject({
  deadlineSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .default(900)
    .describe('how long the result of a scan and a signature may take to come'),
  scan: scanPolicySchema
    .nullable()
    .default(null)
    .describe("what the registry's scan may have found; null: not asked"),
  signature: signaturePolicySchema.nullable().default(null).describe('who must have signed; null: nobody'),
});
export type ImageGate = z.infer<typeof imageGateSchema>;

/** What was read of the image; null where it was not asked. */
export interface ImageObservation {
  readonly scan: ImageScan | null;
  readonly signature: ImageSignature | null;
}

/**
 * What is missing is waited for until the deadline, then it fails. Nothing that was not read, or not understood, passes.
 * `since`: when the gate was asked first, in milliseconds since the epoch like `now`.
 */
export function imageGateVerdict(
  gate: ImageGate,
  seen: ImageObservation,
  { digest, since, now }: { readonly digest: Digest; readonly since: number; readonly now: number },
): Verdict {
  const verdict = together([
    ...(gate.scan === null ? [] : [scanVerdict(gate.scan, seen.scan, now)]),
    ...(gate.signature === null ? [] : [signatureVerdict(gate.signature, seen.signature, digest)]),
  ]);
  if (verdict.verdict !== 'wait') return verdict;
  // Written so that times that are no numbers do not wait for ever.
  if (now - since < gate.deadlineSeconds * 1_000) return verdict;
  return {
    verdict: 'fail',
    reasons: verdict.missing.map((each) => `missing after ${gate.deadlineSeconds} s: ${each}`),
  };
}
