/**
 * The invariants, each by its number: what must hold when weights are written, when a generation is made, changed or ended,
 * when the service item changes, at every rest, and in the end. Each says what is broken, or nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { SlotName } from '../../functions/core/names.ts';
import { inWords, sameWeights, type Weights } from '../../functions/core/traffic/weights.ts';
import type { Observation } from './observation.ts';
import type { Scaling } from './simulated-fleet.ts';

type Broken = string | undefined;

export interface Invariant<Event, Answer = Broken | Promise<Broken>> {
  readonly invariant: string;
  readonly broken: (event: Event, seen: Observation) => Answer;
}

/** A read of health counts as fresh for so long (I2). */
const freshMs = 30_000;
/** I7: how long a generation without weight is left alone where quiet cannot be shown. */
const settlingMs = 120_000;

/** A deployer's function is about to write the production rule. */
export interface WeightsWrite {
  readonly now: number;
  readonly item: ServiceItem;
  readonly actions: readonly Action[];
  readonly rule: string;
  readonly before: Weights;
  readonly next: Weights;
  /** When a function read the health of a slot last. */
  readonly seenAt: (slot: SlotName) => number;
  /** The share that the new generation had once, and whether it was taken away since. */
  readonly share: { readonly highest: number; readonly fell: boolean };
}

const isForward = ({ item }: WeightsWrite): boolean => item.intent?.kind === 'shift';

/** The old generation is left with less of the traffic, and stays the way back. */
export const beginsToShare = (write: WeightsWrite): boolean =>
  write.item.deployment?.plan.direction === 'forward' && isForward(write) && isRaise(write);

const weighted = ({ next }: WeightsWrite, { settings }: Observation): readonly SlotName[] =>
  settings.traffic.slots.map(({ name }) => name).filter((name) => (next[name] ?? 0) > 0);

function newShare({ item, next }: WeightsWrite): number {
  const to = item.deployment?.plan.to.slot;
  return to === undefined ? 0 : (next[to] ?? 0);
}

function isRaise(write: WeightsWrite): boolean {
  const to = write.item.deployment?.plan.to.slot;
  return to !== undefined && newShare(write) > (write.before[to] ?? 0);
}

export const atWeights: readonly Invariant<WeightsWrite>[] = [
  {
    invariant: 'I17',
    broken: ({ rule }, { settings }) =>
      rule === settings.traffic.rule ? undefined : `${rule} is not the service's rule`,
  },
  {
    invariant: 'I4',
    broken: ({ actions, next }, { settings }) => {
      const total = Object.values(next).reduce((sum, weight) => sum + weight, 0);
      const known = new Set(settings.traffic.slots.map(({ targetGroup }) => targetGroup));
      const groups = actions[0]?.ForwardConfig?.TargetGroups ?? [];
      const owned = groups.every(({ TargetGroupArn }) => known.has(TargetGroupArn ?? ''));
      const one = actions.length === 1 && actions[0]?.Type === 'forward';
      return total === 100 && one && owned ? undefined : `written is ${JSON.stringify(actions)}`;
    },
  },
  {
    invariant: 'I26',
    broken: ({ item, next }) => {
      const kind = item.intent?.kind ?? 'none';
      return kind === 'shift' || kind === 'restore'
        ? undefined
        : `${inWords(next)} is written, the intent is ${kind}`;
    },
  },
  {
    invariant: 'I14',
    broken: ({ item: { intent, fence }, next }) =>
      intent === null || (intent.fence === fence && sameWeights(intent.after ?? {}, next))
        ? undefined
        : `${inWords(next)} is written, intended was ${inWords(intent.after ?? {})} under fence ${intent.fence} of ${fence}`,
  },
  {
    invariant: 'I1',
    broken: (write, seen) => {
      const slots = seen.settings.traffic.slots.map(({ name }) => name);
      const alive = slots.some((slot) => seen.healthy(slot) > 0);
      const reached = weighted(write, seen).some((slot) => seen.healthy(slot) > 0);
      return alive && !reached ? `${inWords(write.next)} leads to nothing healthy` : undefined;
    },
  },
  {
    invariant: 'I2',
    broken: (write, seen) => {
      if (!isForward(write)) return undefined;
      const dead = weighted(write, seen).filter((slot) => seen.healthy(slot) === 0);
      return dead.length === 0 ? undefined : `weight on ${dead.join(', ')}, where nothing is healthy`;
    },
  },
  {
    invariant: 'I2',
    broken: (write) => {
      const to = write.item.deployment?.plan.to.slot;
      if (!isForward(write) || to === undefined) return undefined;
      const ago = write.now - write.seenAt(to);
      return ago <= freshMs ? undefined : `weight on ${to}, whose health was read ${ago} ms ago`;
    },
  },
  {
    invariant: 'I5',
    broken: (write) =>
      write.share.fell && newShare(write) > 0 ? 'it gets weight again after it was taken back' : undefined,
  },
  {
    invariant: 'I6',
    broken: (write, seen) => {
      const plan = write.item.deployment?.plan;
      if (plan?.from == null || !isForward(write) || !isRaise(write)) return undefined;
      const [old, coming] = [seen.wanted(plan.from.name) ?? 0, seen.wanted(plan.to.name) ?? 0];
      return coming >= old ? undefined : `${plan.to.name} wants ${coming} tasks, ${plan.from.name} ${old}`;
    },
  },
  {
    invariant: 'I8',
    broken: async (write, seen) => {
      const from = write.item.deployment?.plan.from;
      if (from == null || !isForward(write) || !isRaise(write)) return undefined;
      const old = await seen.fleet.find(from.name);
      return (old?.desired ?? 0) > 0 ? undefined : `${from.name} is gone: there is no way back`;
    },
  },
  {
    invariant: 'I16',
    broken: async (write, seen) => {
      const to = write.item.deployment?.plan.to;
      if (to === undefined || !isForward(write)) return undefined;
      const own = new Set(await seen.fleet.targets(to.name));
      const strangers = (await seen.targets(to.slot)).filter((id) => !own.has(id));
      return strangers.length === 0
        ? undefined
        : `${strangers.join(', ')} in ${to.slot} are not ${to.name}'s`;
    },
  },
];

