/**
 * Watches a simulated world: asks the invariants at each call that changes something, at each change of the service item,
 * and whenever the world has come to rest. What is broken is kept, not thrown: a thrown error would be taken for AWS's.
 */
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { Chapter } from '../../functions/core/messages/chapter.ts';
import type { SlotName } from '../../functions/core/names.ts';
import { inWords, type Weights } from '../../functions/core/traffic/weights.ts';
import type { PendingCall } from '../../local/wire/call-log.ts';
import {
  atChange,
  atEnd,
  atMaking,
  atRest,
  atShrinking,
  atWeights,
  beginsToShare,
  type Invariant,
} from './invariants.ts';
import { Observation } from './observation.ts';
import type { Effect, Scaling } from './simulated-fleet.ts';
import type { World } from './world.ts';

interface Violation {
  readonly invariant: string;
  readonly at: number;
  readonly what: string;
}

/** A call that wrote to ELB, or to what generations run on, in a role's name. */
interface Write {
  readonly at: number;
  /** `ecs:CreateService` */
  readonly what: string;
  /** What it does to a generation; undefined for all else. */
  readonly effect: Effect['kind'] | undefined;
}

/** An end of a deployment, as it was told to people. */
const ends: ReadonlySet<string> = new Set(['live', 'restored', 'removed', 'superseded']);

