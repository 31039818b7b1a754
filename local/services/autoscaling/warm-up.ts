/**
 * Instances that warm up do not count yet for target tracking and step scaling: what was added for a load is part of what it
 * needs, and nothing is scaled in meanwhile
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-default-instance-warmup.html).
 */
import type { Capacity } from '../target-tracking/tracker.ts';
import { type Group, runs, staying } from './group.ts';
import type { Policy } from './policy.ts';

/**
 * A policy's own warm-up, else the group's, else "they use the value set for the default cooldown". Of several policies the
 * longest counts here: an instance is warm for all of them or for none, which AWS does not tell.
 */
function warmupSeconds({ settings }: Group, policies: readonly Policy[]): number {
  const ofGroup = settings.instanceWarmupSeconds ?? settings.cooldownSeconds;
  const each = policies.map(({ shown }) => shown.EstimatedInstanceWarmup ?? ofGroup);
  return each.length === 0 ? ofGroup : Math.max(...each);
}

export function capacityOf(group: Group, policies: readonly Policy[], now: number): Capacity {
  const ms = warmupSeconds(group, policies) * 1_000;
  const members = staying(group);
  const warm = members.filter(
    ({ inServiceAt }) => inServiceAt !== undefined && now - inServiceAt >= ms,
  ).length;
  const { minimum, maximum, desired } = group.settings;
  const acts = runs(group, 'AlarmNotification') && !group.deleting;
  return {
    current: desired,
    base: Math.min(warm, desired),
    mayGrow: acts,
    mayShrink: acts && warm === members.length,
    minimum,
    maximum,
  };
}
