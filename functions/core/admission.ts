/** Whether a push becomes a deployment, and which: the only place that issues fences and generation numbers. */
import { CutoverError, shortened } from './errors.ts';
import { type Generation, imageName } from './generation.ts';
import { nameDeployment, nameGeneration, type SlotName, shortDigest } from './names.ts';
import type { Plan } from './plan.ts';
import { isOlder, type Push } from './push.ts';
import type { Intake, ServiceItem } from './service-item.ts';
import type { ServiceSettings } from './service-settings.ts';
import { stepsOf } from './strategy.ts';
import { inWords, sameWeights, soleSlot, splitBetween, type Weights } from './weights.ts';

export type Admission =
  | { readonly admission: 'admitted'; readonly plan: Plan; readonly reason: string }
  | {
      readonly admission: 'nothing' | 'superseded' | 'rejected';
      readonly plan: null;
      readonly reason: string;
    };

export interface Execution {
  readonly arn: string;
  readonly redrives: number;
}

export interface Offer {
  readonly push: Push;
  readonly execution: Execution;
  readonly settings: ServiceSettings;
  /** The production rule as it is now. */
  readonly weights: Weights;
  readonly now: number;
}

/** How many event ids are remembered: EventBridge retries for 24 hours, and a service has few pushes in a day. */
const remembered = 100;

/** Decides on a push. The item returned records the decision, whatever it is. */
export function admit(
  item: ServiceItem,
  offer: Offer,
): { readonly item: ServiceItem; readonly admission: Admission } {
  const again = admittedBefore(item, offer.execution);
  if (again !== undefined) return { item, admission: again };

  const refusal = refuse(item, offer);
  if (refusal !== undefined)
    return { item: recorded(seen(item, offer.push), offer, refusal), admission: { ...refusal, plan: null } };

  const slot = chooseSlot(item, offer.settings, offer.weights);
  if (slot === undefined) {
    const full = { admission: 'rejected' as const, reason: noSlotFree(item, offer.weights) };
    return { item: recorded(item, offer, full), admission: { ...full, plan: null } };
  }
  return accept(item, offer, slot);
}

/** A push of what is live asks for nothing, but an older one that comes after it must not replace it. */
function seen(item: ServiceItem, { eventId, at, digest }: Push): ServiceItem {
  if (item.live?.digest !== digest || at <= (item.lastPush?.at ?? 0)) return item;
  return { ...item, lastPush: { eventId, at } };
}

/** Plan may run twice in one execution: the second time it finds what it did. */
export function admittedBefore(item: ServiceItem, execution: Execution): Admission | undefined {
  const own = item.owner?.execution === execution.arn && item.owner.redrives === execution.redrives;
  if (!own || item.deployment === null) return undefined;
  return { admission: 'admitted', plan: item.deployment.plan, reason: 'admitted before' };
}

type Refusal = Pick<Intake, 'reason'> & { readonly admission: 'nothing' | 'superseded' | 'rejected' };

function refuse(item: ServiceItem, { push, weights, settings }: Offer): Refusal | undefined {
  if (item.admitted.includes(push.eventId)) {
    return {
      admission: 'nothing',
      reason: `event ${push.eventId} started a deployment before; EventBridge delivered it again`,
    };
  }
  if (item.lastPush !== null && isOlder(push, item.lastPush)) {
    return {
      admission: 'superseded',
      reason: `a newer push (${new Date(item.lastPush.at).toISOString()}) was taken before this one (${new Date(push.at).toISOString()})`,
    };
  }
  if (item.owner !== null) {
    const running = item.deployment;
    if (running === null || running.outcome !== null) throw busy(item.owner.execution);
    return {
      admission: 'rejected',
      reason: `${running.plan.deployment} (${imageName(running.plan.to)}) holds the service; push again when it has ended, or stop it with the signal function: {"service":"${item.service}","signal":"abort","by":"…"}. It runs as ${item.owner.execution}`,
    };
  }
  if (item.live?.digest === push.digest) {
    return {
      admission: 'nothing',
      reason: `${item.live.name} is already live with ${shortDigest(push.digest)}`,
    };
  }
  if (item.weights !== null && !sameWeights(item.weights, weights)) {
    return {
      admission: 'rejected',
      reason: `the rule's weights are ${inWords(weights)}, but Cutover wrote ${inWords(item.weights)}: somebody else changed them. Put them back, then push again. Rule ${settings.traffic.rule}`,
    };
  }
  if (soleSlot(weights) === undefined) {
    return {
      admission: 'rejected',
      reason: `one slot must have all the weight before a deployment; the rule has ${inWords(weights)}`,
    };
  }
  if (item.live !== null && soleSlot(weights) !== item.live.slot) {
    return {
      admission: 'rejected',
      reason: `${item.live.name} is live in ${item.live.slot}, but the rule sends its traffic to ${soleSlot(weights)}`,
    };
  }
  return undefined;
}

