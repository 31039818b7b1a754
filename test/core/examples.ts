/** A service, its pushes and its course, for tests: each takes what matters to the test and makes up the rest. */
import { type Admission, admit, type Offer } from '../../functions/core/deployment/admission.ts';
import { intending, launched, promoted, shifted } from '../../functions/core/deployment/course.ts';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { Retained } from '../../functions/core/deployment/retention.ts';
import {
  admitRollback,
  type RollbackOffer,
  rollbackOrder,
} from '../../functions/core/deployment/rollback.ts';
import type { Failure } from '../../functions/core/errors.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { Push } from '../../functions/core/images/push.ts';
import type { RegistryImage } from '../../functions/core/images/registry-image.ts';
import { newServiceItem, type ServiceItem } from '../../functions/core/ledger/service-item.ts';
import {
  type Digest,
  digest,
  nameGeneration,
  type SlotName,
  serviceName,
  slotName,
} from '../../functions/core/names.ts';
import { type ServiceSettings, serviceSettings } from '../../functions/core/service-settings.ts';
import type { Weights } from '../../functions/core/traffic/weights.ts';

export const start = Date.UTC(2026, 0, 1, 12);
export const web = serviceName.parse('web');
export const [blue, green, red] = ['blue', 'green', 'red'].map((name) => slotName.parse(name)) as [
  SlotName,
  SlotName,
  SlotName,
];

export const execution = (name: string): string =>
  `arn:aws:states:eu-west-1:123456789012:execution:deploy:${name}`;
export const group = (slot: string): string =>
  `arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-${slot}/0123456789abcdef`;
export const rule = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener-rule/app/main/1/2/3';

export function settingsOf(
  changes: Record<string, unknown> = {},
  slots: readonly string[] = ['blue', 'green', 'red'],
): ServiceSettings {
  return serviceSettings.parse({
    schema: 1,
    service: 'web',
    repository: 'shop/web',
    repositoryUri: '123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web',
    tags: ['v*'],
    strategy: { kind: 'canary', canaryPercent: 10, canaryBakeSeconds: 300, bakeSeconds: 600 },
    whenBusy: 'reject',
    alarms: ['web-errors'],
    minimumCount: 2,
    healthDeadlineSeconds: 600,
    healthIntervalSeconds: 10,
    retentionSeconds: 3_600,
    traffic: { rule, slots: slots.map((name) => ({ name, targetGroup: group(name) })) },
    fleet: { kind: 'ecs' },
    ...changes,
  });
}

export const because = (Cause: string): Failure => ({ Error: 'Cutover.AlarmRed', Cause });

export function digestOf(number: number): Digest {
  return digest.parse(`sha256:${number.toString(16).padStart(64, '0')}`);
}

/** The id of an AMI. */
export function amiOf(number: number): Digest {
  return digest.parse(`ami-${number.toString(16).padStart(17, '0')}`);
}

/** `web:v2`, pushed two minutes after the start. */
export function pushOf(number: number, changes: Partial<Push> = {}): Push {
  return {
    eventId: `event-${number}`,
    at: start + number * 60_000,
    repository: 'shop/web',
    tag: `v${number}`,
    digest: digestOf(number),
    ...changes,
  };
}

/** The image of `web:v2`, as the registry has it since its push. */
export function imageOf(number: number, changes: Partial<RegistryImage> = {}): RegistryImage {
  return {
    digest: digestOf(number),
    tags: [`v${number}`],
    pushedAt: pushOf(number).at,
    manifestType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.oci.image.config.v1+json',
    subject: undefined,
    labels: {},
    ...changes,
  };
}

/** The push as ECR announces it. */
export function ecrEvent(push: Push, detail: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: '0',
    id: push.eventId,
    'detail-type': 'ECR Image Action',
    source: 'aws.ecr',
    account: '123456789012',
    time: new Date(push.at).toISOString().replace('.000', ''),
    region: 'eu-west-1',
    resources: [],
    detail: {
      result: 'SUCCESS',
      'repository-name': push.repository,
      'image-digest': push.digest,
      'action-type': 'PUSH',
      'image-tag': push.tag,
      ...detail,
    },
  };
}

export function weightsOf(changes: Record<string, number>): Weights {
  return { [blue]: 0, [green]: 0, [red]: 0, ...changes };
}

