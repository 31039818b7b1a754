/** AWS::ElasticLoadBalancingV2::* */
import type {
  CreateListenerCommandOutput,
  CreateLoadBalancerCommandOutput,
  CreateRuleCommandOutput,
  CreateTargetGroupCommandOutput,
  LoadBalancer,
  TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { same } from '../changes.ts';
import {
  mutable,
  objects,
  type Properties,
  type ResourceType,
  type Scope,
  type Tagging,
} from '../resource-type.ts';

const elb = 'elasticloadbalancing';

/** ELB's limit for the names of load balancers and target groups. */
const nameLimit = 32;

const tagging: Tagging = {
  service: elb,
  add: 'AddTags',
  remove: 'RemoveTags',
  target: ({ physicalId }) => ({ ResourceArns: [physicalId] }),
};

/** `app/name/id` or `targetgroup/name/id`: what metrics' dimensions hold. */
function fullName(arn: string, marker: string): string {
  const resource = arn.split(':').at(-1)!;
  return resource.startsWith(marker) ? resource.slice(marker.length) : resource;
}

function loadBalancerAttributes(balancer: LoadBalancer): Record<string, string | string[]> {
  return {
    LoadBalancerArn: balancer.LoadBalancerArn!,
    LoadBalancerName: balancer.LoadBalancerName!,
    LoadBalancerFullName: fullName(balancer.LoadBalancerArn!, 'loadbalancer/'),
    DNSName: balancer.DNSName!,
    CanonicalHostedZoneID: balancer.CanonicalHostedZoneId ?? '',
    SecurityGroups: balancer.SecurityGroups ?? [],
  };
}

export const loadBalancer: ResourceType = {
  replacedBy: ['Name', 'Scheme', 'Type'],
  nameProperty: 'Name',
  tagging,
  async create(scope, { LoadBalancerAttributes, ...properties }) {
    const { LoadBalancers } = await scope.send<CreateLoadBalancerCommandOutput>(elb, 'CreateLoadBalancer', {
      ...properties,
      Name: properties['Name'] ?? scope.name({ limit: nameLimit }),
    });
    const balancer = LoadBalancers![0]!;
    scope.exists(balancer.LoadBalancerArn!);
    if (LoadBalancerAttributes !== undefined) {
      await scope.send(elb, 'ModifyLoadBalancerAttributes', {
        LoadBalancerArn: balancer.LoadBalancerArn!,
        Attributes: LoadBalancerAttributes,
      });
    }
    return { physicalId: balancer.LoadBalancerArn!, attributes: loadBalancerAttributes(balancer) };
  },
  async update(scope, properties, current) {
    const { LoadBalancerAttributes, SecurityGroups, Subnets, SubnetMappings, IpAddressType } = properties;
    const LoadBalancerArn = current.physicalId;
    const changed = (name: string): boolean => !same(properties[name], current.properties[name]);
    if (changed('LoadBalancerAttributes')) {
      await scope.send(elb, 'ModifyLoadBalancerAttributes', {
        LoadBalancerArn,
        Attributes: LoadBalancerAttributes ?? [],
      });
    }
    if (changed('SecurityGroups')) {
      await scope.send(elb, 'SetSecurityGroups', { LoadBalancerArn, SecurityGroups: SecurityGroups ?? [] });
    }
    if (changed('Subnets') || changed('SubnetMappings')) {
      await scope.send(elb, 'SetSubnets', { LoadBalancerArn, Subnets, SubnetMappings });
    }
    if (changed('IpAddressType'))
      await scope.send(elb, 'SetIpAddressType', { LoadBalancerArn, IpAddressType });
    return { ...current, attributes: { ...current.attributes, SecurityGroups: SecurityGroups ?? [] } };
  },
  delete: (scope, { physicalId }) => scope.send(elb, 'DeleteLoadBalancer', { LoadBalancerArn: physicalId }),
};

async function listenerAttributes(scope: Scope, ListenerArn: string, properties: Properties): Promise<void> {
  const { ListenerAttributes } = properties;
  if (ListenerAttributes === undefined) return;
  await scope.send(elb, 'ModifyListenerAttributes', { ListenerArn, Attributes: ListenerAttributes });
}

export const listener: ResourceType = {
  replacedBy: ['LoadBalancerArn'],
  tagging,
  async create(scope, properties) {
    const { ListenerAttributes: _attributes, ...rest } = properties;
    const { Listeners } = await scope.send<CreateListenerCommandOutput>(elb, 'CreateListener', rest);
    const ListenerArn = Listeners![0]!.ListenerArn!;
    scope.exists(ListenerArn);
    await listenerAttributes(scope, ListenerArn, properties);
    return { physicalId: ListenerArn, attributes: { ListenerArn } };
  },
  async update(scope, properties, current) {
    const { ListenerAttributes: _attributes, ...rest } = mutable(listener, properties);
    await scope.send(elb, 'ModifyListener', { ...rest, ListenerArn: current.physicalId });
    await listenerAttributes(scope, current.physicalId, properties);
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(elb, 'DeleteListener', { ListenerArn: physicalId }),
};

export const listenerRule: ResourceType = {
  replacedBy: ['ListenerArn'],
  tagging,
  async create(scope, properties) {
    const { Rules } = await scope.send<CreateRuleCommandOutput>(elb, 'CreateRule', properties);
    const { RuleArn, IsDefault } = Rules![0]!;
    return { physicalId: RuleArn!, attributes: { RuleArn: RuleArn!, IsDefault: IsDefault ?? false } };
  },
  async update(scope, properties, current) {
    const { Priority, ...rest } = mutable(listenerRule, properties);
    const RuleArn = current.physicalId;
    await scope.send(elb, 'ModifyRule', { ...rest, RuleArn });
    if (!same(Priority, current.properties['Priority'])) {
      await scope.send(elb, 'SetRulePriorities', { RulePriorities: [{ RuleArn, Priority: Priority! }] });
    }
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(elb, 'DeleteRule', { RuleArn: physicalId }),
};

function targetGroupAttributes(group: TargetGroup): Record<string, string | string[]> {
  return {
    TargetGroupArn: group.TargetGroupArn!,
    TargetGroupName: group.TargetGroupName!,
    TargetGroupFullName: fullName(group.TargetGroupArn!, ''),
    LoadBalancerArns: group.LoadBalancerArns ?? [],
  };
}

async function targets(
  scope: Scope,
  TargetGroupArn: string,
  before: Properties,
  after: Properties,
): Promise<void> {
  const [had, wanted] = [objects(before['Targets']), objects(after['Targets'])];
  const removed = had.filter((target) => !wanted.some((other) => same(other, target)));
  const added = wanted.filter((target) => !had.some((other) => same(other, target)));
  if (removed.length > 0) await scope.send(elb, 'DeregisterTargets', { TargetGroupArn, Targets: removed });
  if (added.length > 0) await scope.send(elb, 'RegisterTargets', { TargetGroupArn, Targets: added });
}

export const targetGroup: ResourceType = {
  replacedBy: ['Name', 'Port', 'Protocol', 'ProtocolVersion', 'TargetType', 'VpcId', 'IpAddressType'],
  nameProperty: 'Name',
  tagging,
  async create(scope, properties) {
    const { TargetGroupAttributes, Targets: _targets, ...rest } = properties;
    const { TargetGroups } = await scope.send<CreateTargetGroupCommandOutput>(elb, 'CreateTargetGroup', {
      ...rest,
      Name: rest['Name'] ?? scope.name({ limit: nameLimit }),
    });
    const group = TargetGroups![0]!;
    const TargetGroupArn = group.TargetGroupArn!;
    scope.exists(TargetGroupArn);
    if (TargetGroupAttributes !== undefined) {
      await scope.send(elb, 'ModifyTargetGroupAttributes', {
        TargetGroupArn,
        Attributes: TargetGroupAttributes,
      });
    }
    await targets(scope, TargetGroupArn, {}, properties);
    return { physicalId: TargetGroupArn, attributes: targetGroupAttributes(group) };
  },
  async update(scope, properties, current) {
    const { TargetGroupAttributes, Targets: _targets, ...rest } = mutable(targetGroup, properties);
    const TargetGroupArn = current.physicalId;
    if (Object.keys(rest).length > 0) await scope.send(elb, 'ModifyTargetGroup', { ...rest, TargetGroupArn });
    if (
      TargetGroupAttributes !== undefined &&
      !same(TargetGroupAttributes, current.properties['TargetGroupAttributes'])
    ) {
      await scope.send(elb, 'ModifyTargetGroupAttributes', {
        TargetGroupArn,
        Attributes: TargetGroupAttributes,
      });
    }
    await targets(scope, TargetGroupArn, current.properties, properties);
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(elb, 'DeleteTargetGroup', { TargetGroupArn: physicalId }),
};
