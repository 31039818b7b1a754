/** AWS::EC2::*, the network. EC2's operations are called with inputs of their own shape. */
import type {
  AllocateAddressCommandOutput,
  AssociateRouteTableCommandOutput,
  CreateFlowLogsCommandOutput,
  CreateInternetGatewayCommandOutput,
  CreateNatGatewayCommandOutput,
  CreateRouteTableCommandOutput,
  CreateSecurityGroupCommandOutput,
  CreateSubnetCommandOutput,
  CreateVpcCommandOutput,
  CreateVpcEndpointCommandOutput,
  DescribeSecurityGroupsCommandOutput,
} from '@aws-sdk/client-ec2';
import { only } from '../only.ts';
import {
  document,
  objects,
  type Properties,
  type ResourceType,
  requiredText,
  type Scope,
  type Tagging,
  texts,
  truth,
} from '../resource-type.ts';

const service = 'ec2';

const tagging: Tagging = {
  service,
  add: 'CreateTags',
  remove: 'DeleteTags',
  target: ({ physicalId, attributes }) => ({ Resources: [attributes['AllocationId'] ?? physicalId] }),
  keys: 'Tags',
};

function tagged(resourceType: string, properties: Properties): { TagSpecifications?: unknown } {
  const Tags = objects(properties['Tags']);
  return Tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType: resourceType, Tags }] };
}

async function vpcAttributes(scope: Scope, VpcId: string, properties: Properties): Promise<void> {
  for (const name of ['EnableDnsSupport', 'EnableDnsHostnames']) {
    if (properties[name] === undefined) continue;
    await scope.sendAsIs(service, 'ModifyVpcAttribute', {
      VpcId,
      [name]: { Value: truth(properties[name]) },
    });
  }
}

export const vpc: ResourceType = {
  tagging,
  replacedBy: ['CidrBlock'],
  async create(scope, properties) {
    only(properties, 'CidrBlock', 'EnableDnsSupport', 'EnableDnsHostnames', 'InstanceTenancy');
    const { Vpc } = await scope.sendAsIs<CreateVpcCommandOutput>(service, 'CreateVpc', {
      CidrBlock: requiredText(properties, 'CidrBlock'),
      InstanceTenancy: properties['InstanceTenancy'],
      ...tagged('vpc', properties),
    });
    const VpcId = Vpc!.VpcId!;
    scope.exists(VpcId);
    await vpcAttributes(scope, VpcId, properties);
    const { SecurityGroups } = await scope.sendAsIs<DescribeSecurityGroupsCommandOutput>(
      service,
      'DescribeSecurityGroups',
      {
        Filters: [
          { Name: 'vpc-id', Values: [VpcId] },
          { Name: 'group-name', Values: ['default'] },
        ],
      },
    );
    return {
      physicalId: VpcId,
      attributes: {
        VpcId,
        CidrBlock: Vpc!.CidrBlock!,
        DefaultSecurityGroup: SecurityGroups![0]!.GroupId!,
        CidrBlockAssociations: Vpc!.CidrBlockAssociationSet!.map(({ AssociationId }) => AssociationId!),
      },
    };
  },
  async update(scope, properties, current) {
    await vpcAttributes(scope, current.physicalId, properties);
    return current;
  },
  delete: (scope, { physicalId }) => scope.sendAsIs(service, 'DeleteVpc', { VpcId: physicalId }),
};

async function mapPublicIp(
  scope: Scope,
  SubnetId: string,
  { MapPublicIpOnLaunch }: Properties,
): Promise<void> {
  if (MapPublicIpOnLaunch === undefined) return;
  await scope.sendAsIs(service, 'ModifySubnetAttribute', {
    SubnetId,
    MapPublicIpOnLaunch: { Value: truth(MapPublicIpOnLaunch) },
  });
}

