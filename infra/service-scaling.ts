/** How a service scales, as its construct takes it, and as its settings say it. */
import type { Duration, TimeZone } from 'aws-cdk-lib';
import type { Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { ScalingPolicy } from '../functions/core/fleet/scaling.ts';

export interface ServiceScaling {
  /** Tasks that the service is never scaled below, and above. */
  readonly minimum: number;
  readonly maximum: number;
  /** Default: none, so only the schedule scales. */
  readonly policies?: readonly TargetTracking[];
  /** Default: none. */
  readonly schedule?: readonly ScheduledBounds[];
}

/** Keeps a metric at its target, by target tracking; each metric at most once. */
interface TargetTracking {
  readonly name: string;
  readonly metric: ScalingPolicy['metric'];
  /** Percent of what the tasks have; for `requestsPerTarget` requests to each task in a minute. */
  readonly target: number;
  /** Default: 5 minutes. */
  readonly scaleInCooldown?: Duration;
  /** Default: 5 minutes. */
  readonly scaleOutCooldown?: Duration;
}

/** Sets one bound or both at a time, once or again and again. */
interface ScheduledBounds {
  readonly name: string;
  readonly schedule: Schedule;
  /** Of the wall clock that the schedule goes by. Default: UTC. */
  readonly timeZone?: TimeZone;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Without what is not said: the schema knows what is usual, and a parameter of SSM has little room. */
export function scalingSettingsOf({ minimum, maximum, policies = [], schedule = [] }: ServiceScaling) {
  return {
    minimum,
    maximum,
    policies: policies.map(({ name, metric, target, scaleInCooldown, scaleOutCooldown }) => ({
      name,
      metric,
      target,
      ...(scaleInCooldown && { scaleInCooldownSeconds: scaleInCooldown.toSeconds() }),
      ...(scaleOutCooldown && { scaleOutCooldownSeconds: scaleOutCooldown.toSeconds() }),
    })),
    schedule: schedule.map((each) => ({
      name: each.name,
      expression: each.schedule.expressionString,
      ...(each.timeZone && { timezone: each.timeZone.timezoneName }),
      ...(each.minimum !== undefined && { minimum: each.minimum }),
      ...(each.maximum !== undefined && { maximum: each.maximum }),
    })),
  };
}
