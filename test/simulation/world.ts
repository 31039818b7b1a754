/**
 * One deployer and one service in a simulated AWS: what a person sees and may do, what happens as a trace of lines, and where
 * faults are put. Everything follows from the seed.
 */
import type { ListExecutionsCommandOutput } from '@aws-sdk/client-sfn';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod';
import type { WeightStep } from '../../functions/core/deployment/strategy.ts';
import type { scalingSettings } from '../../functions/core/fleet/scaling.ts';
import { ledgerTable } from '../../functions/core/ledger/ledger-table.ts';
import { type ServiceItem, serviceItem } from '../../functions/core/ledger/service-item.ts';
import { type ServiceSettings, serviceSettings } from '../../functions/core/service-settings.ts';
import type { Interception } from '../../local/services/events/delivery.ts';
import type { Transition } from '../../local/services/states/run.ts';
import { type Behaviour, wellBehaved } from '../../local/simulated/behaviour.ts';
import type { Entries } from '../../local/simulated/function-host.ts';
import type { CallFault, CallPoint } from '../../local/simulated/network.ts';
import { createSimulatedAws, type SimulatedAws } from '../../local/simulated/simulated-aws.ts';
import type { CallRecord, PendingCall } from '../../local/wire/call-log.ts';
import { Checker } from './checker.ts';
import { fleetOf } from './fleet-of.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';

export interface WorldOptions {
  readonly seed?: number;
  readonly entries: Entries;
  readonly assembly: string;
  /** Which of the example's services: on ECS, or on EC2 Auto Scaling. Default: web. */
  readonly service?: 'web' | 'worker';
  /** What the service's declaration says otherwise than the example's. */
  readonly settings?: Partial<ServiceSettings>;
  /** What scales the service; absent: nothing does. */
  readonly scaling?: z.input<typeof scalingSettings>;
  /** Requests per second. */
  readonly load?: number;
  /** How far the clock of Step Functions is ahead of the functions'. */
  readonly skewMs?: number;
}

/** A canary with a step in the middle; short, for a look is taken each 75 s at most. */
export const canary: readonly WeightStep[] = [
  { weightPercent: 10, bakeSeconds: 120 },
  { weightPercent: 50, bakeSeconds: 60 },
  { weightPercent: 100, bakeSeconds: 60 },
];

const dayMs = 86_400_000;

/** What may be put in the way: each is asked, the first that answers decides. */
interface Obstacles {
  readonly calls: ((point: CallPoint) => CallFault | undefined)[];
  readonly deliveries: ((detailType: string, targetArn: string) => Interception | undefined)[];
  readonly invocations: ((entry: string) => 'twice' | { readonly againMs: number } | undefined)[];
  readonly states: ((transition: Transition) => void)[];
  readonly behaviours: Map<string, Behaviour>;
  /** Why there is no room for tasks, or instances. */
  capacity: string | undefined;
}

