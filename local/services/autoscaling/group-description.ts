/** A group as DescribeAutoScalingGroups shows it. */
import type { AutoScalingGroup, Filter, Instance } from '@aws-sdk/client-auto-scaling';
import { type Group, invalid, type Member } from './group.ts';
import type { Compute } from './platform.ts';
import { attached } from './traffic-sources.ts';

export function describeGroup(group: Group, compute: Compute): AutoScalingGroup {
  const { settings } = group;
  const zones = new Set(settings.subnets.map((subnetId) => compute.zoneOf(subnetId) ?? ''));
  const arns = attached(group).map(({ arn }) => arn);
  return {
    AutoScalingGroupName: group.name,
    AutoScalingGroupARN: group.arn,
    LaunchTemplate: settings.template,
    MinSize: settings.minimum,
    MaxSize: settings.maximum,
    DesiredCapacity: settings.desired,
    DefaultCooldown: settings.cooldownSeconds,
    DefaultInstanceWarmup: settings.instanceWarmupSeconds,
    AvailabilityZones: [...zones].sort(),
    VPCZoneIdentifier: settings.subnets.join(','),
    LoadBalancerNames: [],
    TargetGroupARNs: arns,
    TrafficSources: arns.map((Identifier) => ({ Identifier, Type: 'elbv2' })),
    HealthCheckType: settings.healthCheckType,
    HealthCheckGracePeriod: settings.gracePeriodSeconds,
    // One that EC2 has not answered for is not there yet.
    Instances: [...group.members.values()].filter(({ running }) => running !== undefined).map(shownInstance),
    CreatedTime: group.createdAt,
    SuspendedProcesses: [...group.suspended].map(([ProcessName, SuspensionReason]) => ({
      ProcessName,
      SuspensionReason,
    })),
    EnabledMetrics: [],
    Tags: [...group.tags],
    TerminationPolicies: ['Default'],
    NewInstancesProtectedFromScaleIn: false,
    CapacityRebalance: false,
    ...(group.deleting ? { Status: 'Delete in progress' } : {}),
  };
}

export function shownInstance({ id, place, state, healthy, template }: Member): Instance {
  return {
    InstanceId: id,
    InstanceType: template.content.InstanceType,
    AvailabilityZone: place.availabilityZone,
    LifecycleState: state,
    HealthStatus: healthy ? 'Healthy' : 'Unhealthy',
    LaunchTemplate: {
      LaunchTemplateId: template.id,
      LaunchTemplateName: template.name,
      Version: String(template.version),
    },
    ProtectedFromScaleIn: false,
  };
}

/** `tag-key`, `tag-value` and `tag:KEY`; all must fit. */
export function fits(group: Group, filters: readonly Filter[] = []): boolean {
  return filters.every(({ Name = '', Values = [] }) => {
    const key = /^tag:(.+)$/.exec(Name)?.[1];
    const has = group.tags.map((tag) => {
      if (Name === 'tag-key') return tag.Key;
      if (Name === 'tag-value' || tag.Key === key) return tag.Value;
      return undefined;
    });
    if (key === undefined && Name !== 'tag-key' && Name !== 'tag-value')
      throw invalid(`Invalid filter name: ${Name}`);
    return has.some((value) => value !== undefined && Values.includes(value));
  });
}
