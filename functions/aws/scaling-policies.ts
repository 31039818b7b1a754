/** Scaling policies and scheduled actions as Application Auto Scaling has them: of the settings, and of another generation. */
import type {
  MetricType,
  PutScalingPolicyCommandInput,
  PutScheduledActionCommandInput,
  ScheduledAction as StandingAction,
  ScalingPolicy as StandingPolicy,
} from '@aws-sdk/client-application-auto-scaling';
import type { Generation } from '../core/fleet/generation.ts';
import { isOver, type ScalingPolicy, type ScheduledScaling } from '../core/fleet/scaling.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { labelOf, namesFor, renamed } from './scaling-content.ts';

/** What makes a policy: all but the target that it belongs to. */
export type PolicyContent = Pick<
  PutScalingPolicyCommandInput,
  | 'PolicyName'
  | 'PolicyType'
  | 'TargetTrackingScalingPolicyConfiguration'
  | 'StepScalingPolicyConfiguration'
  | 'PredictiveScalingPolicyConfiguration'
>;
/** What makes a scheduled action. */
export type ActionContent = Pick<
  PutScheduledActionCommandInput,
  'ScheduledActionName' | 'Schedule' | 'Timezone' | 'StartTime' | 'EndTime' | 'ScalableTargetAction'
>;

const requestsPerTarget = 'ALBRequestCountPerTarget';
const metrics: Readonly<Record<ScalingPolicy['metric'], MetricType>> = {
  cpu: 'ECSServiceAverageCPUUtilization',
  memory: 'ECSServiceAverageMemoryUtilization',
  requestsPerTarget,
};

/** With every member that AWS would show with a default, so that what stands compares equal. */
export function declaredPolicy(
  settings: ServiceSettings,
  to: Generation,
  { name, metric, target, scaleInCooldownSeconds, scaleOutCooldownSeconds }: ScalingPolicy,
): PolicyContent {
  return {
    PolicyName: name,
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: target,
      PredefinedMetricSpecification: {
        PredefinedMetricType: metrics[metric],
        ...(metric === 'requestsPerTarget' && { ResourceLabel: labelOf(settings, to) }),
      },
      ScaleInCooldown: scaleInCooldownSeconds,
      ScaleOutCooldown: scaleOutCooldownSeconds,
      DisableScaleIn: false,
    },
  };
}

/**
 * The policy of `from`, watching `to`: requests to its slot, and in metrics that a person chose its service and target group. The
 * alarms of step scaling are their owner's: the policy comes along, what invokes it does not.
 */
export function carriedPolicy(
  settings: ServiceSettings,
  from: Generation,
  to: Generation,
  policy: StandingPolicy,
): PolicyContent {
  const content = renamed(policyContent(policy), namesFor(settings, from, to));
  const tracking = content.TargetTrackingScalingPolicyConfiguration;
  const specification = tracking?.PredefinedMetricSpecification;
  if (specification?.PredefinedMetricType !== requestsPerTarget) return content;
  return {
    ...content,
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: tracking?.TargetValue,
      ...tracking,
      PredefinedMetricSpecification: { ...specification, ResourceLabel: labelOf(settings, to) },
    },
  };
}

export function policyContent(policy: StandingPolicy): PolicyContent {
  return {
    PolicyName: policy.PolicyName,
    PolicyType: policy.PolicyType,
    TargetTrackingScalingPolicyConfiguration: policy.TargetTrackingScalingPolicyConfiguration,
    StepScalingPolicyConfiguration: policy.StepScalingPolicyConfiguration,
    PredictiveScalingPolicyConfiguration: policy.PredictiveScalingPolicyConfiguration,
  };
}

export function declaredAction({
  name,
  expression,
  timezone,
  minimum,
  maximum,
}: ScheduledScaling): ActionContent {
  return {
    ScheduledActionName: name,
    Schedule: expression,
    Timezone: timezone,
    ScalableTargetAction: {
      ...(minimum !== undefined && { MinCapacity: minimum }),
      ...(maximum !== undefined && { MaxCapacity: maximum }),
    },
  };
}

/** A start that lies behind says nothing any more, and might be refused. */
export function actionContent(action: StandingAction, now: number): ActionContent {
  const { StartTime } = action;
  return {
    ScheduledActionName: action.ScheduledActionName,
    Schedule: action.Schedule,
    Timezone: action.Timezone,
    StartTime: StartTime !== undefined && StartTime.getTime() > now ? StartTime : undefined,
    EndTime: action.EndTime,
    ScalableTargetAction: action.ScalableTargetAction,
  };
}

/** Whether it will ever run again. */
export function isAhead({ Schedule = '', Timezone, EndTime }: ActionContent, now: number): boolean {
  return !isOver(Schedule, Timezone, now) && (EndTime === undefined || EndTime.getTime() > now);
}
