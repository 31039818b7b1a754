/** What a signal changes on the service item, and which wait it ends. A signal that comes twice changes nothing. */
import { redInWords } from './alarms.ts';
import type { ErrorName } from './errors.ts';
import { shortDigest } from './names.ts';
import type { Deployment, Latch, ServiceItem, Wait } from './service-item.ts';
import type { Signal } from './signal.ts';

/** Tasks stopping by themselves that count as a crash loop: ECS itself would go on launching for ever. */
const crashLoop = 3;

/** Events carry their time in whole seconds. One that is delivered twice, hours later, must not stop a later deployment. */
const eventResolutionMs = 1_000;

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
  const deployment = item.deployment;
  if (deployment === null || deployment.outcome !== null || item.owner === null) {
    return { item, end: undefined, remark: 'no deployment is running' };
  }
  if ('generation' in signal && signal.generation !== deployment.plan.to.name) {
    return { item, end: undefined, remark: `${signal.generation} is not the generation being deployed` };
  }
  if (
    signal.kind === 'abort' &&
    (signal.deployment ?? deployment.plan.deployment) !== deployment.plan.deployment
  ) {
    return { item, end: undefined, remark: `${signal.deployment} is not the deployment that runs` };
  }
  if (signal.kind === 'alarm' && deployment.plan.direction === 'back') {
    return { item, end: undefined, remark: `${signal.alarm} is red, which does not stop a rollback` };
  }
  if (signal.kind === 'alarm' && !deployment.plan.settings.alarms.includes(signal.alarm)) {
    return { item, end: undefined, remark: `${signal.alarm} is not an alarm of ${item.service}` };
  }
  if (signal.kind === 'alarm' && signal.at + eventResolutionMs <= deployment.startedAt) {
    return {
      item,
      end: undefined,
      remark: `the alarm ${signal.alarm} was red before this deployment began, when Plan asked for it`,
    };
  }
  const next = remembered(deployment.latch, signal, now);
  const changed = { ...item, deployment: { ...deployment, latch: next } };
  return {
    item: next === deployment.latch ? item : changed,
    end:
      deployment.phase === 'restoring' ? undefined : endOf(item.wait, { ...deployment, latch: next }, signal),
    remark: next === deployment.latch ? 'known before' : 'latched',
  };
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

function remembered(
  known: Latch,
  signal: Exclude<Signal, { kind: 'release' | 'collect' }>,
  now: number,
): Latch {
  switch (signal.kind) {
    case 'taskRunning':
      return known.running.includes(signal.task)
        ? known
        : { ...known, running: [...known.running, signal.task] };
    case 'taskStopped': {
      if (!signal.crashed || known.crashes.some(({ task }) => task === signal.task)) return known;
      const running = known.running.filter((task) => task !== signal.task);
      return { ...known, running, crashes: [...known.crashes, { task: signal.task, reason: signal.reason }] };
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
      return known;
  }
}

function endOf(wait: Wait | null, deployment: Deployment, signal: Signal): Latched['end'] {
  if (wait === null) return undefined;
  const stopped = stopReason(deployment.latch);
  if (stopped !== undefined) return { token: wait.token, ...stopped };
  if (wait.for !== 'healthy') return undefined;
  const allRan = deployment.desired !== null && deployment.latch.running.length >= deployment.desired;
  const look = (signal.kind === 'taskRunning' && allRan) || signal.kind === 'steady';
  return look ? { token: wait.token, error: 'Cutover.Woken', cause: 'all tasks run' } : undefined;
}

/** What the latched signals say against going on, in the order of their weight; undefined when nothing does. */
export function stopReason(known: Latch): { readonly error: ErrorName; readonly cause: string } | undefined {
  if (known.abort !== null) {
    return {
      error: 'Cutover.Aborted',
      cause: `${known.abort.by} ended the deployment: ${known.abort.reason}`,
    };
  }
  if (known.alarm !== null) return { error: 'Cutover.AlarmRed', cause: redInWords(known.alarm) };
  const last = known.crashes.at(-1);
  if (known.fleetFailed !== null) {
    const crash = last === undefined ? '' : `; the last task that stopped by itself: ${last.reason}`;
    return {
      error: 'Cutover.Unhealthy',
      cause: `ECS gave the new generation up: ${known.fleetFailed.replace(/\.+$/, '')}${crash}`,
    };
  }
  if (last !== undefined && known.crashes.length >= crashLoop) {
    return {
      error: 'Cutover.Unhealthy',
      cause: `${known.crashes.length} tasks of the new generation stopped by themselves; the last one: ${last.reason}`,
    };
  }
  return undefined;
}
