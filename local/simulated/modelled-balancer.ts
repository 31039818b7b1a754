/**
 * The load balancer's data plane without sockets. A rule that was written, and a target that was deregistered, take effect
 * after a lag of their own; requests come at constant rates and are accounted over each span in which nothing changes,
 * never one by one. What a target does with a request follows from the modelled task at its address.
 *
 * Left out: connections and bytes, requests in flight that are cut when their target exits, stickiness.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  CountReport,
  ListenerSettings,
  ProbeRequest,
  ProbeResult,
  RoutedGroup,
  RoutedTarget,
  RoutingRule,
} from '../balancer/protocol.ts';
import { type Asked, compile } from '../balancer/rule-matching.ts';
import type { Clock, Timer } from '../clock.ts';
import type { Delay } from '../services/ecs/delays.ts';
import type { DataPlane } from '../services/elbv2/data-plane.ts';
import type { Address } from '../tasks/task.ts';
import { type AppliedRule, appliedWeights, type Fate, fatesOf, isLost, type Share } from './fates.ts';
import type { Condition } from './modelled-task.ts';
import { RequestCounts } from './request-counts.ts';

/** Requests that are all alike and come at a constant rate. */
export interface Flow {
  readonly name: string;
  readonly listenerArn: string;
  readonly perSecond: number;
  /** Default: any host that no condition names. */
  readonly host?: string;
  /** Default: `/`. */
  readonly path?: string;
  /** By lower-case name. */
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

/** What became of a flow's requests while nothing changed for it. */
export interface Span {
  readonly flow: string;
  /** Milliseconds on the clock. */
  readonly from: number;
  readonly to: number;
  readonly requests: readonly { readonly fate: Fate; readonly count: number }[];
  readonly lost: number;
}

/** The tasks behind the addresses. */
export interface ModelledTargets {
  conditionAt(address: Address): Condition;
  /** Calls `run` right after some condition has changed. */
  onChange(run: () => void): void;
}

export interface ModelledBalancerOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1): the lags. */
  readonly random: () => number;
  readonly targets: ModelledTargets;
  /**
   * From a rule's being written (or a target's being deregistered) until requests go by it. AWS promises nothing; seconds,
   * and more, have been seen (argo-rollouts #3333, #4595). Default: 1 to 10 s.
   */
  readonly lag?: Delay;
}

interface ListenerModel {
  settings: ListenerSettings;
  /** By priority, as they were written. */
  written: ReadonlyMap<number, RoutingRule>;
  /** By priority, as requests go by them. */
  readonly applied: Map<number, AppliedRule>;
  /** When the last write of each takes effect: one write never overtakes another of the same rule. */
  readonly appliedAt: Map<number, number>;
}

interface GroupModel {
  group: RoutedGroup;
  /** Deregistered, but requests still go to them: what they were before, by key. */
  readonly leaving: Map<string, { readonly state: RoutedTarget['state']; readonly timer: Timer }>;
}

interface FlowModel {
  readonly flow: Flow;
  readonly question: Asked;
  shares: readonly Share[];
  /** Since when the shares are these. */
  from: number;
}

const defaultLag: Delay = { from: 1_000, to: 10_000 };
const minuteMs = 60_000;
/** The default rule is tried last. */
const last = Number.POSITIVE_INFINITY;

export class ModelledBalancer implements DataPlane {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #targets: ModelledTargets;
  readonly #lag: Delay;
  readonly #listeners = new Map<string, ListenerModel>();
  readonly #groups = new Map<string, GroupModel>();
  readonly #flows = new Map<string, FlowModel>();
  readonly #counts = new RequestCounts();
  readonly #spans: Span[] = [];
  #accountedTo: number;
  readonly #pending = new Set<Timer>();
  #closed = false;

