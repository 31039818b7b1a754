/** Keeps the image of a new generation from expiring, as long as somebody may go back to it. Never stops a deployment. */

import type { Plan } from '../core/deployment/plan.ts';
import { CutoverError } from '../core/errors.ts';
import { imageNotKept, retainTag } from '../core/images/kept-images.ts';
import type { Images } from '../ports/images.ts';
import type { Ledger } from '../ports/ledger.ts';

export interface KeepImagePorts {
  readonly ledger: Ledger;
  readonly images: Pick<Images, 'tag'>;
}

export async function keepImage(plan: Plan, { ledger, images }: KeepImagePorts): Promise<void> {
  const { settings, to } = plan;
  try {
    await images.tag(settings.repository, to.digest, retainTag(to.name));
  } catch (failure) {
    if (!(failure instanceof CutoverError)) throw failure;
    await ledger.change(settings.service, (item) => ({ item: imageNotKept(item, plan, failure.message) }));
  }
}
