/** What a signal changes on the service item, and which wait it ends. A signal that comes twice changes nothing. */

import { waitsForHand, answered as withAnswer } from '../deployment/hold.ts';
import { approved, mustBeApproved } from '../deployment/pause.ts';
import { type ErrorName, shortened } from '../errors.ts';
import { draining } from '../fleet/drain.ts';
import { unitOf } from '../fleet/unit.ts';
import { redInWords } from '../gates/alarms.ts';
import { waiving } from '../gates/waiver.ts';
import { answering, refusal, stopsAt } from '../hooks/hook.ts';
import type { Deployment, Latch, ServiceItem, Wait } from '../ledger/service-item.ts';
import { shortDigest } from '../names.ts';
import type { Signal } from './signal.ts';

/** Tasks stopping by themselves that count as a crash loop: ECS itself would go on launching for ever. */
const crashLoop = 3;

/** A moment without capacity passes; what still stands after so many tries does not. */
const triesToLaunch = 3;

/** A generation that is not ended for days goes on crashing, and the item has 400 KB: more of them say nothing new. */
const mostKept = 10;

/** Of tasks that run, whose number is compared: all that must, and at least so many. While that is not known, as a service may have. */
const leastTasks = 500;
const mostTasks = 5_000;

/** Events carry their time in whole seconds. One that is delivered twice, hours later, must not stop a later deployment. */
const eventResolutionMs = 1_000;

/** The others are about the service, whether or not anything is deployed. */
type SignalToDeployment = Exclude<Signal, { kind: 'release' | 'collect' | 'waive' | 'answer' | 'drain' }>;

export interface Latched {
  readonly item: ServiceItem;
  /** The wait to end, and how; undefined when the signal only has to be remembered, or says nothing new. */
  readonly end: { readonly token: string; readonly error: ErrorName; readonly cause: string } | undefined;
  /** What came of the signal, in words. */
  readonly remark: string;
}

export function latch(item: ServiceItem, signal: Signal, now: number): Latched {
  if (signal.kind === 'release') return release(item, signal);
  if (signal.kind === 'collect') return collecting(item, signal.by, now);
  if (signal.kind === 'drain') return { ...draining(item, signal, now), end: undefined };
  if (signal.kind === 'answer') return answeredBy(item, signal, now);
  if (signal.kind === 'waive') {
    const { by, reason } = signal;
    return { ...waiving(item, { by, reason, at: now }), end: undefined };
  }
  const deployment = item.deployment;
  if (deployment === null || deployment.outcome !== null || item.owner === null) {
    const remark =
      item.version === 0 ? 'nothing was ever pushed to a service of that name' : 'no deployment is running';
    return { item, end: undefined, remark };
  }
  const beside = unconcerned(item, deployment, signal);
  if (beside !== undefined) return { item, end: undefined, remark: beside };
  const word = heard(item, deployment, signal, now);
  const next = { ...word, latch: remembered(word, signal, now) };
  const known = next.latch === deployment.latch && next.hold === deployment.hold;
  return {
    item: known ? item : { ...item, deployment: next },
    end: endOf(item.wait, next, signal),
    remark: known ? 'known before' : 'latched',
  };
}

/** What a hook says of a step ends its bake, or has it looked at; before the first weight the machine comes again by itself. */
function answeredBy(
  item: ServiceItem,
  { key, verdict, reason }: Extract<Signal, { kind: 'answer' }>,
  now: number,
): Latched {
  const answered = answering(item, key, { verdict, reason: shortened(reason), at: now });
  if (answered === undefined) return { item, end: undefined, remark: unasked(item, key) };
  const { item: next, run } = answered;
  const { wait, deployment } = next;
  const remark = next === item ? 'known before' : `the hook ${run.hook} says ${verdict}`;
  const isOurs = deployment?.plan.deployment === run.deployment && deployment.outcome === null;
  if (!isOurs || wait?.for !== 'bake' || run.stage !== 'step') return { item: next, end: undefined, remark };
  const words = refusal(run, now);
  if (words === undefined || !stopsAt(deployment.plan.settings.hooks, run))
    return { item: next, end: { token: wait.token, error: 'Cutover.Woken', cause: remark }, remark };
  return { item: next, end: { token: wait.token, error: 'Cutover.GateFailed', cause: words }, remark };
}

