/** The metric that a predefined specification stands for, as CloudWatch has it. */
import type { PredefinedMetricSpecification } from '@aws-sdk/client-application-auto-scaling';
import type { WatchedMetric } from '../cloudwatch/monitoring.ts';
import { checkUnlabelled, dimensionsOf, requestsPerTarget } from '../target-tracking/tracking.ts';
import { invalid } from './identity.ts';
import type { Place } from './scaled-services.ts';

/**
 * Of ECS: the service's own metrics, by
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
 */
export function trackedMetric(
  { PredefinedMetricType: type, ResourceLabel: label }: PredefinedMetricSpecification,
  { cluster, service }: Place,
): WatchedMetric {
  if (type === 'ECSServiceAverageCPUUtilization' || type === 'ECSServiceAverageMemoryUtilization') {
    checkUnlabelled({ type, label }, invalid);
    return {
      Namespace: 'AWS/ECS',
      MetricName: type === 'ECSServiceAverageCPUUtilization' ? 'CPUUtilization' : 'MemoryUtilization',
      Dimensions: dimensionsOf({ ClusterName: cluster, ServiceName: service }),
      Statistic: 'Average',
    };
  }
  if (type !== 'ALBRequestCountPerTarget')
    throw invalid(`Predefined metric type ${type} is not supported for ecs`);
  return requestsPerTarget(label, invalid);
}
