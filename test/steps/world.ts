/**
 * A service's surroundings in memory, behind the ports: a ledger with compare-and-set, a fleet, traffic, alarms, waits.
 * Everything that is written is in `trace`, in order; any call can fail before or after its effect.
 */

import type { Plan } from '../../functions/core/deployment/plan.ts';
import type { ExecutionStatus } from '../../functions/core/deployment/recovery.ts';
import { CutoverError, type ErrorName } from '../../functions/core/errors.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { Standing } from '../../functions/core/fleet/orphans.ts';
import type { Bounds } from '../../functions/core/fleet/scaling.ts';
import type { AlarmState } from '../../functions/core/gates/alarms.ts';
import type { SlotMinute } from '../../functions/core/gates/comparison.ts';
import type { FleetState, TargetState } from '../../functions/core/gates/health.ts';
import type { ImageScan } from '../../functions/core/gates/image-scan.ts';
import type { Push } from '../../functions/core/images/push.ts';
import type { RegistryImage } from '../../functions/core/images/registry-image.ts';
import { isOpen } from '../../functions/core/ledger/ownership.ts';
import { newServiceItem, type ServiceItem, serviceItem } from '../../functions/core/ledger/service-item.ts';
import type { Chapter } from '../../functions/core/messages/chapter.ts';
import type { Message } from '../../functions/core/messages/message.ts';
import type { GenerationName, ServiceName, SlotName } from '../../functions/core/names.ts';
import type { FleetSurvey, TrafficSurvey } from '../../functions/core/preflight/preflight.ts';
import type {
  FleetSettings,
  ServiceSettings,
  TrafficSettings,
} from '../../functions/core/service-settings.ts';
import type { Minutes } from '../../functions/core/traffic/counted-minutes.ts';
import { inWords, sameWeights, type Weights } from '../../functions/core/traffic/weights.ts';
import type { Alarms } from '../../functions/ports/alarms.ts';
import type { Announcer } from '../../functions/ports/announcer.ts';
import type { Drains } from '../../functions/ports/drains.ts';
import type { Executions } from '../../functions/ports/executions.ts';
import type { Fleet, FleetDeclarations } from '../../functions/ports/fleet.ts';
import type { DrainCall, HookCall, Hooks } from '../../functions/ports/hooks.ts';
import type { ImageChecks } from '../../functions/ports/image-checks.ts';
import type { Images } from '../../functions/ports/images.ts';
import type { History, Ledger } from '../../functions/ports/ledger.ts';
import type { MetricValues } from '../../functions/ports/metric-values.ts';
import type { FleetSurveyor, ImagePlatforms, TrafficSurveyor } from '../../functions/ports/preflight.ts';
import type { Requests } from '../../functions/ports/requests.ts';
import type { Scaling } from '../../functions/ports/scaling.ts';
import type { Settings } from '../../functions/ports/settings.ts';
import type { Traffic } from '../../functions/ports/traffic.ts';
import type { Waits } from '../../functions/ports/waits.ts';
import type { Witness } from '../../functions/ports/witness.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { ecrEvent, execution, imageOf, settingsOf, start, web, weightsOf } from '../core/examples.ts';

export type Call =
  | 'settings.read'
  | 'settings.list'
  | 'ledger.read'
  | 'ledger.write'
  | 'traffic.weights'
  | 'traffic.shift'
  | 'traffic.targets'
  | 'fleet.launch'
  | 'fleet.resize'
  | 'fleet.wanted'
  | 'fleet.observe'
  | 'fleet.terminate'
  | 'fleet.standing'
  | 'fleet.survey'
  | 'fleet.discard'
  | 'images.find'
  | 'images.tagged'
  | 'images.existing'
  | 'images.tag'
  | 'images.untag'
  | 'images.platforms'
  | 'images.scan'
  | 'images.signature'
  | 'scaling.bounds'
  | 'scaling.bound'
  | 'scaling.carry'
  | 'scaling.carrySchedule'
  | 'scaling.release'
  | 'witness.lastWords'
  | 'fleet.forget'
  | 'drains.keep'
  | 'drains.letGo'
  | 'drains.waiting'
  | 'requests.perMinute'
  | 'requests.slowTime'
  | 'requests.slotMinutes'
  | 'metrics.values'
  | 'alarms.states'
  | 'waits.end'
  | 'executions.status'
  | 'executions.start';

