/**
 * The embedded AWS in the simulated world: the same services, template and functions, in one process under virtual time. What
 * tasks, images and the load balancer's data plane do is a model; every chance is drawn from one seed.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { createRegion, type Region, type RegionOptions } from '../region.ts';
import { BlobStore } from '../registry/blob-store.ts';
import type { Outputs } from '../services/cloudformation/provision.ts';
import type { CodePackage, Packages } from '../services/lambda/code.ts';
import { type Checked, checkDefinition } from '../services/states/check/check.ts';
import type { StatesOptions } from '../services/states/service.ts';
import type { BehaviourOf } from './behaviour.ts';
import { type Entries, functionHost } from './function-host.ts';
import { ModelledBalancer } from './modelled-balancer.ts';
import { ModelledImages, modelledConfiguration, pushModelledImage } from './modelled-images.ts';
import { ModelledMachines } from './modelled-machines.ts';
import { ModelledTasks } from './modelled-tasks.ts';
import { type CallFault, type CallPoint, Network } from './network.ts';
import { replaceRandom, seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface SimulatedAwsOptions extends Pick<RegionOptions, 'onEvent' | 'deliveries' | 'invoking'> {
  readonly seed: number;
  /** The functions' entries, from their sources or from a bundle. */
  readonly entries: Entries;
  readonly behaviourOf: BehaviourOf;
  /** Asked for each call of a function. */
  readonly faultOf?: (point: CallPoint) => CallFault | undefined;
  readonly onTransition?: StatesOptions['onTransition'];
  /** Why Fargate has no room for a task, and EC2 for an instance, now; undefined when it has. */
  readonly placementFailure?: () => string | undefined;
  /** How far the clock of Step Functions is ahead of the functions', in milliseconds. */
  readonly skewMs?: number;
}

export interface SimulatedAws extends Omit<Region, 'bootstrap' | 'provision' | 'close'> {
  readonly clock: VirtualClock;
  readonly balancer: ModelledBalancer;
  readonly tasks: ModelledTasks;
  readonly random: () => number;
  /** What the embedded AWS itself did wrong. */
  readonly failures: readonly unknown[];
  readonly outputs: ReadonlyMap<string, Outputs>;
  /** Lets time pass until the promise settles, at most `limitMs` of the clock. */
  until<T>(promise: Promise<T>, limitMs?: number): Promise<T>;
  /** As a push of an image ends: ECR announces it. Returns the digest. */
  push(image: { readonly repository: string; readonly tag: string; readonly content: string }): string;
  /** Ends everything and gives the real time and chance back. */
  close(): Promise<void>;
}

/** 2026-01-05, a Monday, at noon UTC. */
const beginning = Date.UTC(2026, 0, 5, 12);
const endpoint = 'http://127.0.0.1';
const answerPath = '/cloudformation/response/';
const patienceMs = 3_600_000;

/** Every account is provisioned alike, so names, and with them definitions, are the same in all. */
const provisioningSeed = 1;

/** Definitions are few and their check is slow. */
const checked = new Map<string, Checked>();