function unasked({ hooks }: ServiceItem, key: string): string {
  const open = hooks.filter(({ answer }) => answer === null).map((run) => run.key);
  return `no hook is asked as ${key}; ${open.length === 0 ? 'no hook has an answer to give' : `to be answered: ${open.join(', ')}`}`;
}

/** Why the signal is nothing to this deployment; undefined when it is something. */
function unconcerned(
  item: ServiceItem,
  deployment: Deployment,
  signal: SignalToDeployment,
): string | undefined {
  const { plan, startedAt } = deployment;
  switch (signal.kind) {
    case 'alarm':
      if (plan.direction === 'back') return `${signal.alarm} is red, which does not stop a rollback`;
      if (!plan.settings.alarms.includes(signal.alarm))
        return `${signal.alarm} is not an alarm of ${item.service}`;
      return signal.at + eventResolutionMs <= startedAt
        ? `the alarm ${signal.alarm} was red before this deployment began, when Plan asked for it`
        : undefined;
    case 'abort':
    case 'resume':
    case 'approve':
      if ((signal.deployment ?? plan.deployment) !== plan.deployment)
        return `${signal.deployment} is not the deployment that runs`;
      if (signal.kind === 'approve') return unapprovable(deployment);
      return signal.kind === 'resume' && !waitsForHand(item) ? "waits for nobody's word" : undefined;
    case 'noRoom':
    case 'notLaunched':
    case 'taskRunning':
    case 'taskStopped':
    case 'fleetFailed':
    case 'steady':
      return besideFleet(deployment, signal);
  }
}

function besideFleet(
  { plan, step }: Deployment,
  { kind, generation }: Extract<SignalToDeployment, { readonly generation: unknown }>,
): string | undefined {
  if (generation !== plan.to.name) return `${generation} is not the generation being deployed`;
  // Later it has what it needs: no room for more is what its health, or that of its growth, will show.
  return (kind === 'noRoom' || kind === 'notLaunched') && step >= 0
    ? `${generation} takes traffic already`
    : undefined;
}

/** Why there is nothing to approve; undefined when there is. */
function unapprovable(deployment: Deployment): string | undefined {
  const { plan, phase, step } = deployment;
  if (phase === 'baking' && mustBeApproved(deployment)) return undefined;
  const percent = plan.steps[step]?.weightPercent;
  return percent === undefined || phase !== 'baking'
    ? `is ${phase}: no step stands that could be approved`
    : `needs no approval to go on from ${percent} %`;
}

/** A person's word to what waits for one: to abort is an answer too. */
function heard(item: ServiceItem, deployment: Deployment, signal: Signal, now: number): Deployment {
  if (signal.kind === 'approve') {
    const { by, reason } = signal;
    return approved(deployment, { by, reason, at: now });
  }
  if (signal.kind !== 'abort' && signal.kind !== 'resume') return deployment;
  if (!waitsForHand(item)) return deployment;
  return withAnswer(deployment, { by: signal.by, reason: signal.reason, at: now });
}

/** What a person ordered is not, nor what goes back already. */
export function mayBeSuperseded({ plan, phase, turned }: Deployment): boolean {
  return plan.direction === 'forward' && phase !== 'restoring' && turned === null;
}

