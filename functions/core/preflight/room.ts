/** Whether a new generation at full size, beside all that runs, finds room: addresses, quotas, targets. */

import type { Unit } from '../fleet/unit.ts';
import type { Objection } from './objection.ts';

/** Where tasks or instances take addresses: a subnet. */
export interface Place {
  readonly name: string;
  readonly zone: string;
  readonly free: number;
}

/** A quota of the account, and what of it is in use by all that runs there. */
export interface Quota {
  /** As Service Quotas names it, with its code. */
  readonly name: string;
  readonly unit: string;
  readonly limit: number;
  /** As reported for the last `minutes`; empty when nothing was: AWS reports no use as nothing. */
  readonly used: readonly number[];
  readonly minutes: number;
}

export interface TargetLimits {
  /** Undefined: AWS does not tell. */
  readonly ofBalancer: number | undefined;
  readonly ofSlot: number | undefined;
}

/**
 * Tasks are spread evenly over the zones (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement-strategies.html),
 * instances too (https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html), and one that is placed where no address is free fails to start. Only when all places together cannot hold the generation
 * it is sure to fail.
 */
export function addressesFor(
  count: number,
  places: readonly Place[],
  unit: Unit = 'task',
): Objection | undefined {
  const free = freeIn(places);
  if (free < count) {
    return {
      severity: 'refuse',
      check: 'addresses',
      words: `the new generation needs ${count} addresses, one for each ${unit}, and its subnets have ${free} free: ${places.map(inWords).join(', ')}. Free some, or give the service more or larger subnets`,
    };
  }
  const zones = [...new Set(places.map(({ zone }) => zone))];
  const share = Math.ceil(count / zones.length);
  const short = zones.filter((zone) => freeIn(places.filter((place) => place.zone === zone)) < share);
  if (short.length === 0) return undefined;
  const tight = places.filter(({ zone }) => short.includes(zone));
  return {
    severity: 'warn',
    check: 'addresses',
    words: `${unit}s are spread evenly over zones, up to ${share} of ${count} in each, and not every zone has as many addresses free: ${tight.map(inWords).join(', ')}. Some ${unit}s may fail to start. Free some, or give the service larger subnets there`,
  };
}

/**
 * What was in use is minutes old. It refuses only when at no time of those minutes there was room; when there was at times,
 * whether there is now cannot be known.
 */
export function quotaFor(
  count: number,
  each: number,
  quota: Quota,
  of: Unit = 'task',
): Objection | undefined {
  const { name, unit, limit, minutes } = quota;
  const needed = count * each;
  const least = Math.min(...quota.used, Number.POSITIVE_INFINITY);
  const most = Math.max(...quota.used, 0);
  const needs = `the new generation needs ${needed} ${unit} (${count} ${of}s of ${each})`;
  const ask = 'Ask for more in Service Quotas, or end something else that runs there';
  if (needed > limit) {
    return {
      severity: 'refuse',
      check: 'quota',
      words: `${needs}, more than the quota ${name} of ${limit}. Ask for more in Service Quotas, or launch fewer or smaller ${of}s`,
    };
  }
  if (needed + most <= limit) return undefined;
  if (Number.isFinite(least) && needed + least > limit) {
    return {
      severity: 'refuse',
      check: 'quota',
      words: `${needs}, and of the quota ${name} of ${limit} never less than ${least} were in use in the last ${minutes} minutes. ${ask}`,
    };
  }
  return {
    severity: 'warn',
    check: 'quota',
    words: `${needs}, and of the quota ${name} of ${limit} up to ${most} were in use in the last ${minutes} minutes: ${of}s may fail to start. ${ask}`,
  };
}

/** `live`: targets of the live generation. Those of other services on the same balancer are not counted: it has up to 100 groups. */
export function targetsFor(
  count: number,
  live: number,
  limits: TargetLimits,
  unit: Unit = 'task',
): readonly Objection[] {
  const { ofBalancer, ofSlot } = limits;
  const found: string[] = [];
  if (ofSlot !== undefined && count > ofSlot)
    found.push(
      `the new generation needs ${count} targets, and a target group takes ${ofSlot}. Ask for more in Service Quotas, or launch fewer, larger ${unit}s`,
    );
  if (ofBalancer !== undefined && count + live > ofBalancer)
    found.push(
      `the new generation needs ${count} targets beside the ${live} of the live one, and a load balancer takes ${ofBalancer}. Ask for more in Service Quotas, or launch fewer, larger ${unit}s`,
    );
  return found.map((words) => ({ severity: 'refuse', check: 'targets', words }));
}

function freeIn(places: readonly Place[]): number {
  return places.reduce((sum, { free }) => sum + free, 0);
}

function inWords({ name, zone, free }: Place): string {
  return `${name} (${zone}) ${free}`;
}