/** Provisions an assembly into a new simulated account. One at a time: time and chance are those of the whole process. */
export async function createSimulatedAws(
  assembly: string,
  options: SimulatedAwsOptions,
): Promise<SimulatedAws> {
  const failures: unknown[] = [];
  const onFailure = (failure: unknown): void => void failures.push(failure);
  const folder = await mkdtemp(join(tmpdir(), 'cutover-simulated-'));
  const blobs = await BlobStore.create(folder);
  const random = seededRandom(provisioningSeed);
  const giveBack = replaceProcess(random);
  const clock = new VirtualClock({ start: beginning, onFailure });
  const { behaviourOf, faultOf, onEvent, onTransition, deliveries, invoking, placementFailure } = options;
  const tasks = new ModelledTasks({ clock, behaviourOf });
  const balancer = new ModelledBalancer({ clock, random, targets: tasks });
  const network = new Network({
    clock,
    dispatcher: () => region.dispatcher,
    endpoint,
    random,
    faultOf: faultOf ?? (() => undefined),
  });
  let images: ModelledImages;
  const region = createRegion({
    clock,
    endpoint: () => endpoint,
    blobs,
    onFailure,
    onEvent,
    deliveries,
    ecs: (registry) => {
      images = new ModelledImages({ clock, registry, behaviourOf });
      return {
        tasks,
        images,
        random,
        ...(placementFailure && { placementFailure }),
      };
    },
    autoscaling: {
      random,
      instances: new ModelledMachines({ clock, tasks, images: () => images, refusal: placementFailure }),
    },
    elbv2: { random, dataPlane: ({ onCounts }) => balancer.reportTo(onCounts) },
    lambda: { random, packages: unopened, makeEnvironment: functionHost(options.entries, () => network) },
    states: {
      random,
      check: remembered,
      clock: skewed(clock, options.skewMs ?? 0),
      ...(onTransition && { onTransition }),
    },
    ...(invoking && { invoking }),
  });
  globalThis.fetch = (url, request) => answered(region, url, request?.body);
  const until = async <T>(promise: Promise<T>, limitMs = patienceMs): Promise<T> => {
    let settled = false;
    const settle = (): void => {
      settled = true;
    };
    promise.then(settle, settle);
    await clock.pass(() => settled, limitMs);
    return promise;
  };
  const close = async (): Promise<void> => {
    await region.close();
    await tasks.close();
    clock.uninstall();
    giveBack();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // Modules load in real time, which the virtual clock does not see everywhere.
    await region.dispatcher.load();
    await until(region.bootstrap());
    const outputs = await until(region.provision(assembly));
    random.seed(options.seed);
    return {
      ...region,
      clock,
      balancer,
      tasks,
      random,
      failures,
      outputs,
      until,
      push: (image) => pushModelledImage(region.registry, image),
      close,
    };
  } catch (failure) {
    await close();
    throw failure;
  }
}

/** The same time, told differently. */
function skewed(clock: Clock, ms: number): Clock {
  return {
    now: () => clock.now() + ms,
    after: (delay, run) => clock.after(delay, run),
    sleep: (delay) => clock.sleep(delay),
    busy: (work) => clock.busy(work),
  };
}

/** Chance, the network and the log of the whole process; the returned function gives them back. */
function replaceProcess(random: () => number): () => void {
  const { fetch } = globalThis;
  const level = process.env['POWERTOOLS_LOG_LEVEL'];
  const giveRandomBack = replaceRandom(random);
  // Functions log to this process's own output, where nobody reads it.
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  return () => {
    globalThis.fetch = fetch;
    if (level === undefined) delete process.env['POWERTOOLS_LOG_LEVEL'];
    else process.env['POWERTOOLS_LOG_LEVEL'] = level;
    giveRandomBack();
  };
}

/**
 * What functions request without an SDK client, each by a pre-signed URL: custom resources answer CloudFormation, and the
 * configuration of an image is read.
 */
async function answered({ cloudformation }: Region, url: unknown, body: unknown): Promise<Response> {
  const pathname = typeof url === 'string' ? new URL(url).pathname : '';
  if (/^\/v2\/.+\/blobs\/sha256:/.test(pathname) && body === undefined)
    return new Response(modelledConfiguration);
  if (!pathname.startsWith(answerPath) || typeof body !== 'string')
    throw new TypeError(`nothing in the simulated world answers ${pathname}`);
  const known = cloudformation.receiveResponse(pathname.slice(answerPath.length), body);
  return new Response(null, { status: known ? 200 : 403 });
}

function remembered(definition: string): Checked {
  const known = checked.get(definition) ?? checkDefinition(definition);
  checked.set(definition, known);
  return known;
}

/** The entries are at hand: what the template names is not unpacked. Assets are named by their content. */
const unopened: Packages = {
  load: async ({ S3Bucket = '', S3Key = '', ZipFile = new Uint8Array() }): Promise<CodePackage> => {
    const sha256 = createHash('sha256').update(`${S3Bucket}/${S3Key}`).update(ZipFile).digest('base64');
    return { sha256, size: ZipFile.byteLength, taskRoot: '' };
  },
  close: async () => undefined,
};
