/**
 * Holds the invariants of a simulated world: at each call that changes something, at each change of the service item, and
 * whenever the world has come to rest. What is broken is kept, not thrown: a thrown error would be taken for AWS's.
 */
import type { DescribeServicesCommandOutput, DescribeTaskDefinitionCommandOutput } from '@aws-sdk/client-ecs';
import type {
  Action,
  DescribeRulesCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { Generation } from '../../functions/core/generation.ts';
import type { ServiceItem } from '../../functions/core/service-item.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import { inWords, sameWeights, type Weights } from '../../functions/core/weights.ts';
import type { PendingCall } from '../../local/wire/call-log.ts';
import type { World } from './world.ts';

export interface Violation {
  readonly invariant: string;
  readonly at: number;
  readonly what: string;
}

/** A read of health counts as fresh for so long (I2). */
const freshMs = 30_000;
/** I7: how long a generation without weight is left alone where quiet cannot be shown. */
const settlingMs = 120_000;
/** I27: calls of one invocation. */
const callBudget = 60;

export class Checker {
  readonly violations: Violation[] = [];
  /** The rule as it was written last, by anybody. */
  weights: Weights = {};
  /** A generation may die in this world: dark traffic is measured, not forbidden. */
  mayDie = false;
  /** A write arrives long after its writer is gone, in this world: no guard of ours can forbid what is under way. */
  mayBeLate = false;
  /** Milliseconds in which requests met no healthy generation while there was one. */
  darkMs = 0;
  /** Requests that met nobody while a generation was live. */
  lost = 0;
  /** Calls that wrote to ECS or ELB in a role's name, in their order. */
  readonly writes: { readonly at: number; readonly what: string; readonly caller: string }[] = [];
  readonly #world: World;
  #settings: ServiceSettings | undefined;
  /** When each slot had weight last. */
  readonly #weightedAt = new Map<string, number>();
  readonly #seenHealthyAt = new Map<string, number>();
  readonly #shares = new Map<string, { highest: number; fell: boolean }>();
  readonly #outcomes = new Map<string, string>();
  readonly #calls = new Map<string, number>();
  #lookedAt: number;
  #lost = 0;
  #hadWeight = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#lookedAt = world.now;
    world.aws.calls.hook({ before: (call) => this.#before(call), after: (call) => this.#after(call) });
    world.onItem((before, after) => this.#changed(before, after));
  }

  async begin(): Promise<void> {
    this.#settings = await this.#world.settings();
    await this.readWeights();
  }

  async readWeights(): Promise<void> {
    const { traffic } = this.#declared;
    const answer = await this.#root('elasticloadbalancing', 'DescribeRules', { RuleArns: [traffic.rule] });
    this.weights = this.#weightsOf((answer as DescribeRulesCommandOutput).Rules?.[0]?.Actions ?? []);
    this.#noteWeights();
  }

  /** Throws what was broken so far. */
  assert(): void {
    if (this.violations.length === 0) return;
    const lines = this.violations.map(
      ({ invariant, at, what }) => `${invariant} ${new Date(at).toISOString()} ${what}`,
    );
    throw new Error(`${lines.join('\n')}\n\n${this.#world.trace.slice(-80).join('\n')}`);
  }

  /** At rest: what must hold at every instant. */
  look(): void {
    const { aws, now } = this.#world;
    const since = now - this.#lookedAt;
    this.#lookedAt = now;
    if (this.#settings === undefined) return;
    const lost = aws.balancer.lost();
    if (this.#world.item?.live == null) this.#lost = lost;
    if (this.#world.item?.live == null) return;
    if (!this.mayDie && lost > this.#lost) this.#broken('I3', `${lost - this.#lost} requests were lost`);
    this.lost += lost - this.#lost;
    this.#lost = lost;
    const healthy = aws.balancer.healthy();
    const applied = aws.balancer.applied('web');
    const alive = [...healthy.values()].some((count) => count > 0);
    const reached = [...applied].some(([group, share]) => share > 0 && (healthy.get(group) ?? 0) > 0);
    if (alive && !reached) {
      this.darkMs += since;
      if (!this.mayDie) this.#broken('I1', 'all traffic meets generations without a healthy target');
    }
  }

  /** Once everything has ended: what must hold then. */
  async end(): Promise<void> {
    const { item } = this.#world;
    if (item === undefined) return;
    if (item.owner !== null || item.wait !== null || item.intent !== null)
      this.#broken('I10', `something is left open: ${JSON.stringify([item.owner, item.wait, item.intent])}`);
    if (item.deployment !== null && item.deployment.outcome === null)
      this.#broken('I11', `${item.deployment.plan.deployment} has no outcome`);
    await this.readWeights();
    const { live } = item;
    if (live !== null && this.weights[live.slot] !== 100)
      this.#broken('I10', `${live.name} is live in ${live.slot}, the rule has ${inWords(this.weights)}`);
    await this.#noOrphans(item);
    const running = await this.#running(item.live);
    if (live !== null && running === 0) this.#broken('I10', `${live.name} is live and has no task`);
  }

  async #noOrphans(item: ServiceItem): Promise<void> {
    const known = new Set(
      [item.live, ...item.retained.map(({ generation }) => generation)].map((each) => each?.name),
    );
    for (const { serviceName, status } of await this.#services()) {
      if (status === 'ACTIVE' && !known.has(serviceName as Generation['name']))
        this.#broken('I16', `${serviceName} runs and nothing references it`);
    }
    const slots = item.retained.length + (item.live === null ? 0 : 1);
    if (slots > this.#declared.traffic.slots.length) this.#broken('I16', 'more generations than slots');
  }

  async #services(): Promise<readonly { serviceName: string; status: string; desiredCount: number }[]> {
    const cluster = String(this.#declared.fleet['cluster']);
    const { serviceArns } = (await this.#root('ecs', 'ListServices', { cluster, maxResults: 100 })) as {
      serviceArns: string[];
    };
    if (serviceArns.length === 0) return [];
    const { services } = (await this.#root('ecs', 'DescribeServices', {
      cluster,
      services: serviceArns.slice(0, 10),
    })) as DescribeServicesCommandOutput;
    return (services ?? []).map(({ serviceName = '', status = '', desiredCount = 0 }) => ({
      serviceName,
      status,
      desiredCount,
    }));
  }

  async #running(generation: Generation | null): Promise<number> {
    if (generation === null) return 0;
    return (await this.#service(generation.name))?.runningCount ?? 0;
  }

  async #service(name: string) {
    const { services } = (await this.#root('ecs', 'DescribeServices', {
      cluster: String(this.#declared.fleet['cluster']),
      services: [name],
      include: ['TAGS'],
    })) as DescribeServicesCommandOutput;
    return services?.[0];
  }

  #changed(before: ServiceItem | undefined, after: ServiceItem): void {
    if (after.version !== (before?.version ?? 0) + 1)
      this.#broken('I14', `the item went from version ${before?.version} to ${after.version}`);
    if (after.fence < (before?.fence ?? 0)) this.#broken('I14', 'the fence fell');
    const owned = before?.owner ?? null;
    const { owner } = after;
    if (owned !== null && owner !== null && owned.execution !== owner.execution)
      if (after.fence <= (before?.fence ?? 0)) this.#broken('I13', 'the owner changed without a new fence');
    const { deployment } = after;
    if (deployment === null) return;
    const id = deployment.plan.deployment;
    const known = this.#outcomes.get(id);
    if (known !== undefined && deployment.outcome !== known)
      this.#broken('I25', `${id} ended ${known}, and then ${deployment.outcome}`);
    if (deployment.outcome !== null) this.#outcomes.set(id, deployment.outcome);
    if (Buffer.byteLength(JSON.stringify(after)) > 256_000) this.#broken('I30', 'the item is above 256 KB');
  }

  async #before(call: PendingCall): Promise<void> {
    if (call.principal.kind !== 'role' || this.#settings === undefined) return;
    const key = `${call.service}:${call.operation}`;
    this.#count(call);
    switch (key) {
      case 'elasticloadbalancing:ModifyRule':
        return this.#weightsWritten(call);
      case 'ecs:DeleteService':
      case 'ecs:UpdateService':
        return this.#serviceWritten(call);
      case 'ecs:CreateService':
        return this.#serviceMade(call);
      default:
    }
  }

  #after({ principal, service, operation, input, at }: PendingCall): void {
    if (this.#settings === undefined) return;
    if (service === 'elasticloadbalancing' && operation === 'ModifyRule') {
      const { RuleArn, Actions } = input as { RuleArn: string; Actions?: Action[] };
      if (RuleArn === this.#declared.traffic.rule && Actions !== undefined) {
        this.weights = this.#weightsOf(Actions);
        this.#noteWeights();
        this.#world.note(`weights ${inWords(this.weights)}`);
      }
    }
    if (principal.kind !== 'role') return;
    if (operation === 'DescribeTargetHealth')
      this.#seenHealthyAt.set((input as { TargetGroupArn: string }).TargetGroupArn, at);
    if (/^(?:ecs|elasticloadbalancing)$/.test(service) && !/^(?:Describe|List)/.test(operation))
      this.writes.push({ at, what: `${service}:${operation}`, caller: principal.session });
  }

  async #weightsWritten({ input }: PendingCall): Promise<void> {
    const { RuleArn, Actions = [] } = input as { RuleArn: string; Actions?: Action[] };
    const { traffic } = this.#declared;
    const { item, aws, now } = this.#world;
    const next = this.#weightsOf(Actions);
    if (RuleArn !== traffic.rule) return this.#broken('I17', `wrote to ${RuleArn}`);
    const total = Object.values(next).reduce((sum, weight) => sum + weight, 0);
    const only = Actions.length === 1 && Actions[0]?.Type === 'forward';
    const known = new Set(traffic.slots.map(({ targetGroup }) => targetGroup));
    const owned = Actions[0]?.ForwardConfig?.TargetGroups?.every((group) =>
      known.has(group.TargetGroupArn ?? ''),
    );
    if (total !== 100 || !only || owned !== true) this.#broken('I4', `wrote ${JSON.stringify(Actions)}`);

    if (this.mayBeLate) return;
    const intent = item?.intent ?? null;
    if (intent === null || (intent.kind !== 'shift' && intent.kind !== 'restore'))
      this.#broken('I26', `weights ${inWords(next)} are written, the intent is ${intent?.kind ?? 'none'}`);
    else if (!sameWeights(intent.after ?? {}, next) || intent.fence !== item?.fence)
      this.#broken(
        'I14',
        `weights ${inWords(next)} are written, intended were ${inWords(intent.after ?? {})} under ${intent.fence}`,
      );

    const healthy = aws.balancer.healthy();
    const forward = intent?.kind === 'shift';
    for (const { name, targetGroup } of traffic.slots) {
      if ((next[name] ?? 0) === 0) continue;
      const count = healthy.get(targetGroup) ?? 0;
      const elsewhere = [...healthy].some(([group, h]) => group !== targetGroup && h > 0);
      if (count === 0 && (forward || elsewhere))
        this.#broken('I2', `weight on ${name}, where nothing is healthy`);
      const seen = this.#seenHealthyAt.get(targetGroup) ?? 0;
      const isNew = name === item?.deployment?.plan.to.slot;
      if (forward && isNew && now - seen > freshMs)
        this.#broken('I2', `weight on ${name}, last seen ${now - seen} ms ago`);
    }
    const plan = item?.deployment?.plan;
    if (plan === undefined) return;
    const share = next[plan.to.slot] ?? 0;
    const known2 = this.#shares.get(plan.deployment) ?? { highest: 0, fell: false };
    if (known2.fell && share > 0)
      this.#broken('I5', `${plan.to.name} gets weight again after it was taken back`);
    this.#shares.set(plan.deployment, {
      highest: Math.max(known2.highest, share),
      fell: known2.fell || share < known2.highest,
    });
    if (forward && share > (this.weights[plan.to.slot] ?? 0)) await this.#capacity(item);
  }

  async #capacity(item: ServiceItem | undefined): Promise<void> {
    const plan = item?.deployment?.plan;
    if (plan?.from == null) return;
    const [from, to] = await Promise.all([this.#service(plan.from.name), this.#service(plan.to.name)]);
    if ((to?.desiredCount ?? 0) < (from?.desiredCount ?? 0))
      this.#broken(
        'I6',
        `${plan.to.name} wants ${to?.desiredCount} tasks, ${plan.from.name} ${from?.desiredCount}`,
      );
  }

  async #serviceWritten({ operation, input }: PendingCall): Promise<void> {
    const { service, desiredCount } = input as { service: string; desiredCount?: number };
    const found = await this.#service(service);
    if (operation === 'UpdateService' && (desiredCount ?? Infinity) >= (found?.desiredCount ?? 0)) return;
    const { item, aws, now } = this.#world;
    const tags = new Map((found?.tags ?? []).map(({ key, value }) => [key, value]));
    if (found !== undefined && tags.get('cutover:service') !== 'web')
      this.#broken('I17', `${operation} of ${service}, which is not ours`);
    const generation = [
      item?.live,
      item?.deployment?.plan.to,
      item?.deployment?.plan.from,
      ...(item?.retained ?? []).map((each) => each.generation),
    ].find((each) => each?.name === service);
    if (generation == null) return;
    const { slot } = generation;
    const group = this.#declared.traffic.slots.find(({ name }) => name === slot)?.targetGroup ?? '';
    const first = item?.live === null;
    if (!first && (this.weights[slot] ?? 0) > 0)
      this.#broken('I7', `${operation} of ${service}, which has weight`);
    if (!first && (aws.balancer.applied('web').get(group) ?? 0) > 0)
      this.#broken('I7', `${operation} of ${service}, which requests still reach`);
    const since = now - (this.#weightedAt.get(slot) ?? 0);
    if (!first && since < settlingMs)
      this.#broken('I7', `${operation} of ${service}, ${since} ms after it had weight`);
    const { deployment } = item ?? {};
    const open = deployment != null && deployment.outcome === null;
    if (open && deployment.plan.from?.name === service)
      this.#broken('I8', `${operation} of ${service}, the way back of ${deployment.plan.deployment}`);
    if (item?.owner === null) this.#broken('I13', `${operation} of ${service}, and nobody holds the service`);
    if (open && item?.intent?.kind !== 'terminate' && operation === 'DeleteService')
      this.#broken('I26', `${operation} of ${service} without an intent`);
  }

  async #serviceMade({ input }: PendingCall): Promise<void> {
    const { serviceName, taskDefinition } = input as { serviceName: string; taskDefinition: string };
    const { item } = this.#world;
    if (item?.intent?.kind !== 'launch' || item.intent.fence !== item.fence)
      this.#broken('I26', `${serviceName} is made without an intent`);
    const { taskDefinition: found } = (await this.#root('ecs', 'DescribeTaskDefinition', {
      taskDefinition,
    })) as DescribeTaskDefinitionCommandOutput;
    const image = found?.containerDefinitions?.[0]?.image ?? '';
    const digest = item?.deployment?.plan.to.digest ?? 'none';
    if (!image.endsWith(`@${digest}`))
      this.#broken('I18', `${serviceName} runs ${image}, admitted was ${digest}`);
  }

  #count({ principal, requestId: _ }: PendingCall): void {
    if (principal.kind !== 'role') return;
    const key = `${principal.session} ${this.#world.now}`;
    const count = (this.#calls.get(key) ?? 0) + 1;
    this.#calls.set(key, count);
    if (count > callBudget) this.#broken('I27', `${principal.session} makes ${count} calls at one instant`);
  }

  /** I31, I15: an execution that ended may change nothing more. */
  async status(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return (await this.#root('states', 'DescribeExecution', {
      executionArn,
    })) as DescribeExecutionCommandOutput;
  }

  /** The targets of a slot that are not draining, by id. */
  async targets(slot: string): Promise<readonly string[]> {
    const group = this.#declared.traffic.slots.find(({ name }) => name === slot)?.targetGroup;
    const { TargetHealthDescriptions } = (await this.#root('elasticloadbalancing', 'DescribeTargetHealth', {
      TargetGroupArn: group,
    })) as DescribeTargetHealthCommandOutput;
    return (TargetHealthDescriptions ?? [])
      .filter(({ TargetHealth }) => TargetHealth?.State !== 'draining')
      .map(({ Target }) => Target?.Id ?? '');
  }

  get #declared(): ServiceSettings {
    if (this.#settings === undefined) throw new Error('the checker has not begun');
    return this.#settings;
  }

  #noteWeights(): void {
    for (const [slot, weight] of Object.entries(this.weights))
      if (weight > 0) this.#weightedAt.set(slot, this.#world.now);
    // A slot whose weight was just taken away had it until now.
    for (const { name } of this.#declared.traffic.slots) {
      if ((this.weights[name] ?? 0) === 0 && this.#hadWeight.has(name))
        this.#weightedAt.set(name, this.#world.now);
    }
    this.#hadWeight = new Set(
      Object.entries(this.weights).flatMap(([slot, weight]) => (weight > 0 ? [slot] : [])),
    );
  }

  #weightsOf(actions: readonly Action[]): Weights {
    const groups = actions[0]?.ForwardConfig?.TargetGroups ?? [];
    const entries = groups.map(({ TargetGroupArn, Weight = 0 }) => {
      const slot = this.#declared.traffic.slots.find(({ targetGroup }) => targetGroup === TargetGroupArn);
      return [slot?.name ?? TargetGroupArn ?? '', Weight];
    });
    return Object.fromEntries(entries) as Weights;
  }

  #root(api: string, operation: string, input: object): Promise<unknown> {
    return this.#world.aws.dispatcher.call(api, operation, input, { kind: 'root' });
  }

  #broken(invariant: string, what: string): void {
    this.violations.push({ invariant, at: this.#world.now, what });
    this.#world.note(`BROKEN ${invariant}: ${what}`);
  }
}