export function generationOf(number: number, slot: SlotName = blue): Generation {
  return {
    name: nameGeneration(web, number),
    number,
    slot,
    repository: 'shop/web',
    tag: `v${number}`,
    digest: digestOf(number),
    fleet: null,
  };
}

/** A service whose first generation is live in blue since the start. */
export function liveItem(changes: Partial<ServiceItem> = {}): ServiceItem {
  return {
    ...newServiceItem(web),
    version: 7,
    fence: 1,
    lastGeneration: 1,
    live: generationOf(1),
    proven: [generationOf(1)],
    weights: weightsOf({ blue: 100 }),
    weightsAt: null,
    lastPush: { eventId: 'event-1', at: pushOf(1).at },
    admitted: ['event-1'],
    ...changes,
  };
}

export function offerOf(push: Push, changes: Partial<Offer> = {}): Offer {
  return {
    push,
    image: imageOf(0, { digest: push.digest, tags: [push.tag], pushedAt: push.at }),
    execution: { arn: execution(push.eventId), redrives: 0 },
    objections: [],
    settings: settingsOf(),
    weights: weightsOf({ blue: 100 }),
    now: push.at + 5_000,
    ...changes,
  };
}

/** The second generation admitted on top of the first. */
export function admitted(
  item: ServiceItem = liveItem(),
  offer: Offer = offerOf(pushOf(2)),
): { item: ServiceItem; plan: Plan; admission: Admission } {
  const decided = admit(item, offer);
  if (decided.admission.plan === null) throw new Error(decided.admission.reason);
  return { ...decided, plan: decided.admission.plan };
}

/** The deployment after `steps` weight steps; 0 is launched and not yet shifted. */
export function baking(steps: number): { item: ServiceItem; plan: Plan } {
  const { item: fresh, plan } = admitted();
  let item = launched(intending(fresh, plan, { kind: 'launch', before: null, after: null }, start), plan, 2);
  plan.steps.slice(0, steps).forEach((step, index) => {
    const intent = { kind: 'shift' as const, before: item.weights, after: step.weights };
    item = shifted(intending(item, plan, intent, start), plan, step, index, start + index * 60_000);
  });
  return { item, plan };
}

/** A generation that is kept until then, and stays as large as it is. */
export function retainedOf(generation: Generation, until: number, changes: Partial<Retained> = {}): Retained {
  return { generation, until, fullUntil: null, reachedSince: null, remark: null, ...changes };
}

/** Generation 2 is live in green, the first one is kept warm in blue. */
export function replacedItem(changes: Partial<ServiceItem> = {}): ServiceItem {
  return liveItem({
    fence: 2,
    lastGeneration: 2,
    live: generationOf(2, green),
    retained: [retainedOf(generationOf(1), start + 3_600_000)],
    proven: [generationOf(1), generationOf(2, green)],
    weights: weightsOf({ green: 100 }),
    lastPush: { eventId: 'event-2', at: pushOf(2).at },
    admitted: ['event-1', 'event-2'],
    ...changes,
  });
}

/** An order to go back, by ann, while green has the traffic. */
export function orderOf(
  given: Record<string, unknown> = {},
  changes: Partial<RollbackOffer> = {},
): RollbackOffer {
  return {
    order: rollbackOrder.parse({ service: 'web', by: 'ann', reason: 'slow', ...given }),
    execution: { arn: execution('rollback'), redrives: 0 },
    settings: settingsOf(),
    weights: weightsOf({ green: 100 }),
    pullable: new Map([1, 2, 3, 4, 5].map((number) => [digestOf(number), true])),
    now: start + 600_000,
    ...changes,
  };
}

/** A rollback admitted. */
export function goingBack(
  item: ServiceItem = replacedItem(),
  offer: ReturnType<typeof orderOf> = orderOf(),
): { item: ServiceItem; plan: Plan } {
  const decided = admitRollback(item, offer);
  if (decided.admission.plan === null) throw new Error(decided.admission.reason);
  return { item: decided.item, plan: decided.admission.plan };
}

export function ended(): { item: ServiceItem; plan: Plan } {
  const { item, plan } = baking(2);
  return { item: promoted(item, plan, start + 1_800_000), plan };
}

/** The push as it waits. */
export const pendingOf = (number: number): NonNullable<ServiceItem['pending']> => ({
  ...pushOf(number),
  notBefore: null,
});