export class Checker {
  readonly violations: Violation[] = [];
  readonly writes: Write[] = [];
  /** The rule as it was written last, by anybody. */
  weights: Weights = {};
  /** A generation may die in this world: what is lost is counted, not forbidden. */
  mayDie = false;
  /** A write arrives long after its writer is gone, in this world: no guard of ours can forbid what is under way. */
  mayBeLate = false;
  /** Requests that met nobody while a generation was live. */
  lost = 0;
  readonly #world: World;
  #seen: Observation | undefined;
  #lostBefore = 0;
  /** When each slot had weight last, and when its health was read last. */
  readonly #weightedAt = new Map<string, number>();
  readonly #readAt = new Map<string, number>();
  readonly #shares = new Map<string, { highest: number; fell: boolean }>();
  /** By deployment: tasks that the old generation had at the last raise. */
  readonly #shared = new Map<string, number>();
  /** Generations that a person made smaller. */
  readonly #byHand = new Set<string>();
  /** How what is live scaled when the deployment began. */
  #scaled: Scaling | undefined;
  readonly #outcomes = new Map<string, string>();
  readonly #told = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
    world.aws.calls.hook({ before: (call) => this.#before(call), after: (call) => this.#after(call) });
    world.onItem((before, after) => this.#changed(before, after));
  }

  async begin(): Promise<void> {
    this.#seen = new Observation(this.#world.aws, await this.#world.settings());
    this.#weightsAre(await this.#observation.weights());
  }

  /** Throws what was broken so far. */
  assert(): void {
    if (this.violations.length === 0) return;
    const lines = this.violations.map(
      ({ invariant, at, what }) => `${invariant} ${new Date(at).toISOString()} ${what}`,
    );
    throw new Error(lines.join('\n'));
  }

  /** At rest: what must hold at every instant. */
  look(): void {
    const { aws, item } = this.#world;
    if (this.#seen === undefined) return;
    if (item !== undefined) this.#rests(item);
    const lost = aws.balancer.lost();
    // Before the first deployment there is nobody who could answer.
    const more = item?.live == null ? 0 : lost - this.#lostBefore;
    this.#lostBefore = lost;
    this.lost += more;
    if (more === 0 || this.mayDie) return;
    this.#isBroken('I3', `${more} requests were lost`);
    const slots = this.#seen.settings.traffic.slots.map(({ name }) => name);
    const alive = slots.some((slot) => this.#observation.healthy(slot) > 0);
    const reached = slots.some(
      (slot) => this.#observation.applied(slot) > 0 && this.#observation.healthy(slot) > 0,
    );
    if (alive && !reached) this.#isBroken('I1', 'all traffic meets generations without a healthy target');
  }

  #rests(item: ServiceItem): void {
    const shared = this.#shared.get(item.deployment?.plan.deployment ?? '');
    const rest = { item, shared, byHand: this.#byHand };
    for (const { invariant, broken } of atRest) {
      const what = broken(rest, this.#observation);
      // Told once: it stays so for a while.
      if (what !== undefined && !this.violations.some((each) => each.what === what))
        this.#isBroken(invariant, what);
    }
  }

  /** Once everything has ended: what must hold then. */
  async end(): Promise<void> {
    const { item } = this.#world;
    if (item === undefined) return;
    await this.#ask(atEnd, { item, weights: await this.#observation.weights() });
  }

  get #observation(): Observation {
    if (this.#seen === undefined) throw new Error('the checker has not begun');
    return this.#seen;
  }

  async #ask<Event>(invariants: readonly Invariant<Event>[], event: Event): Promise<void> {
    for (const { invariant, broken } of invariants) {
      const what = await broken(event, this.#observation);
      if (what !== undefined) this.#isBroken(invariant, what);
    }
  }

  #isBroken(invariant: string, what: string): void {
    this.violations.push({ invariant, at: this.#world.now, what });
    this.#world.note(`BROKEN ${invariant}: ${what}`);
  }

  async #changed(before: ServiceItem | undefined, after: ServiceItem): Promise<void> {
    const { deployment } = after;
    const id = deployment?.plan.deployment ?? '';
    const outcome = this.#outcomes.get(id);
    if (deployment?.outcome != null) this.#outcomes.set(id, deployment.outcome);
    if (this.#seen === undefined) return;
    if (id !== before?.deployment?.plan.deployment && before?.bounds == null) {
      const from = deployment?.plan.from ?? null;
      this.#scaled = from === null ? undefined : await this.#seen.scaling(from);
    }
    await this.#ask(atChange, { before, after, outcome, scaled: this.#scaled });
  }

  async #before({ principal, service, operation, input }: PendingCall): Promise<void> {
    const { item } = this.#world;
    const effect = this.#seen?.fleet.effectOf(service, operation, input as object);
    if (principal.kind === 'root' && effect?.kind === 'sizing') this.#sizedByHand(effect);
    if (principal.kind !== 'role' || this.#seen === undefined || item === undefined) return;
    if (`${service}:${operation}` === 'elasticloadbalancing:ModifyRule')
      return this.#weightsWritten(item, input as { RuleArn: string; Actions?: Action[] });
    if (effect?.kind === 'making') return this.#ask(atMaking, { item, ...effect });
    if (effect !== undefined) return this.#fleetWritten(item, operation, effect);
  }

  #sizedByHand({ name, desired = Infinity }: Extract<Effect, { kind: 'sizing' }>): void {
    if (desired < (this.#seen?.wanted(name) ?? 0)) this.#byHand.add(name);
  }

  async #weightsWritten(
    item: ServiceItem,
    { RuleArn: rule, Actions: actions = [] }: { RuleArn: string; Actions?: Action[] },
  ): Promise<void> {
    if (this.mayBeLate) return;
    const next = this.#observation.weightsOf(actions);
    const id = item.deployment?.plan.deployment ?? '';
    const share = this.#shares.get(id) ?? { highest: 0, fell: false };
    const seenAt = (slot: SlotName): number => this.#readAt.get(this.#observation.groupOf(slot)) ?? 0;
    const { now } = this.#world;
    const write = { now, item, actions, rule, before: this.weights, next, seenAt, share };
    await this.#ask(atWeights, write);
    const from = item.deployment?.plan.from ?? null;
    if (from !== null && beginsToShare(write)) {
      const had = this.#observation.wanted(from.name) ?? 0;
      this.#shared.set(id, Math.max(had, this.#shared.get(id) ?? 0));
    }
    const to = item.deployment?.plan.to.slot;
    const reached = to === undefined ? 0 : (next[to] ?? 0);
    this.#shares.set(id, {
      highest: Math.max(share.highest, reached),
      fell: share.fell || reached < share.highest,
    });
  }

  async #fleetWritten(
    item: ServiceItem,
    operation: string,
    effect: Exclude<Effect, { kind: 'making' }>,
  ): Promise<void> {
    const { name } = effect;
    const wanted = (await this.#observation.fleet.find(name))?.desired ?? 0;
    // What is told to end again is ended already.
    if (effect.kind === 'sizing' ? (effect.desired ?? Infinity) >= wanted : wanted === 0) return;
    const { live, deployment, retained } = item;
    const known = [
      live,
      deployment?.plan.to,
      deployment?.plan.from,
      ...retained.map((each) => each.generation),
    ];
    const slot = known.find((each) => each?.name === name)?.slot;
    await this.#ask(atShrinking, {
      now: this.#world.now,
      item,
      operation,
      name,
      slot,
      weights: this.weights,
      weightedAt: this.#weightedAt.get(slot ?? '') ?? 0,
    });
  }

  #after({ principal, service, operation, input, at }: PendingCall): void {
    if (this.#seen === undefined) return;
    if (operation === 'ModifyRule') {
      const { RuleArn, Actions } = input as { RuleArn: string; Actions?: Action[] };
      if (RuleArn === this.#seen.settings.traffic.rule && Actions !== undefined)
        this.#weightsAre(this.#seen.weightsOf(Actions));
    }
    if (principal.kind !== 'role') return;
    if (operation === 'DescribeTargetHealth')
      this.#readAt.set((input as { TargetGroupArn: string }).TargetGroupArn, at);
    if (service === 'sns' && operation === 'Publish') this.#published(input as { Message: string });
    if (![...this.#seen.fleet.services, 'elasticloadbalancing'].includes(service)) return;
    if (/^(?:Describe|List|Get)/.test(operation)) return;
    const effect = this.#seen.fleet.effectOf(service, operation, input as object)?.kind;
    this.writes.push({ at, what: `${service}:${operation}`, effect });
  }

  /** A message may come twice, but by the same id: a chat shows one. */
  #published({ Message }: { Message: string }): void {
    const { sqs } = JSON.parse(Message) as { sqs: string };
    const { id, kind, deployment } = JSON.parse(sqs) as Pick<Chapter, 'id' | 'kind' | 'deployment'>;
    if (deployment === null || !ends.has(kind)) return;
    const known = this.#told.get(deployment);
    if (known !== undefined && known !== id)
      this.#isBroken('I25', `the end of ${deployment} is told as ${known} and as ${id}`);
    this.#told.set(deployment, id);
  }

  #weightsAre(weights: Weights): void {
    const { now } = this.#world;
    for (const slots of [this.weights, weights])
      for (const [slot, weight] of Object.entries(slots)) if (weight > 0) this.#weightedAt.set(slot, now);
    this.weights = weights;
    this.#world.note(`weights ${inWords(weights)}`);
  }
}
