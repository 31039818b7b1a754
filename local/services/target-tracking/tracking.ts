/** What a policy of target tracking follows, and the alarms that come with it. */
import type { Dimension } from '@aws-sdk/client-cloudwatch';
import type { AwsError } from '../../call.ts';
import type { WatchedMetric } from '../cloudwatch/monitoring.ts';

export interface Tracking {
  readonly policyName: string;
  readonly policyArn: string;
  readonly metric: WatchedMetric;
  readonly target: number;
  readonly high: string;
  /** Undefined when the policy does not scale in. */
  readonly low: string | undefined;
}

/** `app/main/0123456789abcdef/targetgroup/web-blue/0123456789abcdef` */
const label = /^(app\/[^/]+\/[^/]+)\/(targetgroup\/[^/]+\/[^/]+)$/;

/**
 * `ALBRequestCountPerTarget`: requests by target, of which only the sum is valid
 * (https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html).
 */
export function requestsPerTarget(
  resourceLabel: string | undefined,
  invalid: (message: string) => AwsError,
): WatchedMetric {
  // In AWS's words, by https://github.com/terraform-aws-modules/terraform-aws-autoscaling/issues/192.
  if (resourceLabel === undefined)
    throw invalid('Resource label should be specified for predefined metric type ALBRequestCountPerTarget');
  const [, LoadBalancer, TargetGroup] = label.exec(resourceLabel) ?? [];
  if (LoadBalancer === undefined || TargetGroup === undefined)
    throw invalid(`Invalid resource label: ${resourceLabel}`);
  return {
    Namespace: 'AWS/ApplicationELB',
    MetricName: 'RequestCountPerTarget',
    Dimensions: dimensionsOf({ LoadBalancer, TargetGroup }),
    Statistic: 'Sum',
  };
}

export function checkUnlabelled(
  { type, label: given }: { type: string | undefined; label: string | undefined },
  invalid: (message: string) => AwsError,
): void {
  if (given !== undefined)
    throw invalid(`Resource label should not be specified for predefined metric type ${type}`);
}

export function dimensionsOf(values: Readonly<Record<string, string>>): Dimension[] {
  return Object.entries(values).map(([Name, Value]) => ({ Name, Value }));
}