export const subnet: ResourceType = {
  tagging,
  replacedBy: ['AvailabilityZone', 'CidrBlock', 'VpcId'],
  async create(scope, properties) {
    only(properties, 'AvailabilityZone', 'CidrBlock', 'VpcId', 'MapPublicIpOnLaunch');
    const { Subnet } = await scope.sendAsIs<CreateSubnetCommandOutput>(service, 'CreateSubnet', {
      VpcId: requiredText(properties, 'VpcId'),
      CidrBlock: requiredText(properties, 'CidrBlock'),
      AvailabilityZone: properties['AvailabilityZone'],
      ...tagged('subnet', properties),
    });
    const { SubnetId, VpcId, AvailabilityZone, CidrBlock } = Subnet!;
    scope.exists(SubnetId!);
    await mapPublicIp(scope, SubnetId!, properties);
    return {
      physicalId: SubnetId!,
      attributes: {
        SubnetId: SubnetId!,
        VpcId: VpcId!,
        AvailabilityZone: AvailabilityZone!,
        CidrBlock: CidrBlock!,
      },
    };
  },
  async update(scope, properties, current) {
    await mapPublicIp(scope, current.physicalId, properties);
    return current;
  },
  delete: (scope, { physicalId }) => scope.sendAsIs(service, 'DeleteSubnet', { SubnetId: physicalId }),
};

export const routeTable: ResourceType = {
  tagging,
  replacedBy: ['VpcId'],
  async create(scope, properties) {
    only(properties, 'VpcId');
    const { RouteTable } = await scope.sendAsIs<CreateRouteTableCommandOutput>(service, 'CreateRouteTable', {
      VpcId: requiredText(properties, 'VpcId'),
      ...tagged('route-table', properties),
    });
    const RouteTableId = RouteTable!.RouteTableId!;
    return { physicalId: RouteTableId, attributes: { RouteTableId } };
  },
  delete: (scope, { physicalId }) =>
    scope.sendAsIs(service, 'DeleteRouteTable', { RouteTableId: physicalId }),
};

export const route: ResourceType = {
  async create(scope, properties) {
    only(properties, 'RouteTableId', 'DestinationCidrBlock', 'GatewayId', 'NatGatewayId');
    await scope.sendAsIs(service, 'CreateRoute', properties);
    const CidrBlock = requiredText(properties, 'DestinationCidrBlock');
    return {
      physicalId: `${requiredText(properties, 'RouteTableId')}|${CidrBlock}`,
      attributes: { CidrBlock },
    };
  },
  delete: (scope, { properties: { RouteTableId, DestinationCidrBlock } }) =>
    scope.sendAsIs(service, 'DeleteRoute', { RouteTableId, DestinationCidrBlock }),
};

export const subnetRouteTableAssociation: ResourceType = {
  async create(scope, properties) {
    only(properties, 'RouteTableId', 'SubnetId');
    const { AssociationId } = await scope.sendAsIs<AssociateRouteTableCommandOutput>(
      service,
      'AssociateRouteTable',
      properties,
    );
    return { physicalId: AssociationId!, attributes: { Id: AssociationId! } };
  },
  delete: (scope, { physicalId }) =>
    scope.sendAsIs(service, 'DisassociateRouteTable', { AssociationId: physicalId }),
};

export const internetGateway: ResourceType = {
  tagging,
  async create(scope, properties) {
    only(properties);
    const { InternetGateway } = await scope.sendAsIs<CreateInternetGatewayCommandOutput>(
      service,
      'CreateInternetGateway',
      tagged('internet-gateway', properties),
    );
    const InternetGatewayId = InternetGateway!.InternetGatewayId!;
    return { physicalId: InternetGatewayId, attributes: { InternetGatewayId } };
  },
  delete: (scope, { physicalId }) =>
    scope.sendAsIs(service, 'DeleteInternetGateway', { InternetGatewayId: physicalId }),
};