interface Fault {
  readonly call: Call;
  readonly when: 'before' | 'after';
  readonly error: CutoverError;
}

interface Scaled {
  readonly bounds: Bounds;
  /** Whose policies it has. */
  readonly like: string;
  readonly schedule: string | null;
}

interface Running {
  readonly generation: Generation;
  /** Where it runs: nobody finds it elsewhere. */
  readonly place: string;
  desired: number;
  running: number;
  health: TargetState['state'];
}

/** The ARN of the rule on a test listener. */
export const testRule = 'test-rule';

export class World {
  time = start;
  settings: unknown = settingsOf();
  rule: Weights = weightsOf({ blue: 100 });
  /** Of the test listener, for services that have one. */
  testRule: Weights = weightsOf({ blue: 1 });
  alarmStates: (Omit<AlarmState, 'since'> & Partial<AlarmState>)[] = [
    { name: 'web-errors', state: 'OK', reason: '' },
  ];
  /** Targets that no generation owns, by slot. */
  strangers: Partial<Record<SlotName, TargetState[]>> = {};
  /** How new generations turn out. */
  launchesAs: Pick<Running, 'health'> & { readonly share?: number } = { health: 'healthy' };
  /** Requests of each minute: in the slots that are named, and in all others together. */
  requests: Partial<Record<SlotName, number>> & { readonly elsewhere?: number } = { elsewhere: 50 };
  /** What one of ten requests takes longer than, in seconds. */
  slowTime: number | undefined = 0.2;
  /** What the slots answer in each minute. */
  answers: (slot: SlotName, minutes: Minutes) => readonly SlotMinute[] = () => [];
  /** Values of metrics, by the gate's name and the generation's: `queue web-g0002`. */
  readonly metrics = new Map<string, readonly number[]>();
  /** What the registry's scan says of every image. */
  scan: ImageScan = { kind: 'unreadable', why: 'not scanned here' };
  /** What the settings say of scaling. */
  scalingDeclared: Bounds | undefined;
  /** What scales, by generation. */
  readonly scaled = new Map<string, Scaled>();
  /** What the fleet finds before a launch, where all is not well. */
  fleetSurvey: Partial<FleetSurvey> = {};
  readonly fleets = new Map<string, Running>();
  /** What bears our tags, beside what was launched here. */
  strays: Standing[] = [];
  /** The repository. */
  registry: RegistryImage[] = [0, 1, 2, 3, 4, 5].map((number) => imageOf(number));
  /** Generations that cannot be gone back to. */
  readonly forgotten = new Set<string>();
  readonly trace: string[] = [];
  readonly ended: { token: string; how: string; cause?: string }[] = [];
  readonly told: Chapter[] = [];
  readonly said: Message[] = [];
  /** Hooks that were had called. */
  readonly hookCalls: HookCall[] = [];
  /** Instances that were had drained. */
  readonly drainCalls: DrainCall[] = [];
  /** Instances whose end waits for us, each with its generation. */
  readonly waiting = new Map<string, GenerationName>();
  /** Writes of others, each made once between our read and our write. */
  readonly conflicts: ((item: ServiceItem) => ServiceItem)[] = [];
  readonly #faults: Fault[] = [];
  readonly #items = new Map<string, ServiceItem>();
  /** How executions stand, by ARN; one that is not named runs. */
  readonly executions = new Map<string, ExecutionStatus>();
  /** Executions that were started, by name. */
  readonly started = new Map<string, { readonly machine: string; readonly input: object }>();
  /** Called before each call with its name; what it throws is the call's failure. */
  onCall: (call: Call, when: 'before' | 'after') => void = () => {};

  /** What people do once they are asked for their word. */
  whileHeld: () => Promise<unknown> = async () => {};

  readonly now = (): number => this.time;

  get item(): ServiceItem {
    return this.#items.get(web) ?? newServiceItem(web);
  }

  set item(item: ServiceItem) {
    this.#items.set(item.service, item);
  }

  /** Fails the next such call, before or after its effect, as AWS does when it is down or a function is killed. */
  fail(call: Call, when: 'before' | 'after' = 'before', name: ErrorName = 'Cutover.AwsUnavailable'): void {
    this.#faults.push({ call, when, error: new CutoverError(name, `${call} failed`) });
  }