  constructor(options: ModelledBalancerOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#targets = options.targets;
    this.#lag = options.lag ?? defaultLag;
    this.#accountedTo = options.clock.now();
    options.targets.onChange(() => this.#changed());
  }

  /** From now on reports what was counted, at the end of each minute of the clock. */
  reportTo(onCounts: (report: CountReport) => void): this {
    const arm = (): void => {
      const end = (Math.floor(this.#clock.now() / minuteMs) + 1) * minuteMs;
      // The last millisecond still belongs to the minute: what is reported then counts into its metrics.
      this.#after(end - 1 - this.#clock.now(), () => {
        this.#account(end);
        onCounts({ counts: this.#counts.take(), connections: {} });
        this.#after(1, arm);
      });
    };
    arm();
    return this;
  }

  /** Starts a flow, or changes the one of this name. */
  carry(flow: Flow): void {
    this.#account(this.#clock.now());
    const before = this.#flows.get(flow.name);
    if (before !== undefined) this.#closeSpan(before);
    const question: Asked = {
      method: 'GET',
      host: flow.host ?? '',
      path: flow.path ?? '/',
      query: new URLSearchParams(),
      headers: flow.headers ?? {},
      // Reserved for documentation (RFC 5737).
      sourceIp: '203.0.113.1',
    };
    this.#flows.set(flow.name, { flow, question, shares: [], from: this.#clock.now() });
    this.#changed();
  }

  /** ŵ: the share of each target group in the rule that the flow meets now, weights of zero included. */
  applied(flow: string): ReadonlyMap<string, number> {
    const { question, flow: carried } = this.#flow(flow);
    return appliedWeights(question, this.#rulesOf(carried.listenerArn));
  }

  /** h: the healthy targets that requests can go to now, by target group; absent: a group that never had any target. */
  healthy(): ReadonlyMap<string, number> {
    return new Map(
      [...this.#groups].map(([arn, { group }]) => [
        arn,
        group.targets.filter(({ state }) => state === 'healthy').length,
      ]),
    );
  }

  /** Requests so far that no application that was ready answered. */
  lost(): number {
    this.#account(this.#clock.now());
    return this.#counts.lost;
  }

  /** What became of the requests, flow by flow in the order of the spans' ends; those that last, up to now. */
  spans(): readonly Span[] {
    const open = [...this.#flows.values()].flatMap((model) => this.#spanOf(model) ?? []);
    return [...this.#spans, ...open];
  }

  async listen(
    settings: ListenerSettings,
    localPort: number,
    rules: readonly RoutingRule[],
  ): Promise<number> {
    const written = byPriority(rules);
    const applied = new Map([...written].map(([priority, rule]) => [priority, appliedAs(rule)]));
    this.#listeners.set(settings.listenerArn, { settings, written, applied, appliedAt: new Map() });
    this.#changed();
    return localPort;
  }

  async unlisten(listenerArn: string): Promise<void> {
    this.#listeners.delete(listenerArn);
    this.#changed();
  }

  async configure(settings: ListenerSettings): Promise<void> {
    const listener = this.#listeners.get(settings.listenerArn);
    if (listener === undefined) return;
    listener.settings = settings;
    this.#changed();
  }

  async route(listenerArn: string, rules: readonly RoutingRule[]): Promise<void> {
    const listener = this.#listeners.get(listenerArn);
    if (listener === undefined) return;
    const before = listener.written;
    listener.written = byPriority(rules);
    const priorities = [...new Set([...before.keys(), ...listener.written.keys()])];
    for (const priority of priorities.sort((one, other) => one - other)) {
      const rule = listener.written.get(priority);
      if (isDeepStrictEqual(rule, before.get(priority))) continue;
      const at = Math.max(this.#clock.now() + this.#drawLag(), listener.appliedAt.get(priority) ?? 0);
      listener.appliedAt.set(priority, at);
      this.#after(at - this.#clock.now(), () => {
        if (rule === undefined) listener.applied.delete(priority);
        else listener.applied.set(priority, appliedAs(rule));
        this.#changed();
      });
    }
  }

  async group(group: RoutedGroup): Promise<void> {
    const model = this.#groups.get(group.targetGroupArn) ?? { group, leaving: new Map() };
    const before = new Map(model.group.targets.map((target) => [target.key, target.state]));
    const draining = new Set(
      group.targets.filter(({ state }) => state === 'draining').map((target) => target.key),
    );
    for (const [key, { timer }] of model.leaving) {
      if (draining.has(key)) continue;
      timer.cancel();
      model.leaving.delete(key);
    }
    for (const key of draining) {
      const state = before.get(key);
      if (state === undefined || state === 'draining' || model.leaving.has(key)) continue;
      const timer = this.#after(this.#drawLag(), () => {
        model.leaving.delete(key);
        model.group = withStates(model.group, new Map([[key, 'draining']]));
        this.#changed();
      });
      model.leaving.set(key, { state, timer });
    }
    const states = new Map([...model.leaving].map(([key, { state }]) => [key, state]));
    model.group = withStates(group, states);
    this.#groups.set(group.targetGroupArn, model);
    this.#changed();
  }

  async forget(targetGroupArn: string): Promise<void> {
    for (const { timer } of this.#groups.get(targetGroupArn)?.leaving.values() ?? []) timer.cancel();
    this.#groups.delete(targetGroupArn);
    this.#changed();
  }

  /** Takes as long as the target's answer, or the time-out; a connection that is refused takes no time. */
  async probe({ address, timeoutMs }: ProbeRequest): Promise<ProbeResult> {
    const asked = this.#targets.conditionAt(address);
    if (asked.kind === 'refusing') return { kind: 'failed' };
    await this.#clock.sleep(Math.min(asked.latencyMs, timeoutMs));
    if (asked.latencyMs > timeoutMs) return { kind: 'timedOut' };
    if (this.#targets.conditionAt(address).kind === 'refusing') return { kind: 'failed' };
    return { kind: 'answered', status: asked.ready ? 200 : 503 };
  }

  async close(): Promise<void> {
    this.#account(this.#clock.now());
    this.#closed = true;
    for (const timer of this.#pending) timer.cancel();
  }

  /** Call after anything changed that decides where requests go: what came before is accounted as it was. */
  #changed(): void {
    if (this.#closed) return;
    this.#account(this.#clock.now());
    for (const model of this.#flows.values()) {
      const shares = this.#sharesOf(model);
      if (isDeepStrictEqual(shares, model.shares)) continue;
      this.#closeSpan(model);
      model.shares = shares;
    }
  }

  #account(to: number): void {
    const seconds = (to - this.#accountedTo) / 1000;
    if (this.#closed || seconds <= 0) return;
    this.#accountedTo = to;
    for (const { flow, shares } of this.#flows.values()) {
      const loadBalancerArn = this.#listeners.get(flow.listenerArn)?.settings.loadBalancerArn;
      for (const { fate, share } of shares) {
        this.#counts.add(loadBalancerArn, fate, flow.perSecond * share * seconds);
      }
    }
  }

  #sharesOf({ flow, question }: FlowModel): Share[] {
    const listener = this.#listeners.get(flow.listenerArn);
    if (listener === undefined) return [{ fate: { kind: 'unreachable' }, share: 1 }];
    return fatesOf(question, {
      rules: this.#rulesOf(flow.listenerArn),
      group: (arn) => this.#groups.get(arn)?.group,
      conditionAt: (address) => this.#targets.conditionAt(address),
      idleTimeoutMs: listener.settings.idleTimeoutMs,
    });
  }

  #rulesOf(listenerArn: string): AppliedRule[] {
    return [...(this.#listeners.get(listenerArn)?.applied ?? [])]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([, rule]) => rule);
  }

  #closeSpan(model: FlowModel): void {
    const span = this.#spanOf(model);
    if (span !== undefined) this.#spans.push(span);
    model.from = this.#clock.now();
  }

  #spanOf({ flow, shares, from }: FlowModel): Span | undefined {
    const to = this.#clock.now();
    if (to === from) return undefined;
    const requests = shares.map(({ fate, share }) => ({
      fate,
      count: (flow.perSecond * share * (to - from)) / 1000,
    }));
    const lost = requests.reduce((sum, { fate, count }) => (isLost(fate) ? sum + count : sum), 0);
    return { flow: flow.name, from, to, requests, lost };
  }

  #flow(name: string): FlowModel {
    const model = this.#flows.get(name);
    if (model === undefined) throw new Error(`There is no flow ${name}`);
    return model;
  }

  #after(ms: number, run: () => void): Timer {
    const timer = this.#clock.after(ms, () => {
      this.#pending.delete(timer);
      run();
    });
    this.#pending.add(timer);
    return timer;
  }

  #drawLag(): number {
    return Math.round(this.#lag.from + this.#random() * (this.#lag.to - this.#lag.from));
  }
}

function byPriority(rules: readonly RoutingRule[]): Map<number, RoutingRule> {
  return new Map(rules.map((rule) => [rule.priority ?? last, rule]));
}

function appliedAs(rule: RoutingRule): AppliedRule {
  return { matches: compile(rule.conditions), actions: rule.actions };
}

function withStates(group: RoutedGroup, states: ReadonlyMap<string, RoutedTarget['state']>): RoutedGroup {
  const targets = group.targets.map((target) => ({
    ...target,
    state: states.get(target.key) ?? target.state,
  }));
  return { ...group, targets };
}