export const vpcGatewayAttachment: ResourceType = {
  async create(scope, properties) {
    only(properties, 'InternetGatewayId', 'VpcId');
    await scope.sendAsIs(service, 'AttachInternetGateway', properties);
    return { physicalId: `IGW|${requiredText(properties, 'VpcId')}`, attributes: { AttachmentType: 'IGW' } };
  },
  delete: (scope, { properties: { InternetGatewayId, VpcId } }) =>
    scope.sendAsIs(service, 'DetachInternetGateway', { InternetGatewayId, VpcId }),
};

export const eip: ResourceType = {
  tagging,
  replacedBy: ['Domain'],
  async create(scope, properties) {
    only(properties, 'Domain');
    const { PublicIp, AllocationId } = await scope.sendAsIs<AllocateAddressCommandOutput>(
      service,
      'AllocateAddress',
      {
        Domain: 'vpc',
        ...tagged('elastic-ip', properties),
      },
    );
    return { physicalId: PublicIp!, attributes: { PublicIp: PublicIp!, AllocationId: AllocationId! } };
  },
  delete: (scope, { attributes: { AllocationId } }) =>
    scope.sendAsIs(service, 'ReleaseAddress', { AllocationId }),
};

export const natGateway: ResourceType = {
  tagging,
  replacedBy: ['AllocationId', 'SubnetId', 'ConnectivityType'],
  async create(scope, properties) {
    only(properties, 'AllocationId', 'SubnetId', 'ConnectivityType');
    const { AllocationId, SubnetId, ConnectivityType } = properties;
    const { NatGateway } = await scope.sendAsIs<CreateNatGatewayCommandOutput>(service, 'CreateNatGateway', {
      AllocationId,
      SubnetId,
      ConnectivityType,
      ...tagged('natgateway', properties),
    });
    const NatGatewayId = NatGateway!.NatGatewayId!;
    return { physicalId: NatGatewayId, attributes: { NatGatewayId } };
  },
  delete: (scope, { physicalId }) =>
    scope.sendAsIs(service, 'DeleteNatGateway', { NatGatewayId: physicalId }),
};

/** One rule as CloudFormation writes it, as the permission that EC2 takes. */
function permission(rule: Properties): object {
  const { CidrIp, CidrIpv6, SourceSecurityGroupId, DestinationSecurityGroupId, Description } = rule;
  const group = SourceSecurityGroupId ?? DestinationSecurityGroupId;
  const described = Description === undefined ? {} : { Description };
  return {
    IpProtocol: requiredText(rule, 'IpProtocol'),
    ...(rule['FromPort'] === undefined ? {} : { FromPort: Number(rule['FromPort']) }),
    ...(rule['ToPort'] === undefined ? {} : { ToPort: Number(rule['ToPort']) }),
    ...(CidrIp === undefined ? {} : { IpRanges: [{ CidrIp, ...described }] }),
    ...(CidrIpv6 === undefined ? {} : { Ipv6Ranges: [{ CidrIpv6, ...described }] }),
    ...(group === undefined ? {} : { UserIdGroupPairs: [{ GroupId: group, ...described }] }),
  };
}

type Direction = 'Ingress' | 'Egress';

async function change(
  scope: Scope,
  verb: 'Authorize' | 'Revoke',
  direction: Direction,
  GroupId: string,
  permissions: readonly object[],
): Promise<void> {
  if (permissions.length === 0) return;
  await scope.sendAsIs(service, `${verb}SecurityGroup${direction}`, { GroupId, IpPermissions: permissions });
}

/** What EC2 gives a new group, and CloudFormation takes away when the template has egress rules of its own. */
const everywhere = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };

function egressOf(properties: Properties): object[] {
  const egress = objects(properties['SecurityGroupEgress']).map(permission);
  return egress.length === 0 ? [everywhere] : egress;
}