  async #call<T>(call: Call, effect: () => T): Promise<T> {
    await Promise.resolve();
    this.#fault(call, 'before');
    const result = effect();
    this.#fault(call, 'after');
    return result;
  }

  #fault(call: Call, when: 'before' | 'after'): void {
    this.onCall(call, when);
    const at = this.#faults.findIndex((fault) => fault.call === call && fault.when === when);
    if (at !== -1) throw this.#faults.splice(at, 1)[0]!.error;
  }

  readonly ports = ((world: World) => {
    const ledger: Ledger = {
      read: (service) =>
        world.#call('ledger.read', () => world.#items.get(service) ?? newServiceItem(service)),
      change: async (service, decide) => {
        for (let attempt = 0; attempt < 20; attempt++) {
          const before = await ledger.read(service);
          const decided = decide(before);
          if (decided.item === before) return decided;
          const interfere = world.conflicts.shift();
          if (interfere !== undefined) world.#write(before, interfere(before));
          const next = { ...decided.item, version: before.version + 1 };
          const written = await world.#call('ledger.write', () => world.#replace(service, before, next));
          if (written) return { ...decided, item: next };
        }
        throw new CutoverError('Cutover.AwsUnavailable', 'too many conflicts');
      },
      open: async () => [...world.#items.values()].filter(isOpen).map(({ service }) => service),
    };
    const traffic: Traffic = {
      weights: ({ rule }) =>
        world.#call('traffic.weights', () => (rule === testRule ? world.testRule : world.rule)),
      shift: async ({ rule }, expected, next) => {
        if (rule === testRule) {
          world.testRule = next;
          return;
        }
        if (sameWeights(world.rule, next)) return;
        if (!sameWeights(world.rule, expected))
          throw new CutoverError('Cutover.ForeignWeights', `the rule has ${inWords(world.rule)}`);
        await world.#call('traffic.shift', () => {
          world.trace.push(`rule: ${inWords(next)}`);
          world.rule = next;
        });
      },
      targets: (_, slot) => world.#call('traffic.targets', () => world.#targets(slot)),
    };
    const fleet: Fleet & FleetDeclarations = {
      mistakesIn: ({ kind }) => (kind === 'ecs' ? [] : [`fleet/kind: must be ecs, got ${kind}`]),
      launch: (settings, generation, desired, copyOf) =>
        world.#call('fleet.launch', () => world.#launch(settings, generation, desired, copyOf)),
      resize: (settings, generation, desired) =>
        world.#call('fleet.resize', () => {
          Object.assign(world.#found(settings, generation)!, { desired, running: desired });
          world.trace.push(`fleet: ${generation.name} resized to ${desired}`);
        }),
      wanted: (settings, generation) =>
        world.#call('fleet.wanted', () => world.#found(settings, generation)?.desired),
      observe: (settings, generation) =>
        world.#call('fleet.observe', () => world.#observe(world.#found(settings, generation))),
      terminate: (settings, generation) =>
        world.#call('fleet.terminate', () => {
          if (world.#found(settings, generation) === undefined) return 'ended';
          world.fleets.delete(generation.name);
          world.trace.push(`fleet: ${generation.name} ended`);
          return 'ended';
        }),
      standing: (_, isAsked) =>
        world.#call('fleet.standing', () => {
          const launched = [...world.fleets.values()].map(
            ({ generation: { name, slot } }): Standing => ({ name, runs: true, slot, createdAt: start }),
          );
          return [...launched, ...world.strays].filter(isAsked);
        }),
      discard: (_, name, what) =>
        world.#call('fleet.discard', () => {
          world.strays = world.strays.filter((each) => each.name !== name);
          world.trace.push(`fleet: ${name} discarded, ${what}`);
          return 'ended';
        }),
      forget: (_, { name }) => world.#call('fleet.forget', () => void world.forgotten.add(name)),
    };
    const scaling: Scaling = {
      // What the settings say is not asked of AWS.
      bounds: async (_, generation) =>
        generation === null
          ? world.scalingDeclared
          : world.#call('scaling.bounds', () => world.scaled.get(generation.name)?.bounds),
      bound: (_, { name }, bounds) => world.#call('scaling.bound', () => world.#scale(name, { bounds })),
      carry: (_, from, { name }, bounds) =>
        world.#call('scaling.carry', () => world.#scale(name, { bounds, like: from?.name ?? 'settings' })),
      carrySchedule: (_, from, { name }) =>
        world.#call('scaling.carrySchedule', () =>
          world.#scale(name, { schedule: from?.name ?? 'settings' }),
        ),
      release: (_, { name }) => world.#call('scaling.release', () => world.#release(name)),
    };
    const imageChecks: ImageChecks = {
      scan: () => world.#call('images.scan', () => world.scan),
      signature: () => world.#call('images.signature', () => ({ kind: 'unreadable', why: 'not here' })),
    };
    const hooks: Hooks = {
      begin: async (call) => void world.hookCalls.push(call),
      drain: async (call) => void world.drainCalls.push(call),
    };
    const drains: Drains = {
      keep: (of) =>
        world.#call('drains.keep', () => {
          world.trace.push(`drains: ${of.instance} kept`);
          return world.waiting.has(of.instance) ? 'kept' : 'gone';
        }),
      letGo: ({ instance }) =>
        world.#call('drains.letGo', () => {
          if (world.waiting.delete(instance)) world.trace.push(`drains: ${instance} let go`);
        }),
      waiting: (generations) =>
        world.#call('drains.waiting', () =>
          [...world.waiting].flatMap(([instance, generation]) =>
            generations.includes(generation) ? [{ generation, instance }] : [],
          ),
        ),
    };
    const witness: Witness = {
      lastWords: async (_, { name }, task) =>
        world.#call('witness.lastWords', () => ({
          events: [],
          log: [`${name} ${task ?? 'any'} ends`],
          unread: [],
        })),
    };
    const requests: Requests = {
      perMinute: (_, slot, { from, to }) =>
        world.#call('requests.perMinute', () =>
          Array.from({ length: (to - from) / 60_000 }, (__, index) => ({
            at: from + index * 60_000,
            inSlot: world.requests[slot] ?? 0,
            elsewhere: world.requests.elsewhere ?? 0,
          })),
        ),
      slowTime: () => world.#call('requests.slowTime', () => world.slowTime),
      slotMinutes: (_, slots, minutes) =>
        world.#call('requests.slotMinutes', () => slots.map((slot) => world.answers(slot, minutes))),
    };
    const metrics: MetricValues = {
      values: (_, { name }, generation) =>
        world.#call('metrics.values', () => world.metrics.get(`${name} ${generation.name}`) ?? []),
    };
    const alarms: Alarms = {
      // As the adapter: of no name nothing is asked.
      states: async (names) =>
        names.length === 0 ? [] : world.#call('alarms.states', () => world.#alarms(names)),
    };
    const waits: Waits = {
      succeed: (token) => world.#call('waits.end', () => void world.ended.push({ token, how: 'success' })),
      fail: (token, error, cause) =>
        world.#call('waits.end', () => void world.ended.push({ token, how: error, cause })),
    };
    const fleetSurveyor: FleetSurveyor = {
      survey: () => world.#call('fleet.survey', () => ({ ...fleetSurvey, ...world.fleetSurvey })),
    };
    const trafficSurveyor: TrafficSurveyor = {
      survey: async ({ slots }) => ({
        ...trafficSurvey(slots),
        rule: await notOurs(() => world.#call('traffic.weights', () => world.rule)),
      }),
    };
    const imagePlatforms: ImagePlatforms = {
      platforms: () => world.#call('images.platforms', () => [fleetSurvey.task.platform]),
    };
    const executions: Executions = {
      status: (arn) => world.#call('executions.status', () => world.executions.get(arn) ?? 'RUNNING'),
      start: (machine, name, input) =>
        world.#call('executions.start', () => {
          if (!world.started.has(name)) world.started.set(name, { machine, input });
        }),
    };
    const images: Images = {
      find: (_, reference) =>
        world.#call('images.find', () =>
          world.registry.find((image) =>
            'tag' in reference ? image.tags.includes(reference.tag) : image.digest === reference.digest,
          ),
        ),
      tagged: () => world.#call('images.tagged', () => world.registry.filter(({ tags }) => tags.length > 0)),
      existing: (_, digests) =>
        world.#call('images.existing', () => {
          const all = new Set(world.registry.map(({ digest }) => digest));
          return new Set(digests.filter((digest) => all.has(digest)));
        }),
      tag: (_, digest, tag) => world.#call('images.tag', () => world.#retag(digest, tag)),
      untag: (_, tag) => world.#call('images.untag', () => world.#retag(undefined, tag)),
    };
    const settings: Settings = {
      read: () => world.#call('settings.read', () => world.settings),
      list: () => world.#call('settings.list', () => (world.settings === undefined ? [] : ['web'])),
    };
    const history: History = {
      tell: async (chapter) => {
        if (!world.told.some(({ id }) => id === chapter.id)) world.told.push(chapter);
      },
    };
    const announcer: Announcer = { publish: async (message) => void world.said.push(message) };
    return {
      ledger,
      traffic,
      trafficSurveyor,
      fleet,
      fleetSurveyor,
      images,
      imagePlatforms,
      imageChecks,
      scaling,
      witness,
      hooks,
      drains,
      requests,
      metrics,
      alarms,
      waits,
      settings,
      history,
      announcer,
      executions,
      deploy: 'deploy',
      recover: 'recover',
      retire: 'retire',
      sleep: async () => undefined,
      now: world.now,
    };
  })(this);

  #replace(service: ServiceName, before: ServiceItem, next: ServiceItem): boolean {
    const current = this.#items.get(service) ?? newServiceItem(service);
    if (current.version !== before.version) return false;
    this.#write(current, next);
    return true;
  }

  #write(before: ServiceItem, next: ServiceItem): void {
    this.#items.set(next.service, {
      ...serviceItem.parse(JSON.parse(JSON.stringify(next))),
      version: before.version + 1,
    });
    this.trace.push(`ledger: ${written(before, next)}`);
  }

  /** The tag names this digest and no other. */
  #retag(digest: RegistryImage['digest'] | undefined, tag: string): void {
    this.registry = this.registry.map((image) => {
      const others = image.tags.filter((each) => each !== tag);
      return { ...image, tags: image.digest === digest ? [...others, tag] : others };
    });
    this.trace.push(`registry: ${tag} ${digest === undefined ? 'taken off' : 'put on'}`);
  }

  /** What runs is moved into the bounds at once. */
  #scale(name: string, changes: Partial<Scaled>): void {
    const known = this.scaled.get(name) ?? { bounds: { minimum: 1, maximum: 1 }, like: name, schedule: null };
    const next = { ...known, ...changes };
    this.scaled.set(name, next);
    const { minimum, maximum } = next.bounds;
    const whose = changes.like === undefined ? '' : ` like ${changes.like}`;
    const schedule = changes.schedule == null ? '' : `, by the schedule of ${changes.schedule}`;
    this.trace.push(`scaling: ${name} ${minimum} to ${maximum}${whose}${schedule}`);
    const found = this.fleets.get(name);
    if (found === undefined) return;
    const desired = Math.min(Math.max(found.desired, minimum), maximum);
    if (desired !== found.desired) Object.assign(found, { desired, running: desired });
  }

  #release(name: string): void {
    if (this.scaled.delete(name)) this.trace.push(`scaling: ${name} released`);
  }

  #alarms(names: readonly string[]): AlarmState[] {
    return names.map((name) => ({
      ...(this.alarmStates.find((alarm) => alarm.name === name) ?? { name, state: 'missing', reason: '' }),
      since: this.alarmStates.find((alarm) => alarm.name === name)?.since ?? null,
    }));
  }

  #found({ fleet }: Pick<ServiceSettings, 'fleet'>, generation: Generation): Running | undefined {
    const found = this.fleets.get(generation.name);
    return found?.place === placeOf(generation, fleet) ? found : undefined;
  }

  #launch(
    { fleet }: ServiceSettings,
    generation: Generation,
    desired: number,
    copyOf: Generation | null,
  ): void {
    if (this.fleets.has(generation.name)) return;
    const { health, share = 1 } = this.launchesAs;
    const running = Math.floor(desired * share);
    this.fleets.set(generation.name, {
      generation,
      place: placeOf(generation, fleet),
      desired,
      running,
      health,
    });
    const like = copyOf === null ? '' : ` like ${copyOf.name}`;
    this.trace.push(`fleet: ${generation.name} launched with ${desired}${like}`);
  }

  #observe(found: Running | undefined): FleetState | undefined {
    if (found === undefined) return undefined;
    return { desired: found.desired, running: found.running, own: idsOf(found) };
  }

  #targets(slot: SlotName): TargetState[] {
    const own = [...this.fleets.values()].filter(({ generation }) => generation.slot === slot);
    return [
      ...own.flatMap((each) => idsOf(each).map((id) => ({ id, state: each.health }))),
      ...(this.strangers[slot] ?? []),
    ];
  }

  /** The first generation is live in blue with four tasks. */
  live(generation: Generation, desired = 4): void {
    const place = placeOf(generation, settingsOf().fleet);
    this.fleets.set(generation.name, { generation, place, desired, running: desired, health: 'healthy' });
  }

  /** Plans a push as the machine does; throws when nothing comes of it. */
  async plan(push: Push): Promise<Plan> {
    const event = ecrEvent(push);
    const admission = await planDeployment(
      { service: web, event, execution: { arn: execution(push.eventId), redrives: 0 } },
      this.ports,
    );
    if (admission.plan === null) throw new Error(admission.reason);
    return JSON.parse(JSON.stringify(admission.plan)) as Plan;
  }

  /** What was written since the last time. */
  written(): string[] {
    return this.trace.splice(0);
  }
}