/** All has come to rest, for an instant: no event goes by without one. */
export interface Rest {
  readonly item: ServiceItem;
  /** Tasks that the old generation had when it came to share the traffic; undefined before. */
  readonly shared: number | undefined;
  /** Generations that a person made smaller. */
  readonly byHand: ReadonlySet<string>;
}

/** Asked at every event: each must be cheap, and answers at once. A generation that is gone is no matter of its size. */
export const atRest: readonly Invariant<Rest, Broken>[] = [
  {
    invariant: 'I6',
    broken: ({ item: { deployment }, shared, byHand }, seen) => {
      const name = deployment?.outcome === null ? deployment.plan.from?.name : undefined;
      if (name === undefined || shared === undefined || byHand.has(name)) return undefined;
      const wanted = seen.wanted(name) ?? shared;
      return wanted >= shared
        ? undefined
        : `${name} wants ${wanted} tasks, and shared the traffic with ${shared}`;
    },
  },
  {
    invariant: 'I6',
    broken: ({ item: { deployment }, byHand }, seen) => {
      if (deployment?.outcome !== null || deployment.desired === null) return undefined;
      const { desired, plan } = deployment;
      const wanted = seen.wanted(plan.to.name) ?? desired;
      return wanted >= desired || byHand.has(plan.to.name)
        ? undefined
        : `${plan.to.name} wants ${wanted} tasks, and must carry what ${desired} did`;
    },
  },
];

/** A deployer's function is about to end a generation, or to make it smaller. */
export interface Shrinking {
  readonly now: number;
  readonly item: ServiceItem;
  readonly operation: string;
  readonly name: string;
  /** Where it lives; undefined when the item does not know it. */
  readonly slot: SlotName | undefined;
  readonly weights: Weights;
  /** When the slot had weight last; 0: never. */
  readonly weightedAt: number;
}

/** A first deployment has nothing to go back to: it is ended while the rule still points at it. */
const hasOther = ({ item }: Shrinking): boolean => item.live !== null;

export const atShrinking: readonly Invariant<Shrinking>[] = [
  {
    invariant: 'I17',
    broken: async ({ name, operation }, seen) => {
      const found = await seen.fleet.find(name);
      const owner = found?.tags['cutover:service'];
      return found === undefined || owner === seen.settings.service
        ? undefined
        : `${operation} of ${name}, which bears no tag of ours`;
    },
  },
  {
    invariant: 'I7',
    broken: (event, seen) => {
      const { slot, weights, operation, name, now, weightedAt } = event;
      if (slot === undefined || !hasOther(event)) return undefined;
      if ((weights[slot] ?? 0) > 0) return `${operation} of ${name}, which has weight`;
      if (seen.applied(slot) > 0) return `${operation} of ${name}, which requests still reach`;
      return now - weightedAt >= settlingMs
        ? undefined
        : `${operation} of ${name}, ${now - weightedAt} ms after it had weight`;
    },
  },
  {
    invariant: 'I8',
    broken: ({ item: { deployment }, name, operation }) =>
      deployment?.outcome === null && deployment.plan.from?.name === name
        ? `${operation} of ${name}, the way back of ${deployment.plan.deployment}`
        : undefined,
  },
  {
    invariant: 'I13',
    broken: ({ item, name, operation }) =>
      item.owner === null ? `${operation} of ${name}, and nobody holds the service` : undefined,
  },
  {
    invariant: 'I26',
    broken: ({ item, name, operation }) =>
      item.intent === null ? `${operation} of ${name} without an intent` : undefined,
  },
];

/** A deployer's function is about to make a generation. */
export interface Making {
  readonly item: ServiceItem;
  readonly name: string;
  /** Of what it is made. */
  readonly source: string;
}