/** A newer push takes the deployment's place. A repeat ends its wait again. */
export function supersede(item: ServiceItem, image: string, now: number): Pick<Latched, 'item' | 'end'> {
  const { deployment } = item;
  if (deployment === null || !mayBeSuperseded(deployment)) return { item, end: undefined };
  const known = deployment.latch;
  const next = known.superseded === null ? { ...known, superseded: { image, at: now } } : known;
  const changed = { ...deployment, latch: next };
  return { item: next === known ? item : { ...item, deployment: changed }, end: stopOf(item.wait, changed) };
}

/** Digests that a rollback left may be deployed again: one, or all. */
function release(item: ServiceItem, { digest }: Extract<Signal, { kind: 'release' }>): Latched {
  const held = digest === undefined ? [] : item.held.filter((each) => each.digest !== digest);
  if (held.length === item.held.length)
    return {
      item,
      end: undefined,
      remark: digest === undefined ? 'nothing is held' : `${shortDigest(digest)} is not held`,
    };
  const gone = item.held.filter((each) => !held.includes(each)).map((each) => shortDigest(each.digest));
  return { item: { ...item, held }, end: undefined, remark: `released ${gone.join(', ')}` };
}

/** What nothing references is to be ended: the sweep starts that, and each is looked at again right before. */
function collecting(item: ServiceItem, by: string, now: number): Latched {
  const names = item.orphans.map(({ name }) => name).join(', ');
  if (item.orphans.length === 0) return { item, end: undefined, remark: 'nothing is orphaned' };
  if (item.collect !== null) return { item, end: undefined, remark: `${names} are to be ended already` };
  return {
    item: { ...item, collect: { by, at: now } },
    end: undefined,
    remark: `${names}: to be ended within minutes`,
  };
}

function remembered({ latch: known, desired }: Deployment, signal: SignalToDeployment, now: number): Latch {
  switch (signal.kind) {
    case 'taskRunning':
      return known.running.includes(signal.task)
        ? known
        : {
            ...known,
            // There is room after all, be it in another zone: only what fails again and again, and nothing else, is hopeless.
            notLaunched: [],
            running: newest(known.running, signal.task, Math.max(desired ?? mostTasks, leastTasks)),
          };
    case 'taskStopped': {
      if (!signal.crashed || known.crashes.some(({ task }) => task === signal.task)) return known;
      const running = known.running.filter((task) => task !== signal.task);
      const crash = { task: signal.task, reason: shortened(signal.reason) };
      return { ...known, running, crashes: newest(known.crashes, crash) };
    }
    case 'noRoom':
    case 'notLaunched': {
      const { kind, event } = signal;
      if (known[kind].some((each) => each.event === event)) return known;
      return { ...known, [kind]: newest(known[kind], { event, reason: shortened(signal.reason) }) };
    }
    case 'fleetFailed':
      return known.fleetFailed === null ? { ...known, fleetFailed: signal.reason } : known;
    case 'alarm':
      return known.alarm === null
        ? { ...known, alarm: { name: signal.alarm, reason: signal.reason, at: signal.at } }
        : known;
    case 'abort':
      return known.abort === null
        ? { ...known, abort: { by: signal.by, reason: signal.reason, at: now } }
        : known;
    case 'steady':
    case 'resume':
    case 'approve':
      return known;
  }
}

function newest<T>(known: readonly T[], next: T, most = mostKept): T[] {
  return [...known, next].slice(-most);
}

function endOf(wait: Wait | null, deployment: Deployment, signal: Signal): Latched['end'] {
  const stop = stopOf(wait, deployment);
  if (stop !== undefined || deployment.phase === 'restoring') return stop;
  if (signal.kind === 'approve' && wait?.for === 'bake') {
    return { token: wait.token, error: 'Cutover.Woken', cause: `${signal.by} approved: ${signal.reason}` };
  }
  if (wait?.for !== 'healthy') return undefined;
  const allRan = deployment.desired !== null && deployment.latch.running.length >= deployment.desired;
  const look = (signal.kind === 'taskRunning' && allRan) || signal.kind === 'steady';
  return look
    ? { token: wait.token, error: 'Cutover.Woken', cause: `all ${unitOf(deployment.plan.settings)}s run` }
    : undefined;
}