/** All is well, and there is room. */
const fleetSurvey = {
  objections: [],
  task: { platform: { os: 'linux', architecture: 'amd64' }, size: 1 },
  places: { value: [{ name: 'subnet-a', zone: 'a', free: 1_000 }] },
  quota: { value: { name: 'tasks', unit: 'task', limit: 1_000, used: [0], minutes: 15 } },
} as const satisfies FleetSurvey;

function trafficSurvey(slots: TrafficSettings['slots']): Omit<TrafficSurvey, 'rule'> {
  const group = { targetType: 'ip', protocol: 'HTTP', healthChecked: true, balancers: ['app/main/1'] };
  return {
    balancer: 'app/main/1',
    slots: { value: slots.map(({ name, targetGroup }) => ({ name, targetGroup, group })) },
    limits: { value: { ofBalancer: 1_000, ofSlot: 1_000 } },
  };
}

/** As the adapter: what must be tried again is thrown. */
async function notOurs(read: () => Promise<Weights>): Promise<TrafficSurvey['rule']> {
  try {
    return { value: await read() };
  } catch (failure) {
    if (!(failure instanceof CutoverError) || failure.name === 'Cutover.AwsUnavailable') throw failure;
    return { unread: failure.message };
  }
}

function placeOf(generation: Generation, fleet: FleetSettings): string {
  return JSON.stringify(generation.fleet ?? fleet);
}