/** Retiring holds a service for seconds: worth another try, not a refusal. */
function busy(execution: string): CutoverError {
  return new CutoverError(
    'Cutover.Busy',
    `${execution} is retiring a generation of this service; try again in a moment`,
  );
}

/** The first deployment takes the slot that the rule already points to: nothing has to be shifted. */
function chooseSlot(item: ServiceItem, settings: ServiceSettings, weights: Weights): SlotName | undefined {
  if (item.live === null) return soleSlot(weights);
  const taken = new Set([item.live.slot, ...item.retained.map(({ generation }) => generation.slot)]);
  return settings.traffic.slots
    .map(({ name }) => name)
    .find((name) => !taken.has(name) && (weights[name] ?? 0) === 0);
}

function noSlotFree(item: ServiceItem, weights: Weights): string {
  const held = item.retained.map(
    ({ generation, until }) =>
      `${generation.slot} holds ${generation.name} until ${new Date(until).toISOString()}`,
  );
  const live = item.live === null ? [] : [`${item.live.slot} holds ${item.live.name}, which is live`];
  return `no slot is free: ${[...live, ...held].join('; ') || inWords(weights)}. Push again later, or declare another slot`;
}

function accept(
  item: ServiceItem,
  offer: Offer,
  slot: SlotName,
): { item: ServiceItem; admission: Admission } {
  const { push, settings, execution, weights, now } = offer;
  const fence = item.fence + 1;
  const number = item.lastGeneration + 1;
  const name = nameGeneration(settings.service, number);
  const to: Generation = {
    name,
    number,
    slot,
    repository: push.repository,
    tag: push.tag,
    digest: push.digest,
  };
  const slots = settings.traffic.slots.map((each) => each.name);
  const steps =
    item.live === null
      ? []
      : stepsOf(settings.strategy).map((step) => ({
          ...step,
          weights: splitBetween(slots, slot, item.live?.slot, step.weightPercent),
        }));
  const plan: Plan = {
    deployment: nameDeployment(name, fence),
    fence,
    direction: 'forward',
    from: item.live,
    to,
    steps,
    weightsBefore: weights,
    settings,
  };
  const reason = `${imageName(push)} becomes ${name} in ${slot}`;
  return {
    admission: { admission: 'admitted', plan, reason },
    item: {
      ...recorded(item, offer, { admission: 'admitted', reason }),
      fence,
      lastGeneration: number,
      owner: { execution: execution.arn, redrives: execution.redrives, since: now },
      lastPush: { eventId: push.eventId, at: push.at },
      admitted: [...item.admitted, push.eventId].slice(-remembered),
      intent: null,
      wait: null,
      weights,
      weightsAt: item.weightsAt,
      deployment: {
        plan,
        push: { eventId: push.eventId, at: push.at },
        startedAt: now,
        phase: 'launching',
        desired: null,
        step: -1,
        latch: { running: [], crashes: [], fleetFailed: null, alarm: null, abort: null },
        reason: null,
        outcome: null,
        quietAt: null,
        endedAt: null,
      },
    },
  };
}

function recorded(
  item: ServiceItem,
  offer: Offer,
  decision: Pick<Intake, 'admission' | 'reason'>,
): ServiceItem {
  return recordIntake(item, {
    id: offer.push.eventId,
    at: offer.now,
    image: imageName(offer.push),
    execution: offer.execution.arn,
    ...decision,
  });
}

/**
 * Notes what came of something that was looked at; events that were no push at all come here too. Plan may run twice in one
 * execution: what it noted before is not noted, and told, again.
 */
export function recordIntake(item: ServiceItem, intake: Intake): ServiceItem {
  const known = item.intake;
  const reason = shortened(intake.reason);
  const again =
    known?.id === intake.id &&
    known.execution === intake.execution &&
    known.admission === intake.admission &&
    known.reason === reason;
  return again ? item : { ...item, intake: { ...intake, reason } };
}
