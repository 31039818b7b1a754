/**
 * Ends the generations whose retention is over and the orphans that somebody wants ended, makes those small that the service
 * wants small, and says when to come again. Ends and shrinks nothing that requests still reach. Runs in the same function as
 * `terminate`. Holds
 * the service while it writes; waits while a deployment holds it. A repeat finds them gone.
 */
import * as z from 'zod';
import { retired, retiring } from '../core/deployment/course.ts';
import {
  againMs,
  due,
  dueForVisit,
  nextVisit,
  putOff,
  type Retained,
  small,
  stillEnding,
} from '../core/deployment/retention.ts';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import { collected } from '../core/fleet/orphans.ts';
import { unitOf } from '../core/fleet/unit.ts';
import { asking, hooksVerdict, nextLook } from '../core/hooks/hook.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { type GenerationName, serviceName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { judgedFrom } from '../core/traffic/quiet.ts';
import { type Collected, collect } from './collect.ts';
import { lingeringRequests } from './lingering.ts';
import { giveTestersBack, refuseWhileWeighted, type TerminatePorts } from './terminate.ts';

/**
 * What is live gets the schedule of the generation that it replaced, which ends with that: the sweep, which comes every five minutes,
 * gives it from when on the weights have settled. That AWS does not let it keeps nothing for longer.
 */
const handOverMs = 900_000;

export const retireInput = z.object({ service: serviceName, execution: z.string() });
type RetireInput = z.infer<typeof retireInput>;

export interface RetireOutput {
  readonly retired: readonly string[];
  /** Orphans that were ended, or were gone; why others were left. Absent when nobody ordered it. */
  readonly collected?: Omit<Collected, 'isDone'>;
  /** ISO time of the next visit; null when nothing is retained. */
  readonly next: string | null;
}

export async function retire(
  { service, execution }: RetireInput,
  ports: TerminatePorts,
): Promise<RetireOutput> {
  const item = await ports.ledger.read(service);
  const now = ports.now();
  const settled = judgedFrom(item.weightsAt ?? 0);
  // What this execution holds from a try that was killed must be given back, whatever is due by now.
  if (item.owner?.execution !== execution) {
    if (item.owner !== null) return { retired: [], next: visit(item, afterBusy(item, now)) };
    if (now < settled) return { retired: [], next: visit(item, settled) };
    if (dueForVisit(item.retained, now).length === 0 && item.collect === null)
      return { retired: [], next: visit(item, now) };
    if (item.bounds !== null && now < settled + handOverMs)
      return { retired: [], next: visit(item, now + againMs(0)) };
  }

  const gone: GenerationName[] = [];
  const stayed: Retained[] = [];
  let swept: Collected | undefined;
  const held = await ports.ledger.change(service, (current) => ({ item: retiring(current, execution, now) }));
  try {
    // Decided on what is held, not on what was read before: a rollback may have made one of them live again.
    for (const each of dueForVisit(held.item.retained, now)) {
      const stays = await attend(each, held.item, ports);
      if (stays === undefined) gone.push(each.generation.name);
      else stayed.push(stays);
    }
    if (held.item.collect !== null) swept = await collect(held.item, settingsOf(held.item), ports);
  } finally {
    // Also when AWS refused half-way: the service must not stay held by a retirement.
    await ports.ledger.change(service, (current) => {
      const item = retired(current, execution, gone, stayed);
      return { item: swept === undefined ? item : collected(item, swept.gone, swept.isDone) };
    });
  }
  // What is due and stayed is ending: its instances drain, which may take days.
  const ending = due(stayed, now).map(({ until }) => againMs(now - until));
  const earliest = now + Math.min(...(ending.length === 0 ? [0] : ending));
  return {
    retired: gone,
    ...(swept && { collected: { gone: swept.gone, left: swept.left } }),
    next: visit(await ports.ledger.read(service), earliest),
  };
}

function settingsOf({ service, deployment }: ServiceItem): ServiceSettings {
  if (deployment !== null) return deployment.plan.settings;
  throw new CutoverError(
    'Cutover.Guarded',
    `${service} has generations to end, but no deployment that says where they run`,
  );
}

/** Ends it, or makes it small: undefined when it is ended, else what it became. */
async function attend(
  each: Retained,
  item: ServiceItem,
  ports: TerminatePorts,
): Promise<Retained | undefined> {
  const { generation } = each;
  const { weightsAt, live } = item;
  const settings = settingsOf(item);
  await refuseWhileWeighted(ports.traffic, settings.traffic, generation);
  // After a rollback the test listener still leads to what was left, for that takes no call that it can do without.
  if (live !== null) await giveTestersBack(settings, live, ports.traffic);
  const requests = await lingeringRequests(settings.traffic, generation, weightsAt ?? 0, ports);
  if (requests > 0) return putOff(each, ports.now());
  if (due([each], ports.now()).length > 0) {
    const look = await handedOver(generation, item, ports);
    if (look !== null) return { ...each, until: look };
    await ports.scaling.release(settings, generation);
    const ending = await ports.fleet.terminate(settings, generation);
    return ending === 'ended' ? undefined : stillEnding(each, unitOf(settings), ports.now());
  }
  const floor = settings.retentionFloor;
  if (floor === null) return small(each);
  // Nothing makes it larger again, its schedule least of all. When it is gone back to, it scales as what was live does.
  await ports.scaling.release(settings, generation);
  const size = (await ports.fleet.wanted(settings, generation)) ?? 0;
  // Never larger: it may be smaller already, by autoscaling or by hand.
  if (size > floor) await ports.fleet.resize(settings, generation, floor);
  return small(each);
}

/** Its hooks are told that it is to be ended: when to look again whether all have answered; null once they have, or their time is up. */
async function handedOver(
  generation: Generation,
  { service, deployment }: ServiceItem,
  { ledger, now }: TerminatePorts,
): Promise<number | null> {
  const plan = deployment?.plan;
  if (plan === undefined || !plan.settings.hooks.some(({ stage }) => stage === 'draining')) return null;
  const asked = { stage: 'draining', generation } as const;
  const { item } = await ledger.change(service, (current) => ({ item: asking(current, plan, asked, now()) }));
  return hooksVerdict(item, plan, asked, now()).verdict === 'wait'
    ? nextLook(item, plan, asked, now())
    : null;
}

function afterBusy({ retained }: ServiceItem, now: number): number {
  return now + againMs(now - (nextVisit(retained) ?? now));
}

function visit({ retained }: ServiceItem, earliest: number): string | null {
  const next = nextVisit(retained);
  return next === null ? null : new Date(Math.max(next, earliest)).toISOString();
}