function firstAnswer<Asked extends readonly unknown[], Answer>(
  asked: readonly ((...what: Asked) => Answer | undefined)[],
  ...what: Asked
): Answer | undefined {
  for (const ask of asked) {
    const answer = ask(...what);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

export class World {
  readonly trace: string[] = [];
  /** How often each fault that was asked for really happened. */
  readonly hits = new Map<string, number>();
  readonly checker: Checker;
  readonly aws: SimulatedAws;
  readonly service: string;
  readonly #obstacles: Obstacles;
  #item: ServiceItem | undefined;
  readonly #onItem: ((before: ServiceItem | undefined, after: ServiceItem) => void | Promise<void>)[] = [];

  private constructor(service: string, aws: SimulatedAws, obstacles: Obstacles) {
    this.service = service;
    this.aws = aws;
    this.#obstacles = obstacles;
    this.checker = new Checker(this);
    this.aws.calls.hook({ after: (call) => this.#stored(call) });
    this.aws.calls.subscribe((record) => this.#called(record));
    this.onState(({ executionArn, state }) =>
      this.note(`state ${executionArn.split(':').slice(-2).join(' ')}: ${state}`),
    );
  }

  static async create(options: WorldOptions): Promise<World> {
    const obstacles: Obstacles = {
      calls: [],
      deliveries: [],
      invocations: [],
      states: [],
      behaviours: new Map(),
      capacity: undefined,
    };
    const names = new Map<string, string>();
    const aws = await createSimulatedAws(options.assembly, {
      seed: options.seed ?? 1,
      entries: options.entries,
      behaviourOf: (digest) => obstacles.behaviours.get(digest) ?? wellBehaved,
      faultOf: (point) => firstAnswer(obstacles.calls, point),
      placementFailure: () => obstacles.capacity,
      skewMs: options.skewMs ?? 0,
      onTransition: (transition) => {
        for (const hear of obstacles.states) hear(transition);
      },
      deliveries: ({ event, target }) =>
        firstAnswer(obstacles.deliveries, event['detail-type'], target.Arn ?? '') ?? 'deliver',
      invoking: (lambda) => ({
        invoke: async (arn, payload) => {
          const entry = names.get(arn.split(':')[6] ?? '') ?? '';
          const obstacle = firstAnswer(obstacles.invocations, entry);
          if (obstacle === undefined) return lambda.invoke(arn, payload);
          if (obstacle !== 'twice') {
            aws.clock.after(obstacle.againMs, async () => void (await lambda.invoke(arn, payload)));
            return lambda.invoke(arn, payload);
          }
          const [first] = await Promise.all([lambda.invoke(arn, payload), lambda.invoke(arn, payload)]);
          return first;
        },
      }),
    });
    const world = new World(options.service ?? 'web', aws, obstacles);
    try {
      await world.#begin(options, names);
    } catch (failure) {
      await aws.close();
      throw failure;
    }
    return world;
  }

  /** `names`: learns which function is which entry. */
  async #begin(options: WorldOptions, names: Map<string, string>): Promise<void> {
    const { Functions } = (await this.ask('lambda', 'ListFunctions', {})) as {
      Functions: readonly { FunctionName: string; Handler: string }[];
    };
    for (const { FunctionName, Handler } of Functions)
      names.set(FunctionName, Handler.split('.')[0] ?? Handler);
    this.load(options.load ?? 20);
    const strategy = { kind: 'custom' as const, steps: [...canary] };
    const { scaling } = options;
    const { fleet } = await this.settings();
    const scaled = scaling && { fleet: { ...fleet, scaling: (await this.fleet()).declared(scaling) } };
    // The example's one alarm is the first service's; here it is whose service is deployed.
    await this.declare({ strategy, alarms: ['web-5xx'], ...scaled, ...options.settings });
    await this.checker.begin();
  }

  get now(): number {
    return this.aws.clock.now();
  }

  output(name: string): string {
    const value = this.aws.outputs.get('Cutover')?.[name];
    if (value === undefined) throw new Error(`the stack has no output ${name}`);
    return value;
  }

  note(line: string): void {
    this.trace.push(`${new Date(this.now).toISOString()} ${line}`);
  }

  /** As the account's root, in process and in no time. */
  ask(api: string, operation: string, input: object): Promise<unknown> {
    return this.aws.until(this.aws.dispatcher.call(api, operation, input, { kind: 'root' }));
  }

  // What a person does.

  push(tag: string, behaviour: Partial<Behaviour> = {}, content = tag): string {
    const digest = this.aws.push({ repository: this.service, tag, content });
    const { behaviours } = this.#obstacles;
    if (!behaviours.has(digest)) behaviours.set(digest, { ...wellBehaved, ...behaviour });
    this.note(`push ${tag}`);
    return digest;
  }

  /** Pushes, and lets time pass until it is live and nothing is left to do for it. */
  async goLive(tag: string, behaviour: Partial<Behaviour> = {}, content = tag): Promise<string> {
    const digest = this.push(tag, behaviour, content);
    await this.pass(
      () => this.item?.live?.digest === digest && this.item.owner === null,
      `${tag} to be live`,
    );
    return digest;
  }

  /** From now on so many requests come each second. */
  load(perSecond: number): void {
    this.aws.balancer.carry({
      name: this.service,
      listenerArn: this.output('ListenerArn'),
      perSecond,
      path: `/${this.service}/`,
    });
    this.note(`the load is ${perSecond} requests a second`);
  }

  async rollback(order: object = {}): Promise<string> {
    return this.start('RollbackMachineArn', { service: this.service, ...order });
  }

  async start(machine: string, input: object): Promise<string> {
    const { executionArn } = (await this.ask('states', 'StartExecution', {
      stateMachineArn: this.output(machine),
      input: JSON.stringify(input),
    })) as { executionArn: string };
    return executionArn;
  }

  /** What a person sends to the signal function; returns its remarks. */
  async signal(payload: object): Promise<readonly string[]> {
    const arn = `${this.output('SignalFunction')}`;
    const { Payload } = (await this.ask('lambda', 'Invoke', {
      FunctionName: arn,
      Payload: Buffer.from(JSON.stringify({ service: this.service, ...payload })),
    })) as { Payload: Uint8Array };
    return (JSON.parse(Buffer.from(Payload).toString()) as { remarks: string[] }).remarks;
  }

  async stop(executionArn: string): Promise<void> {
    this.note('a person stops the execution');
    await this.aws.dispatcher.call('states', 'StopExecution', { executionArn }, { kind: 'root' });
  }

  async writeWeights(weights: Readonly<Record<string, number>>): Promise<void> {
    const { traffic } = await this.settings();
    const TargetGroups = traffic.slots.map(({ name, targetGroup }) => ({
      TargetGroupArn: targetGroup,
      Weight: weights[name] ?? 0,
    }));
    this.note(`a person writes the weights ${JSON.stringify(weights)}`);
    await this.ask('elasticloadbalancing', 'ModifyRule', {
      RuleArn: traffic.rule,
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
    });
  }

  async fleet(): Promise<SimulatedFleet> {
    return fleetOf(this.aws, await this.settings());
  }

  async settings(): Promise<ServiceSettings> {
    const { Parameter } = (await this.ask('ssm', 'GetParameter', { Name: `/cutover/${this.service}` })) as {
      Parameter: { Value: string };
    };
    return serviceSettings.parse(JSON.parse(Parameter.Value));
  }

  async declare(change: Partial<ServiceSettings>): Promise<void> {
    const Value = JSON.stringify({ ...(await this.settings()), ...change });
    await this.ask('ssm', 'PutParameter', {
      Name: `/cutover/${this.service}`,
      Value,
      Type: 'String',
      Overwrite: true,
    });
  }

  // What breaks.

  /** Puts a fault where `when` says, `times` times at most; `name` counts it in `hits`. */
  break(name: string, when: (point: CallPoint) => boolean, fault: CallFault, times = 1): void {
    let left = times;
    this.hits.set(name, 0);
    this.#obstacles.calls.push((point) => {
      if (left === 0 || !when(point)) return undefined;
      left -= 1;
      this.hits.set(name, (this.hits.get(name) ?? 0) + 1);
      this.note(`fault ${name}: ${point.caller} ${point.service}:${point.operation}`);
      return fault;
    });
  }

  /** There is no room for tasks, or instances, for this reason. */
  exhaust(reason: string): void {
    this.#obstacles.capacity = reason;
  }

  /** All faults are over. */
  heal(): void {
    this.#obstacles.capacity = undefined;
    this.#obstacles.calls.length = 0;
    this.#obstacles.deliveries.length = 0;
    this.#obstacles.invocations.length = 0;
    this.note('all faults are over');
  }

  onState(hear: (transition: Transition) => void): void {
    this.#obstacles.states.push(hear);
  }

  onDelivery(ask: (detailType: string, targetArn: string) => Interception | undefined): void {
    this.#obstacles.deliveries.push(ask);
  }

  /** The function of this entry is called again so much later than Step Functions calls it next. */
  callAgain(name: string, entry: string, againMs: number): void {
    this.hits.set(name, 0);
    this.#obstacles.invocations.push((called) => {
      if (called !== entry || this.hits.get(name) !== 0) return undefined;
      this.hits.set(name, 1);
      return { againMs };
    });
  }

  /** The function of this entry is called twice at once, the next time that Step Functions calls it. */
  callTwice(name: string, entry: string, times = 1): void {
    let left = times;
    this.hits.set(name, 0);
    this.#obstacles.invocations.push((called) => {
      if (called !== entry || left === 0) return undefined;
      left -= 1;
      this.hits.set(name, (this.hits.get(name) ?? 0) + 1);
      return 'twice';
    });
  }

  /** Resolves at the instant that an execution enters the state, from now on. */
  async enters(state: string, machine = 'Deploy'): Promise<Transition> {
    const { promise, resolve } = Promise.withResolvers<Transition>();
    this.onState((transition) => {
      if (transition.state === state && transition.executionArn.includes(machine)) resolve(transition);
    });
    return this.aws.until(promise);
  }

  // What is seen.

  get item(): ServiceItem | undefined {
    return this.#item;
  }

  onItem(hear: (before: ServiceItem | undefined, after: ServiceItem) => void | Promise<void>): void {
    this.#onItem.push(hear);
  }

  /** Of a slot in the production rule, as it was written last. */
  weight(slot: string): number {
    return new Map(Object.entries(this.checker.weights)).get(slot) ?? 0;
  }

  /** Lets time pass until `done`, and says what was waited for when it never comes. */
  async pass(done: () => boolean, what: string, limitMs = dayMs): Promise<void> {
    try {
      await this.aws.clock.pass(done, limitMs, () => this.checker.look());
    } catch (failure) {
      throw new Error(`waited in vain for ${what}: ${String(failure)}`, { cause: failure });
    }
  }

  async passMs(ms: number): Promise<void> {
    const until = this.now + ms;
    this.aws.clock.after(ms, () => undefined);
    await this.pass(() => this.now >= until, `${ms} ms`, ms + 1);
  }

  /** Lets time pass until no execution of deploy, rollback or recover runs, nothing waits to be started and nothing is held. */
  async settle(limitMs = dayMs): Promise<void> {
    const until = this.now + limitMs;
    while (this.now < until) {
      await this.passMs(30_000);
      if ((await this.running()).length > 0) continue;
      const { item } = this;
      if (item === undefined || (item.owner === null && item.pending === null && item.bounds === null))
        return;
    }
    throw new Error(
      `not settled within ${limitMs / 1_000} s: ${JSON.stringify(this.item?.owner)}\n${this.trace.slice(-60).join('\n')}`,
    );
  }

  /** ARNs of the executions of all machines but retire that run now. */
  async running(): Promise<readonly string[]> {
    const { stateMachines } = (await this.ask('states', 'ListStateMachines', {})) as {
      stateMachines: readonly { stateMachineArn: string; name: string }[];
    };
    const arns: string[] = [];
    for (const { stateMachineArn, name } of stateMachines) {
      if (name.includes('Retire')) continue;
      arns.push(...(await this.executionsOf(stateMachineArn, 'RUNNING')));
    }
    return arns;
  }

  async executionsOf(stateMachineArn: string, statusFilter?: string): Promise<readonly string[]> {
    const { executions } = (await this.ask('states', 'ListExecutions', {
      stateMachineArn,
      ...(statusFilter !== undefined && { statusFilter }),
    })) as ListExecutionsCommandOutput;
    return (executions ?? []).map(({ executionArn }) => executionArn ?? '');
  }

  /** Throws what the embedded AWS itself did wrong. */
  async close(): Promise<void> {
    await this.aws.close();
    // That a function gave an event up after its last try is AWS's way, and only a metric shows it.
    const own = this.aws.failures.filter((failure) => !/failed 3 times/.test(String(failure)));
    if (own.length > 0)
      throw new AggregateError(own, `faults of the embedded AWS: ${own.map(String).join('; ')}`);
  }

  async #stored({ service: api, operation, input }: PendingCall): Promise<void> {
    if (api !== 'dynamodb' || operation !== 'PutItem') return;
    const { Item } = input as { Item: Parameters<typeof unmarshall>[0] };
    const stored = unmarshall(Item);
    if (stored[ledgerTable.sortKey] !== ledgerTable.serviceItem) return;
    const before = this.#item;
    const after = serviceItem.parse(stored);
    this.#item = after;
    const { deployment } = after;
    this.note(
      `item v${after.version} fence ${after.fence} ${after.owner === null ? 'free' : 'held'} ${deployment?.plan.deployment ?? ''} ${deployment?.phase ?? ''} ${deployment?.outcome ?? ''} intent ${after.intent?.kind ?? 'none'}`,
    );
    for (const hear of this.#onItem) await hear(before, after);
  }

  #called({ service: api, operation, principal, error }: CallRecord): void {
    if (principal.kind !== 'role') return;
    this.note(`call ${principal.session} ${api}:${operation}${error === undefined ? '' : ` ${error}`}`);
  }
}
