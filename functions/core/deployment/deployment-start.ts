/** How a deployment begins, whoever asked for it: the only place that takes a service and issues fences and numbers. */
import type { Generation } from '../fleet/generation.ts';
import type { Deployment, ServiceItem } from '../ledger/service-item.ts';
import { nameDeployment, nameGeneration, type SlotName } from '../names.ts';
import { type FleetSettings, placeMembers, type ServiceSettings } from '../service-settings.ts';
import { inWords, sameWeights, soleSlot, splitBetween, type Weights } from '../traffic/weights.ts';
import type { Plan } from './plan.ts';
import { allGates, type Strategy, stepsOf } from './strategy.ts';

export interface Execution {
  readonly arn: string;
  readonly redrives: number;
}

export interface Destination {
  readonly direction: Plan['direction'];
  readonly to: Generation;
  readonly kept: boolean;
  readonly copyOf: Generation | null;
  readonly strategy: Strategy;
}

/** What a Plan needs to begin. */
export interface Beginning {
  readonly execution: Execution;
  readonly settings: ServiceSettings;
  /** The production rule as it is now. */
  readonly weights: Weights;
  readonly now: number;
}

/** Takes the service for `destination`. */
export function begin(
  item: ServiceItem,
  { execution, settings, weights, now }: Beginning,
  { strategy, ...destination }: Destination,
  asked: Pick<Deployment, 'push' | 'order'> & Partial<Pick<Deployment, 'waiver' | 'warnings'>>,
): { readonly item: ServiceItem; readonly plan: Plan } {
  const fence = item.fence + 1;
  const plan: Plan = {
    ...destination,
    deployment: nameDeployment(destination.to.name, fence),
    fence,
    from: item.live,
    steps: stepsTo(destination.to.slot, item, settings, strategy),
    weightsBefore: weights,
    settings,
  };
  return {
    plan,
    item: {
      ...item,
      fence,
      lastGeneration: Math.max(item.lastGeneration, destination.to.number),
      owner: { execution: execution.arn, redrives: execution.redrives, since: now },
      intent: null,
      wait: null,
      weights,
      deployment: {
        plan,
        waiver: null,
        warnings: [],
        ...asked,
        startedAt: now,
        phase: 'launching',
        desired: null,
        desiredBefore: null,
        growingSince: null,
        step: -1,
        shiftedAt: null,
        tookOver: false,
        latch: {
          running: [],
          crashes: [],
          fleetFailed: null,
          noRoom: [],
          notLaunched: [],
          alarm: null,
          abort: null,
          superseded: null,
          approvals: [],
        },
        pause: null,
        reason: null,
        turned: null,
        hold: null,
        outcome: null,
        withdrawnAt: null,
        quietAt: null,
        seenHealthy: null,
        lastWords: null,
        imageNotKept: null,
        stillReached: null,
        endedAt: null,
      },
    },
  };
}

/** The next generation of an image, in `slot`. */
export function nextGeneration(
  item: ServiceItem,
  settings: ServiceSettings,
  slot: SlotName,
  image: Pick<Generation, 'repository' | 'tag' | 'digest'>,
): Generation {
  const number = item.lastGeneration + 1;
  const { repository, tag, digest } = image;
  const name = nameGeneration(settings.service, number);
  return { name, number, slot, repository, tag, digest, fleet: placeIn(settings.fleet) };
}

/** The service item has each generation several times, and each of its kilobytes is paid for with each write. */
function placeIn(fleet: FleetSettings): FleetSettings {
  const known = Object.entries(fleet).filter(
    ([member, value]) => placeMembers.includes(member) && value !== null,
  );
  return { ...Object.fromEntries(known), kind: fleet.kind };
}

/** A slot that nothing lives in. The first deployment takes the one that the rule points to: nothing has to be shifted. */
export function chooseSlot(item: ServiceItem, { settings, weights }: Beginning): SlotName | undefined {
  if (item.live === null) return soleSlot(weights);
  const taken = new Set([item.live.slot, ...item.retained.map(({ generation }) => generation.slot)]);
  return settings.traffic.slots
    .map(({ name }) => name)
    .find((name) => !taken.has(name) && (weights[name] ?? 0) === 0);
}

export function noSlotFree(item: ServiceItem, { weights }: Beginning): string {
  const kept = item.retained.map(
    ({ generation, until }) =>
      `${generation.slot} holds ${generation.name} until ${new Date(until).toISOString()}`,
  );
  const live = item.live === null ? [] : [`${item.live.slot} holds ${item.live.name}, which is live`];
  return `no slot is free: ${[...live, ...kept].join('; ') || inWords(weights)}. Try again later, or declare another slot`;
}

/** Why no deployment may begin on this rule; undefined when one may. */
export function unfitRule(item: ServiceItem, { weights, settings }: Beginning): string | undefined {
  if (item.weights !== null && !sameWeights(item.weights, weights)) {
    return `the rule's weights are ${inWords(weights)}, but Cutover wrote ${inWords(item.weights)}: somebody else changed them. Put them back, then try again. Rule ${settings.traffic.rule}`;
  }
  const sole = soleSlot(weights);
  if (sole === undefined) {
    return `one slot must have all the weight before a deployment; the rule has ${inWords(weights)}`;
  }
  if (item.live !== null && sole !== item.live.slot) {
    return `${item.live.name} is live in ${item.live.slot}, but the rule sends its traffic to ${sole}`;
  }
  return undefined;
}

function stepsTo(
  slot: SlotName,
  item: ServiceItem,
  settings: ServiceSettings,
  strategy: Strategy,
): Plan['steps'] {
  if (item.live === null) return [];
  const from = item.live.slot;
  const slots = settings.traffic.slots.map(({ name }) => name);
  return stepsOf(strategy).map(({ gates = [...allGates], pause = false, ...step }) => ({
    ...step,
    gates,
    pause,
    weights: splitBetween(slots, slot, from, step.weightPercent),
  }));
}