/** A wait for a person ends by their word alone: what turns red meanwhile must not overwrite what they changed. */
function stopOf(wait: Wait | null, deployment: Deployment): Latched['end'] {
  const { latch: known, hold, phase } = deployment;
  if (wait?.for === 'hand') {
    const answer = hold?.answer;
    if (answer == null) return undefined;
    const aborted = hold?.kind === 'held' && known.abort !== null ? stopReason(deployment) : undefined;
    const go = { error: 'Cutover.Woken', cause: `${answer.by} said to go on: ${answer.reason}` } as const;
    return { token: wait.token, ...(aborted ?? go) };
  }
  const stopped = stopReason(deployment);
  if (wait === null || phase === 'restoring' || stopped === undefined) return undefined;
  return { token: wait.token, ...stopped };
}

/** What the latched signals say against going on, in the order of their weight; undefined when nothing does. */
export function stopReason({
  latch: known,
  plan: { settings },
}: Pick<Deployment, 'latch' | 'plan'>): { readonly error: ErrorName; readonly cause: string } | undefined {
  const unit = unitOf(settings);
  if (known.abort !== null) {
    return {
      error: 'Cutover.Aborted',
      cause: `${known.abort.by} ended the deployment: ${known.abort.reason}`,
    };
  }
  if (known.alarm !== null) return { error: 'Cutover.AlarmRed', cause: redInWords(known.alarm) };
  const last = known.crashes.at(-1);
  if (known.fleetFailed !== null) {
    const crash = last === undefined ? '' : `; the last ${unit} that stopped by itself: ${last.reason}`;
    return {
      error: 'Cutover.Unhealthy',
      cause: `ECS gave the new generation up: ${known.fleetFailed.replace(/\.+$/, '')}${crash}`,
    };
  }
  if (last !== undefined && known.crashes.length >= crashLoop) {
    return {
      error: 'Cutover.Unhealthy',
      cause: `${known.crashes.length} ${unit}s of the new generation stopped by themselves; the last one: ${last.reason}`,
    };
  }
  const room = known.noRoom.at(-1);
  if (room !== undefined && known.noRoom.length >= triesToLaunch) {
    return {
      error: 'Cutover.Unhealthy',
      cause: `no room was found for its tasks, ${known.noRoom.length} times: ${room.reason.replace(/\.+$/, '')}. It is capacity or a quota: ask for a larger quota, or give the service other subnets or a smaller task`,
    };
  }
  const unlaunched = known.notLaunched.at(-1);
  if (unlaunched !== undefined && known.notLaunched.length >= triesToLaunch) {
    return {
      error: 'Cutover.Unhealthy',
      cause: `${known.notLaunched.length} launches of instances of the new generation failed; the last one: ${unlaunched.reason.replace(/\.+$/, '')}`,
    };
  }
  if (known.superseded !== null) {
    return { error: 'Cutover.Superseded', cause: `${known.superseded.image} takes its place` };
  }
  return undefined;
}

/** What the fleet met once or twice, too seldom to stop for it, as the end of a sentence about a generation that did not come. */
export function troubleInWords({
  latch: { crashes, noRoom, notLaunched },
  plan: { settings },
}: Pick<Deployment, 'latch' | 'plan'>): string {
  const unit = unitOf(settings);
  const met = [
    ...notLaunched.slice(-1).map(({ reason }) => `an ${unit} could not be launched: ${reason}`),
    ...noRoom.slice(-1).map(({ reason }) => `no room was found for a ${unit}: ${reason}`),
    ...crashes.slice(-1).map(({ reason }) => `the last ${unit} that stopped by itself: ${reason}`),
  ];
  return met.map((words) => `; ${words.replace(/\.+$/, '')}`).join('');
}
