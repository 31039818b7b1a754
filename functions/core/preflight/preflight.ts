/**
 * All that stands against launching a generation, at once and in words, judged from what was seen before anything is
 * launched. What protects the traffic refuses also when it could not be read; what protects only the speed of a failure then
 * warns.
 */

import { type Unit, unitOf } from '../fleet/unit.ts';
import { type AlarmState, saysNo } from '../gates/alarms.ts';
import type { TargetState } from '../gates/health.ts';
import { type Digest, type GenerationName, isAmi } from '../names.ts';
import type { Reading } from '../reading.ts';
import type { ServiceSettings } from '../service-settings.ts';
import type { Weights } from '../traffic/weights.ts';
import { type Platform, unfitAmi, unfitPlatform } from './image-platform.ts';
import { type Objection, unchecked } from './objection.ts';
import { addressesFor, type Place, type Quota, quotaFor, type TargetLimits, targetsFor } from './room.ts';
import { type SlotState, unfitSlots } from './slot-state.ts';

export interface Seen {
  readonly image: SeenImage;
  readonly alarms: readonly AlarmState[];
  /** Null: nothing is live. */
  readonly live: Reading<LiveState | null>;
  readonly fleet: FleetSurvey;
  readonly traffic: TrafficSurvey;
}

interface SeenImage {
  /** `web:v2` */
  readonly name: string;
  readonly digest: Digest;
  /** What it runs on; undefined when the registry does not show it (yet). */
  readonly platforms: Reading<readonly Platform[] | undefined>;
}

export interface LiveState {
  readonly name: GenerationName;
  /** Undefined when it does not exist (any more). */
  readonly wanted: number | undefined;
  /** Of its slot. */
  readonly targets: readonly TargetState[];
}

/** What the fleet sees of the place where a generation is to run. */
export interface FleetSurvey {
  /** What it finds wrong by itself, whatever image and count. */
  readonly objections: readonly Objection[];
  /** What a task, or an instance, is; undefined when that could not be read, which is one of the objections. */
  readonly task: { readonly platform: Platform; readonly size: number } | undefined;
  readonly places: Reading<readonly Place[]>;
  /** What `size` counts against. */
  readonly quota: Reading<Quota>;
}

/** What the load balancer's side sees of the production rule and the slots. */
export interface TrafficSurvey {
  /** As `Traffic.weights` reads it: unread also when the rule is not ours. */
  readonly rule: Reading<Weights>;
  /** The balancer of the production rule. */
  readonly balancer: string;
  readonly slots: Reading<readonly SlotState[]>;
  readonly limits: Reading<TargetLimits>;
}

/** How large the new generation starts: as the live one is wanted now, and never below the declared least. */
export function sizeFor({ minimumCount }: Pick<ServiceSettings, 'minimumCount'>, live: Seen['live']): number {
  return Math.max('value' in live ? (live.value?.wanted ?? 0) : 0, minimumCount);
}

export function objectionsTo(
  seen: Seen,
  settings: Pick<ServiceSettings, 'minimumCount' | 'alarmPolicy' | 'fleet'>,
): readonly Objection[] {
  const { image, alarms, live, fleet, traffic } = seen;
  const count = sizeFor(settings, live);
  const unit = unitOf(settings);
  return [
    ...ofAlarms(alarms, settings),
    ...ofTraffic(traffic, unit),
    ...ofImage(image, fleet.task?.platform, unit),
    ...fleet.objections,
    ...ofRoom(count, seen, unit),
    ...ofLive(live, unit),
  ];
}

function ofAlarms(
  alarms: readonly AlarmState[],
  { alarmPolicy }: Pick<ServiceSettings, 'alarmPolicy'>,
): Objection[] {
  return alarms.flatMap((alarm): Objection[] => {
    const words = saysNo(alarm, alarmPolicy);
    if (words === undefined) return [];
    if (alarm.state !== 'ALARM') return [refused('alarms', words)];
    if (alarmPolicy.redAtStart === 'ignore')
      return [{ severity: 'warn', check: 'alarms', words: `${words}; it counts once it was green` }];
    return [{ ...refused('alarms', words), redAlarm: alarm.name }];
  });
}

function ofTraffic({ rule, balancer, slots }: TrafficSurvey, unit: Unit): readonly Objection[] {
  return [
    ...('unread' in rule ? [refused('rule', rule.unread)] : []),
    ...('unread' in slots ? [refused('slots', slots.unread)] : unfitSlots(balancer, slots.value, unit)),
  ];
}

function refused(check: Objection['check'], words: string): Objection {
  return { severity: 'refuse', check, words };
}

function ofImage(
  { name, digest, platforms }: SeenImage,
  wanted: Platform | undefined,
  unit: Unit,
): Objection[] {
  const what = `the platform of ${name} was`;
  if ('unread' in platforms) return [unchecked('image', what, platforms.unread)];
  if (platforms.value === undefined)
    return [unchecked('image', what, 'the registry does not show the image yet')];
  // Why it is not known stands among the fleet's objections.
  if (wanted === undefined) return [];
  const unfit = isAmi(digest)
    ? unfitAmi(name, platforms.value, wanted)
    : unfitPlatform(name, platforms.value, wanted, unit);
  return unfit === undefined ? [] : [unfit];
}

function ofRoom(
  count: number,
  { fleet: { task, places, quota }, traffic, live }: Seen,
  unit: Unit,
): Objection[] {
  const found: (Objection | undefined)[] = [];
  if ('unread' in places) found.push(unchecked('addresses', 'free addresses were', places.unread));
  else found.push(addressesFor(count, places.value, unit));
  if ('unread' in quota) found.push(unchecked('quota', 'the quota was', quota.unread));
  else if (task !== undefined) found.push(quotaFor(count, task.size, quota.value, unit));
  const { limits } = traffic;
  const liveTargets = 'value' in live ? staying(live.value?.targets ?? []).length : 0;
  if ('unread' in limits) found.push(unchecked('targets', 'limits of targets were', limits.unread));
  else found.push(...targetsFor(count, liveTargets, limits.value, unit));
  return found.filter((each) => each !== undefined);
}

/** Never refusing: the push may be what mends it. */
function ofLive(live: Seen['live'], unit: Unit): Objection[] {
  if ('unread' in live)
    return [unchecked('live', 'the live generation, and how large the new one must be, were', live.unread)];
  if (live.value === null) return [];
  const { name, wanted, targets } = live.value;
  const healthy = targets.filter(({ state }) => state === 'healthy').length;
  const words = ailing(wanted, healthy, unit);
  if (words === undefined) return [];
  return [
    {
      severity: 'warn',
      check: 'live',
      words: `${name}, which is live, ${words}. The push goes on, for it may be what mends that; until then a way back leads to nothing better`,
    },
  ];
}

function ailing(wanted: number | undefined, healthy: number, unit: Unit): string | undefined {
  if (wanted === undefined) return 'does not exist any more';
  if (wanted === 0) return `is scaled to 0 ${unit}s`;
  return healthy < wanted ? `has ${healthy} of ${wanted} targets healthy` : undefined;
}

/** Without those that drain: they are on their way out. */
function staying(targets: readonly TargetState[]): readonly TargetState[] {
  return targets.filter(({ state }) => state !== 'draining');
}