export const atMaking: readonly Invariant<Making>[] = [
  {
    invariant: 'I26',
    broken: ({ item: { intent, fence }, name }) =>
      intent?.kind === 'launch' && intent.fence === fence ? undefined : `${name} is made without an intent`,
  },
  {
    invariant: 'I18',
    broken: async ({ item, source, name }, seen) => {
      const image = await seen.fleet.image(source);
      const digest = item.deployment?.plan.to.digest ?? 'none';
      return image.endsWith(digest) ? undefined : `${name} runs ${image}, admitted was ${digest}`;
    },
  },
];

export interface Change {
  readonly before: ServiceItem | undefined;
  readonly after: ServiceItem;
  /** The outcome that the deployment was given before. */
  readonly outcome: string | undefined;
  /** How what was live scaled before anything was held; undefined when nothing scaled it, or something was held already. */
  readonly scaled: Scaling | undefined;
}

export const atChange: readonly Invariant<Change>[] = [
  {
    invariant: 'I14',
    broken: ({ before, after }) =>
      after.fence >= (before?.fence ?? 0) && after.version === (before?.version ?? 0) + 1
        ? undefined
        : `version ${before?.version} to ${after.version}, fence ${before?.fence} to ${after.fence}`,
  },
  {
    invariant: 'I14',
    // A successor finds the intent of the dead, which tells it what may have been written.
    broken: ({ before, after: { intent, fence } }) =>
      intent === null || intent.fence === fence || intent.at === before?.intent?.at
        ? undefined
        : `${intent.kind} is intended under fence ${intent.fence}, issued was ${fence}`,
  },
  {
    invariant: 'I13',
    broken: async ({ before, after: { owner } }, seen) => {
      const last = before?.owner ?? null;
      if (last === null || owner === null || last.execution === owner.execution) return undefined;
      const { status } = await seen.execution(last.execution);
      return status === 'RUNNING' ? `${owner.execution} takes the service from ${last.execution}` : undefined;
    },
  },
  {
    invariant: 'I6',
    // What was held is given back: as it was, or, where that was not seen or a schedule had its say, as it is owed.
    broken: async ({ before, after: { live, bounds }, scaled }, seen) => {
      if (before?.bounds == null || bounds !== null || live === null) return undefined;
      const found = await seen.scaling(live);
      const isTimed = (await seen.fleet.schedule(live.name)).length > 0;
      const wanted = {
        ...(scaled ?? { policies: found?.policies ?? [] }),
        ...((scaled === undefined || isTimed) && before.bounds),
      };
      return isDeepStrictEqual(found, wanted)
        ? undefined
        : `${live.name} scales by ${JSON.stringify(found)}, before it was ${JSON.stringify(wanted)}`;
    },
  },
  {
    invariant: 'I25',
    broken: ({ after: { deployment }, outcome }) =>
      outcome === undefined || deployment?.outcome === outcome
        ? undefined
        : `${deployment?.plan.deployment} ended ${outcome}, and then ${deployment?.outcome}`,
  },
  {
    invariant: 'I30',
    broken: ({ after }) => {
      const bytes = Buffer.byteLength(JSON.stringify(after));
      return bytes <= 256_000 ? undefined : `the item has ${bytes} bytes`;
    },
  },
];

export interface End {
  readonly item: ServiceItem;
  readonly weights: Weights;
}

export const atEnd: readonly Invariant<End>[] = [
  {
    invariant: 'I10',
    broken: ({ item: { owner, wait, intent } }) =>
      owner === null && wait === null && intent === null
        ? undefined
        : `something is left open: ${JSON.stringify([owner, wait, intent])}`,
  },
  {
    invariant: 'I11',
    broken: ({ item: { deployment } }) =>
      deployment?.outcome === null ? `${deployment.plan.deployment} has no outcome` : undefined,
  },
  {
    invariant: 'I6',
    broken: async ({ item: { live, retained, bounds } }, seen) => {
      if (bounds !== null) return `${live?.name} was not given back how it scales`;
      const known = [live?.name, ...retained.map(({ generation }) => generation.name)];
      const others = (await seen.fleet.scaled()).filter((name) => !known.some((each) => each === name));
      return others.length === 0 ? undefined : `${others.join(', ')} scale, and nothing references them`;
    },
  },
  {
    invariant: 'I10',
    broken: async ({ item: { live }, weights }, seen) => {
      if (live === null) return undefined;
      if (weights[live.slot] !== 100) return `${live.name} is live, the rule has ${inWords(weights)}`;
      const found = await seen.fleet.find(live.name);
      return (found?.running ?? 0) > 0 ? undefined : `${live.name} is live and nothing of it runs`;
    },
  },
  {
    invariant: 'I16',
    broken: async ({ item: { live, retained } }, seen) => {
      const known = [live?.name, ...retained.map(({ generation }) => generation.name)];
      const orphans = (await seen.fleet.running()).filter((name) => !known.some((each) => each === name));
      return orphans.length === 0 ? undefined : `${orphans.join(', ')} run, and nothing references them`;
    },
  },
  {
    invariant: 'I16',
    broken: ({ item: { live, retained } }, { settings }) =>
      retained.length + (live === null ? 0 : 1) <= settings.traffic.slots.length
        ? undefined
        : 'there are more generations than slots',
  },
];