function idsOf({ generation, running }: Running): string[] {
  return Array.from({ length: running }, (_, index) => `${generation.name}-${index}`);
}

function ofDeployment(
  old: ServiceItem['deployment'],
  now: ServiceItem['deployment'],
): readonly (readonly [boolean, string | undefined])[] {
  return [
    [(now?.lastWords ?? null) !== (old?.lastWords ?? null), 'remembers'],
    [now?.outcome !== old?.outcome, now?.outcome ?? 'admitted'],
    [now?.latch !== old?.latch, 'latched'],
    [now?.phase !== old?.phase, now?.phase],
  ];
}

/** A write of the service item in a few words: the first that fits. */
function written(before: ServiceItem, after: ServiceItem): string {
  const { intent, wait, deployment, owner, intake } = after;
  const old = before.deployment;
  const words: readonly (readonly [boolean, string | undefined])[] = [
    [intent !== null && intent !== before.intent, `intends ${intent?.kind}`],
    [wait !== null && wait !== before.wait, `waits for ${wait?.for}`],
    ...ofDeployment(old, deployment),
    [owner !== before.owner, owner === null ? 'released' : 'taken'],
    [intake !== before.intake, intake?.admission],
    [after.retained.length < before.retained.length, 'forgotten'],
    [after.pending !== before.pending, 'pending'],
    [after.weights !== before.weights || intent !== before.intent, 'done'],
  ];
  return words.find(([fits]) => fits)?.[1] ?? 'changed';
}
