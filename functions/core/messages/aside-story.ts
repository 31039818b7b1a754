/** What is told of a service beside its deployments: pushes that became none, what a person answers for, what was found. */

import { type Generation, imageName } from '../fleet/generation.ts';
import { unitOf } from '../fleet/unit.ts';
import { waiverEnds } from '../gates/waiver.ts';
import type { ServiceItem } from '../ledger/service-item.ts';
import { isAmi } from '../names.ts';
import type { Chapter } from './chapter.ts';

/** Of a chapter that belongs to no deployment. */
const apart = {
  direction: null,
  deployment: null,
  image: null,
  digest: null,
  generation: null,
  weights: null,
  seconds: null,
  restore: null,
  push: null,
  order: null,
  intent: null,
  step: null,
  desired: null,
} as const;

/** Before a deployment begins. */
export function asideIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  return [...refusalIn(before, after), ...waiverIn(before, after), ...hooksIn(before, after)];
}

function refusalIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const { intake } = after;
  if (intake === null || intake.admission === 'admitted' || sameIntake(before, after)) return [];
  return [
    {
      ...apart,
      id: `push#${new Date(intake.at).toISOString()}#${intake.id}`,
      kind: intake.admission === 'queued' ? 'queued' : 'refused',
      service: after.service,
      direction: intake.direction === 'back' ? 'back' : null,
      image: intake.image,
      reason: intake.reason,
      at: intake.at,
      push: intake.direction === 'forward' ? intake.id : null,
      written: after.written,
    },
  ];
}

/** What hooks answered. */
function hooksIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const known = new Set(before?.hooks.flatMap(({ key, answer }) => (answer === null ? [] : [key])));
  return after.hooks.flatMap(({ key, hook, stage, deployment, generation, answer }): Chapter[] => {
    if (answer === null || known.has(key)) return [];
    const failed = answer.verdict === 'fail';
    return [
      {
        ...apart,
        id: `hook#${key}`,
        kind: failed ? 'hookFailed' : 'hookPassed',
        service: after.service,
        deployment,
        generation,
        reason: failed ? `the hook ${hook} refused (${stage}): ${answer.reason}` : `${hook} (${stage})`,
        at: answer.at,
        written: after.written,
      },
    ];
  });
}

function waiverIn(
  before: ServiceItem | null,
  { service, waiver, written: by }: ServiceItem,
): readonly Chapter[] {
  if (waiver === null || before?.waiver?.at === waiver.at) return [];
  return [
    {
      ...apart,
      id: `waived#${new Date(waiver.at).toISOString()}`,
      kind: 'waived',
      service,
      reason: `${waiver.by}: ${waiver.reason}. Red alarms and freezes do not keep the next push until ${new Date(waiverEnds(waiver)).toISOString()}`,
      at: waiver.at,
      written: by,
    },
  ];
}

/** What the sweep found. */
export function foundIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  return [...leftIn(before, after), ...retentionIn(before, after), ...undrainedIn(before, after)];
}

function leftIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const { service } = after;
  const known = new Set(before?.imagesMissing.map(({ generation }) => generation.name));
  const missing = after.imagesMissing
    .filter(({ generation }) => !known.has(generation.name))
    .map(
      ({ generation, at }): Chapter => ({
        ...apart,
        id: `found#image-missing#${generation.name}`,
        kind: 'imageMissing',
        service,
        image: imageName(generation),
        digest: generation.digest,
        generation: generation.name,
        reason: withoutImage(after, generation),
        at,
        written: after.written,
      }),
    );
  const [first, ...more] = after.orphans.filter(
    ({ name }) => before?.orphans.some((each) => each.name === name) !== true,
  );
  if (first === undefined) return missing;
  const names = [first, ...more].map(({ name, runs }) => (runs ? name : `${name} (no longer running)`));
  const orphaned: Chapter = {
    ...apart,
    id: `found#orphaned#${first.name}`,
    kind: 'orphaned',
    service,
    reason: `nothing references ${names.join(', ')}. To have what is orphaned ended, invoke the signal function with {"service":"${service}","signal":"collect","by":"…"}`,
    at: first.at,
    written: after.written,
  };
  return [...missing, orphaned];
}

/** An AMI that is gone never comes again under its id. */
function withoutImage({ live, deployment }: ServiceItem, { name, repository, digest }: Generation): string {
  const unit = deployment === null ? 'task' : unitOf(deployment.plan.settings);
  if (isAmi(digest))
    return live?.name === name
      ? `${name} is live, but its AMI ${digest} is none of ${repository} that can be launched any more: an ${unit} that is replaced cannot start. Deploy another one, or make it available again`
      : `${name} may be gone back to, but its AMI ${digest} is none of ${repository} that can be launched any more: make it available again`;
  return live?.name === name
    ? `${name} is live, but its image is not in ${repository} any more: ${unit === 'task' ? 'a' : 'an'} ${unit} that is replaced cannot start. Push the image again, or deploy another one`
    : `${name} may be gone back to, but its image is not in ${repository} any more: push the image again`;
}

/** A generation that is kept beyond its time, for requests still reach it. */
function retentionIn(before: ServiceItem | null, after: ServiceItem): readonly Chapter[] {
  const known = new Set(
    before?.retained.flatMap(({ generation, remark }) => (remark === null ? [] : [generation.name])),
  );
  return after.retained.flatMap(({ generation, reachedSince, remark }): Chapter[] => {
    if (remark === null || reachedSince === null || known.has(generation.name)) return [];
    return [
      {
        ...apart,
        id: `retained#${generation.name}#${new Date(reachedSince).toISOString()}`,
        kind: 'stillReached',
        service: after.service,
        image: imageName(generation),
        digest: generation.digest,
        generation: generation.name,
        reason: remark,
        at: before?.intent?.at ?? reachedSince,
        written: after.written,
      },
    ];
  });
}

function undrainedIn(
  before: ServiceItem | null,
  { service, undrained, written: by }: ServiceItem,
): readonly Chapter[] {
  const known = before?.undrained ?? null;
  if (undrained === null || (known?.instance === undrained.instance && known.at === undrained.at)) return [];
  const { generation, instance, reason, at } = undrained;
  return [
    {
      ...apart,
      id: `undrained#${generation}#${instance}#${new Date(at).toISOString()}`,
      kind: 'undrained',
      service,
      generation,
      reason: `${instance}: ${reason}. That others of ${generation} are not drained is told again after an hour`,
      at,
      written: by,
    },
  ];
}

function sameIntake(before: ServiceItem | null, after: ServiceItem): boolean {
  return before?.intake?.id === after.intake?.id && before?.intake?.at === after.intake?.at;
}
