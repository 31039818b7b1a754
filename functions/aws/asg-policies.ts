/** Scaling policies and scheduled actions as EC2 Auto Scaling has them: of the settings, and of another generation. */
import type {
  MetricType,
  PutScalingPolicyCommandInput,
  PutScheduledUpdateGroupActionCommandInput,
  ScalingPolicy,
  ScheduledUpdateGroupAction,
} from '@aws-sdk/client-auto-scaling';
import type { AsgPolicy, AsgSchedule } from '../core/fleet/asg-settings.ts';
import type { Generation } from '../core/fleet/generation.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { labelOf, namesFor, renamed, sameContent } from './scaling-content.ts';

/** What makes a policy: all but the group that it belongs to. */
export type AsgPolicyContent = Omit<PutScalingPolicyCommandInput, 'AutoScalingGroupName'>;
/** What makes a scheduled action. */
export type AsgActionContent = Omit<
  PutScheduledUpdateGroupActionCommandInput,
  'AutoScalingGroupName' | 'Time'
>;

const requestsPerTarget = 'ALBRequestCountPerTarget';
const metrics: Readonly<Record<AsgPolicy['metric'], MetricType>> = {
  cpu: 'ASGAverageCPUUtilization',
  networkIn: 'ASGAverageNetworkIn',
  networkOut: 'ASGAverageNetworkOut',
  requestsPerTarget,
};

/** With every member that AWS would show with a default, so that what stands compares equal. */
export function declaredPolicy(
  settings: ServiceSettings,
  to: Generation,
  { name, metric, target, warmupSeconds }: AsgPolicy,
): AsgPolicyContent {
  return {
    PolicyName: name,
    PolicyType: 'TargetTrackingScaling',
    EstimatedInstanceWarmup: warmupSeconds,
    TargetTrackingConfiguration: {
      TargetValue: target,
      PredefinedMetricSpecification: {
        PredefinedMetricType: metrics[metric],
        ...(metric === 'requestsPerTarget' && { ResourceLabel: labelOf(settings, to) }),
      },
      DisableScaleIn: false,
    },
    Enabled: true,
  };
}

/** The policy of `from`, watching `to`. What invokes a step or a simple policy is its owner's, and does not come along. */
export function carriedPolicy(
  settings: ServiceSettings,
  from: Generation,
  to: Generation,
  policy: ScalingPolicy,
): AsgPolicyContent {
  const names = new Map([...namesFor(settings, from, to), [labelOf(settings, from), labelOf(settings, to)]]);
  const content = renamed(policyContent(policy), names);
  const tracking = content.TargetTrackingConfiguration;
  const specification = tracking?.PredefinedMetricSpecification;
  if (specification?.PredefinedMetricType !== requestsPerTarget) return content;
  return {
    ...content,
    TargetTrackingConfiguration: {
      TargetValue: tracking?.TargetValue,
      ...tracking,
      PredefinedMetricSpecification: { ...specification, ResourceLabel: labelOf(settings, to) },
    },
  };
}

export function policyContent(policy: ScalingPolicy): AsgPolicyContent {
  const { AutoScalingGroupName: _group, PolicyARN: _arn, Alarms: _alarms, StepAdjustments, ...rest } = policy;
  return {
    PolicyName: rest.PolicyName,
    ...rest,
    // Of a policy without steps the list is empty, and a list must not be written then.
    ...(StepAdjustments !== undefined && StepAdjustments.length > 0 && { StepAdjustments }),
  };
}

export function declaredAction({
  name,
  recurrence,
  timezone,
  minimum,
  maximum,
}: AsgSchedule): AsgActionContent {
  return {
    ScheduledActionName: name,
    Recurrence: recurrence,
    TimeZone: timezone,
    MinSize: minimum,
    MaxSize: maximum,
  };
}

/** Of one that repeats the start is shown as its next, which would be refused as soon as it lies behind. */
const soonMs = 60_000;

/** A start that lies behind says nothing any more, and would be refused. */
export function actionContent(action: ScheduledUpdateGroupAction, now: number): AsgActionContent {
  const { StartTime } = action;
  const from = action.Recurrence === undefined ? now : now + soonMs;
  return {
    ScheduledActionName: action.ScheduledActionName,
    StartTime: StartTime !== undefined && StartTime.getTime() > from ? StartTime : undefined,
    EndTime: action.EndTime,
    Recurrence: action.Recurrence,
    TimeZone: action.TimeZone,
    MinSize: action.MinSize,
    MaxSize: action.MaxSize,
    DesiredCapacity: action.DesiredCapacity,
  };
}

/** Whether it will ever run again. */
export function isAhead({ StartTime, EndTime, Recurrence }: AsgActionContent, now: number): boolean {
  if (EndTime !== undefined && EndTime.getTime() <= now) return false;
  return Recurrence !== undefined || StartTime !== undefined;
}

/** Of one that repeats, and is to begin at once, EC2 Auto Scaling shows its next start. */
export function sameAction(wanted: AsgActionContent, standing: AsgActionContent): boolean {
  const begins = wanted.Recurrence !== undefined && wanted.StartTime === undefined;
  return sameContent(wanted, begins ? { ...standing, StartTime: undefined } : standing);
}
