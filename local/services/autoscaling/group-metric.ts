/** The metric that a group's policy tracks, as CloudWatch has it. */
import type {
  CustomizedMetricSpecification,
  PredefinedMetricSpecification,
  TargetTrackingConfiguration,
} from '@aws-sdk/client-auto-scaling';
import type { WatchedMetric } from '../cloudwatch/monitoring.ts';
import { checkUnlabelled, dimensionsOf, requestsPerTarget } from '../target-tracking/tracking.ts';
import { invalid } from './group.ts';

/** Averages over the group's instances: https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredefinedMetricSpecification.html */
const averages = new Map([
  ['ASGAverageCPUUtilization', 'CPUUtilization'],
  ['ASGAverageNetworkIn', 'NetworkIn'],
  ['ASGAverageNetworkOut', 'NetworkOut'],
]);

const statistics = ['Average', 'Maximum', 'Minimum', 'SampleCount', 'Sum'] as const;

export function groupMetric(
  groupName: string,
  {
    PredefinedMetricSpecification: predefined,
    CustomizedMetricSpecification: customized,
  }: TargetTrackingConfiguration,
): WatchedMetric {
  if ((predefined === undefined) === (customized === undefined))
    throw invalid('Exactly one of predefined and customized metric specification must be specified');
  return predefined === undefined ? customizedMetric(customized!) : predefinedMetric(groupName, predefined);
}

function predefinedMetric(
  groupName: string,
  { PredefinedMetricType: type, ResourceLabel: label }: PredefinedMetricSpecification,
): WatchedMetric {
  if (type === 'ALBRequestCountPerTarget') return requestsPerTarget(label, invalid);
  const MetricName = averages.get(type ?? '');
  if (MetricName === undefined) throw invalid(`Invalid predefined metric type: ${type}`);
  checkUnlabelled({ type, label }, invalid);
  return {
    Namespace: 'AWS/EC2',
    MetricName,
    Dimensions: dimensionsOf({ AutoScalingGroupName: groupName }),
    Statistic: 'Average',
  };
}

function customizedMetric(specification: CustomizedMetricSpecification): WatchedMetric {
  const { Namespace, MetricName, Dimensions = [], Unit, Metrics, Period = 60 } = specification;
  if (Metrics !== undefined || Period !== 60)
    throw invalid(
      'Metric math and periods below a minute are not modelled by the embedded AWS for target tracking',
    );
  const Statistic = statistics.find((name) => name === specification.Statistic);
  if (Namespace === undefined || MetricName === undefined || Statistic === undefined)
    throw invalid('A customized metric needs Namespace, MetricName and Statistic');
  return {
    Namespace,
    MetricName,
    Dimensions: Dimensions.map(({ Name, Value }) => ({ Name, Value })),
    Statistic,
    ...(Unit === undefined ? {} : { Unit: Unit as NonNullable<WatchedMetric['Unit']> }),
  };
}
