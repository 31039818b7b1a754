/** The metric that a predefined specification stands for, as CloudWatch has it. */
import type { PredefinedMetricSpecification } from '@aws-sdk/client-application-auto-scaling';
import type { Dimension } from '@aws-sdk/client-cloudwatch';
import { invalid } from './identity.ts';
import type { Place } from './scaled-services.ts';

export interface TrackedMetric {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions: Dimension[];
  readonly Statistic: 'Average' | 'Sum';
}

/** `app/main/0123456789abcdef/targetgroup/web-blue/0123456789abcdef` */
const label = /^(app\/[^/]+\/[^/]+)\/(targetgroup\/[^/]+\/[^/]+)$/;

/**
 * Of ECS: the service's own metrics, by
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html; of the balancer: requests by target,
 * of which only the sum is valid, by
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
export function trackedMetric(
  { PredefinedMetricType: type, ResourceLabel }: PredefinedMetricSpecification,
  { cluster, service }: Place,
): TrackedMetric {
  if (type === 'ECSServiceAverageCPUUtilization' || type === 'ECSServiceAverageMemoryUtilization') {
    if (ResourceLabel !== undefined)
      throw invalid(`Resource label should not be specified for predefined metric type ${type}`);
    return {
      Namespace: 'AWS/ECS',
      MetricName: type === 'ECSServiceAverageCPUUtilization' ? 'CPUUtilization' : 'MemoryUtilization',
      Dimensions: dimensionsOf({ ClusterName: cluster, ServiceName: service }),
      Statistic: 'Average',
    };
  }
  if (type !== 'ALBRequestCountPerTarget')
    throw invalid(`Predefined metric type ${type} is not supported for ecs`);
  // In AWS's words, by https://github.com/terraform-aws-modules/terraform-aws-autoscaling/issues/192.
  if (ResourceLabel === undefined)
    throw invalid(`Resource label should be specified for predefined metric type ${type}`);
  const [, LoadBalancer, TargetGroup] = label.exec(ResourceLabel) ?? [];
  if (LoadBalancer === undefined || TargetGroup === undefined)
    throw invalid(`Invalid resource label: ${ResourceLabel}`);
  return {
    Namespace: 'AWS/ApplicationELB',
    MetricName: 'RequestCountPerTarget',
    Dimensions: dimensionsOf({ LoadBalancer, TargetGroup }),
    Statistic: 'Sum',
  };
}

function dimensionsOf(values: Readonly<Record<string, string>>): Dimension[] {
  return Object.entries(values).map(([Name, Value]) => ({ Name, Value }));
}
