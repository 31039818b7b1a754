/** Asks, before anything is launched, whether the image may be. Changes nothing; a wait is a failure that is tried again. */

import type { Plan } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import { imageName } from '../core/fleet/generation.ts';
import { imageGateVerdict } from '../core/gates/image-gate.ts';
import { shortDigest } from '../core/names.ts';
import type { ImageChecks } from '../ports/image-checks.ts';
import type { Now } from './clock.ts';

export interface ImageGatePorts {
  readonly imageChecks: ImageChecks;
  readonly now: Now;
}

/** `since`: when the deployment began, in milliseconds since the epoch. What is gone back to passed the gate before. */
export async function passImageGate(
  { settings, to, direction }: Plan,
  since: number,
  { imageChecks, now }: ImageGatePorts,
): Promise<void> {
  const gate = settings.imageGate;
  if (gate === null || direction === 'back') return;
  const [scan, signature] = await Promise.all([
    gate.scan === null ? null : imageChecks.scan(to.repository, to.digest),
    gate.signature === null ? null : imageChecks.signature(to.repository, to.digest, gate.signature),
  ]);
  const verdict = imageGateVerdict(gate, { scan, signature }, { digest: to.digest, since, now: now() });
  const image = `${imageName(to)} (${shortDigest(to.digest)})`;
  switch (verdict.verdict) {
    case 'pass':
      return;
    case 'wait':
      throw new CutoverError(
        'Cutover.ImagePending',
        `${image} is not launched yet: ${verdict.missing.join('; ')}`,
      );
    case 'fail':
      throw new CutoverError(
        'Cutover.GateFailed',
        `${image} may not be launched: ${verdict.reasons.join('; ')}`,
      );
  }
}