export const securityGroup: ResourceType = {
  tagging,
  replacedBy: ['GroupName', 'GroupDescription', 'VpcId'],
  nameProperty: 'GroupName',
  async create(scope, properties) {
    only(properties, 'GroupName', 'GroupDescription', 'VpcId', 'SecurityGroupIngress', 'SecurityGroupEgress');
    const { GroupId } = await scope.sendAsIs<CreateSecurityGroupCommandOutput>(
      service,
      'CreateSecurityGroup',
      {
        GroupName: properties['GroupName'] ?? scope.name({ limit: 255 }),
        Description: requiredText(properties, 'GroupDescription'),
        VpcId: properties['VpcId'],
        ...tagged('security-group', properties),
      },
    );
    scope.exists(GroupId!);
    await change(
      scope,
      'Authorize',
      'Ingress',
      GroupId!,
      objects(properties['SecurityGroupIngress']).map(permission),
    );
    await change(scope, 'Revoke', 'Egress', GroupId!, [everywhere]);
    await change(scope, 'Authorize', 'Egress', GroupId!, egressOf(properties));
    const VpcId = properties['VpcId'] ?? '';
    return { physicalId: GroupId!, attributes: { GroupId: GroupId!, Id: GroupId!, VpcId } };
  },
  async update(scope, properties, current) {
    const GroupId = current.physicalId;
    const ingress = (from: Properties): object[] => objects(from['SecurityGroupIngress']).map(permission);
    await change(scope, 'Revoke', 'Ingress', GroupId, ingress(current.properties));
    await change(scope, 'Authorize', 'Ingress', GroupId, ingress(properties));
    await change(scope, 'Revoke', 'Egress', GroupId, egressOf(current.properties));
    await change(scope, 'Authorize', 'Egress', GroupId, egressOf(properties));
    return current;
  },
  delete: (scope, { physicalId }) => scope.sendAsIs(service, 'DeleteSecurityGroup', { GroupId: physicalId }),
};

function securityGroupRule(direction: Direction): ResourceType {
  return {
    async create(scope, properties) {
      await change(scope, 'Authorize', direction, requiredText(properties, 'GroupId'), [
        permission(properties),
      ]);
      const physicalId = scope.name({ limit: 128 });
      return { physicalId, attributes: { Id: physicalId } };
    },
    delete: (scope, { properties }) =>
      change(scope, 'Revoke', direction, requiredText(properties, 'GroupId'), [permission(properties)]),
  };
}

export const securityGroupIngress = securityGroupRule('Ingress');
export const securityGroupEgress = securityGroupRule('Egress');

export const vpcEndpoint: ResourceType = {
  tagging,
  async create(scope, properties) {
    const { PolicyDocument, Tags: _tags, PrivateDnsEnabled, ...rest } = properties;
    only(rest, 'VpcId', 'ServiceName', 'VpcEndpointType', 'SubnetIds', 'RouteTableIds', 'SecurityGroupIds');
    const { VpcEndpoint } = await scope.sendAsIs<CreateVpcEndpointCommandOutput>(
      service,
      'CreateVpcEndpoint',
      {
        ...rest,
        PrivateDnsEnabled: PrivateDnsEnabled === undefined ? undefined : truth(PrivateDnsEnabled),
        PolicyDocument: document(PolicyDocument),
        ...tagged('vpc-endpoint', properties),
      },
    );
    const Id = VpcEndpoint!.VpcEndpointId!;
    return { physicalId: Id, attributes: { Id, DnsEntries: [], NetworkInterfaceIds: [] } };
  },
  delete: (scope, { physicalId }) =>
    scope.sendAsIs(service, 'DeleteVpcEndpoints', { VpcEndpointIds: [physicalId] }),
};

export const flowLog: ResourceType = {
  tagging,
  async create(scope, { ResourceId, Tags, ...properties }) {
    const { FlowLogIds } = await scope.sendAsIs<CreateFlowLogsCommandOutput>(service, 'CreateFlowLogs', {
      ...properties,
      ResourceIds: texts(ResourceId),
      ...(Tags === undefined ? {} : tagged('vpc-flow-log', { Tags })),
    });
    return { physicalId: FlowLogIds![0]!, attributes: { Id: FlowLogIds![0]! } };
  },
  delete: (scope, { physicalId }) => scope.sendAsIs(service, 'DeleteFlowLogs', { FlowLogIds: [physicalId] }),
};
