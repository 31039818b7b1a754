/** Route tables, internet and NAT gateways, elastic addresses, endpoints, flow logs: kept and shown, nothing is routed. */
import type {
  AllocateAddressCommandInput,
  AllocateAddressCommandOutput,
  AssociateRouteTableCommandInput,
  AssociateRouteTableCommandOutput,
  AttachInternetGatewayCommandInput,
  CreateFlowLogsCommandInput,
  CreateFlowLogsCommandOutput,
  CreateInternetGatewayCommandInput,
  CreateInternetGatewayCommandOutput,
  CreateNatGatewayCommandInput,
  CreateNatGatewayCommandOutput,
  CreateRouteCommandInput,
  CreateRouteTableCommandInput,
  CreateRouteTableCommandOutput,
  CreateVpcEndpointCommandInput,
  CreateVpcEndpointCommandOutput,
  DeleteFlowLogsCommandInput,
  DeleteInternetGatewayCommandInput,
  DeleteNatGatewayCommandInput,
  DeleteRouteCommandInput,
  DeleteRouteTableCommandInput,
  DeleteVpcEndpointsCommandInput,
  DescribeRouteTablesCommandInput,
  DescribeRouteTablesCommandOutput,
  DetachInternetGatewayCommandInput,
  DisassociateRouteTableCommandInput,
  FlowLog,
  InternetGateway,
  NatGateway,
  ReleaseAddressCommandInput,
  RouteTable,
  Subnet,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';
import { accountId } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import {
  filtered,
  page,
  type Random,
  Resources,
  resourceId,
  type Tagged,
  type TaggedKind,
  tagsOf,
} from './resources.ts';

interface TableRecord extends RouteTable {
  RouteTableId: string;
  Routes: NonNullable<RouteTable['Routes']>;
  Associations: NonNullable<RouteTable['Associations']>;
}

export class Routing {
  readonly #random: Random;
  readonly #subnet: (subnetId: string | undefined) => Subnet;
  readonly #tables = new Resources<TableRecord>('RouteTableID', 'routeTable');
  readonly #gateways = new Resources<InternetGateway>('InternetGatewayID', 'internetGateway');
  readonly #natGateways = new Resources<NatGateway>('NatGatewayID', 'natGateway');
  readonly #addresses = new Resources<Tagged & { PublicIp: string }>('AllocationID', 'allocation');
  readonly #endpoints = new Resources<VpcEndpoint>('VpcEndpointId', 'Vpc Endpoint');
  readonly #flowLogs = new Resources<FlowLog>('FlowLogId', 'flow log');

  constructor(options: { random: Random; subnet: (subnetId: string | undefined) => Subnet }) {
    this.#random = options.random;
    this.#subnet = options.subnet;
  }

  get tagged(): TaggedKind[] {
    return [
      this.#tables,
      this.#gateways,
      this.#natGateways,
      this.#addresses,
      this.#endpoints,
      this.#flowLogs,
    ];
  }

  createMain(vpcId: string, cidr: string): void {
    const table = this.#addTable(vpcId, cidr);
    table.Associations.push({
      Main: true,
      RouteTableAssociationId: resourceId('rtbassoc', this.#random),
      RouteTableId: table.RouteTableId,
      AssociationState: { State: 'associated' },
    });
  }

  removeAllOf(vpcId: string): void {
    for (const table of this.#tables.all())
      if (table.VpcId === vpcId) this.#tables.remove(table.RouteTableId);
  }

  readonly operations: Operations = {
    CreateRouteTable: (input: CreateRouteTableCommandInput): Output<CreateRouteTableCommandOutput> => {
      const main = this.#tables.all().find((table) => table.VpcId === input.VpcId);
      if (main === undefined)
        throw new AwsError('InvalidVpcID.NotFound', `The vpc ID '${input.VpcId}' does not exist`);
      const table = this.#addTable(input.VpcId!, main.Routes[0]!.DestinationCidrBlock!);
      table.Tags = tagsOf(input.TagSpecifications);
      return { RouteTable: table };
    },

    DeleteRouteTable: (input: DeleteRouteTableCommandInput): object => {
      const table = this.#tables.get(input.RouteTableId);
      if (table.Associations.length > 0) {
        throw new AwsError(
          'DependencyViolation',
          `The routeTable '${table.RouteTableId}' has dependencies and cannot be deleted.`,
        );
      }
      this.#tables.remove(table.RouteTableId);
      return {};
    },

    DescribeRouteTables: (
      input: DescribeRouteTablesCommandInput,
    ): Output<DescribeRouteTablesCommandOutput> => {
      const found = filtered(this.#tables.chosen(input.RouteTableIds), input.Filters, {
        'route-table-id': (table) => [table.RouteTableId],
        'vpc-id': (table) => [table.VpcId],
        'association.subnet-id': (table) => table.Associations.map(({ SubnetId }) => SubnetId),
        'association.main': (table) => table.Associations.map(({ Main }) => String(Main)),
      });
      const { items: RouteTables, ...more } = page(found, input.MaxResults, input.NextToken);
      return { RouteTables, ...more };
    },

    CreateRoute: (input: CreateRouteCommandInput): object => {
      const table = this.#tables.get(input.RouteTableId);
      if (table.Routes.some((route) => route.DestinationCidrBlock === input.DestinationCidrBlock)) {
        throw new AwsError(
          'RouteAlreadyExists',
          `The route identified by ${input.DestinationCidrBlock} already exists.`,
        );
      }
      if (input.GatewayId?.startsWith('igw-') === true) this.#gateways.get(input.GatewayId);
      if (input.NatGatewayId !== undefined) this.#natGateways.get(input.NatGatewayId);
      const { RouteTableId: _table, DryRun: _dryRun, ...route } = input;
      table.Routes.push({ ...route, Origin: 'CreateRoute', State: 'active' });
      return { Return: true };
    },

    DeleteRoute: (input: DeleteRouteCommandInput): object => {
      const table = this.#tables.get(input.RouteTableId);
      table.Routes = table.Routes.filter(
        (route) => route.DestinationCidrBlock !== input.DestinationCidrBlock,
      );
      return {};
    },

    AssociateRouteTable: (
      input: AssociateRouteTableCommandInput,
    ): Output<AssociateRouteTableCommandOutput> => {
      const table = this.#tables.get(input.RouteTableId);
      this.#subnet(input.SubnetId);
      const AssociationId = resourceId('rtbassoc', this.#random);
      table.Associations.push({
        Main: false,
        RouteTableAssociationId: AssociationId,
        RouteTableId: table.RouteTableId,
        SubnetId: input.SubnetId,
        AssociationState: { State: 'associated' },
      });
      return { AssociationId, AssociationState: { State: 'associated' } };
    },

    DisassociateRouteTable: (input: DisassociateRouteTableCommandInput): object => {
      for (const table of this.#tables.all()) {
        table.Associations = table.Associations.filter(
          ({ RouteTableAssociationId }) => RouteTableAssociationId !== input.AssociationId,
        );
      }
      return {};
    },

    CreateInternetGateway: (
      input: CreateInternetGatewayCommandInput,
    ): Output<CreateInternetGatewayCommandOutput> => {
      const id = resourceId('igw', this.#random);
      return {
        InternetGateway: this.#gateways.add(id, {
          InternetGatewayId: id,
          OwnerId: accountId,
          Attachments: [],
          Tags: tagsOf(input.TagSpecifications),
        }),
      };
    },

    AttachInternetGateway: (input: AttachInternetGatewayCommandInput): object => {
      this.#gateways.get(input.InternetGatewayId).Attachments = [{ VpcId: input.VpcId, State: 'attached' }];
      return {};
    },

    DetachInternetGateway: (input: DetachInternetGatewayCommandInput): object => {
      this.#gateways.get(input.InternetGatewayId).Attachments = [];
      return {};
    },

    DeleteInternetGateway: (input: DeleteInternetGatewayCommandInput): object => {
      this.#gateways.remove(input.InternetGatewayId);
      return {};
    },

    AllocateAddress: (input: AllocateAddressCommandInput): Output<AllocateAddressCommandOutput> => {
      const AllocationId = resourceId('eipalloc', this.#random);
      // 198.51.100.0/24 is kept for documentation (RFC 5737): it can reach nobody.
      const PublicIp = `198.51.100.${this.#addresses.all().length + 1}`;
      this.#addresses.add(AllocationId, { PublicIp, Tags: tagsOf(input.TagSpecifications) });
      return { AllocationId, PublicIp, Domain: 'vpc' };
    },

    ReleaseAddress: (input: ReleaseAddressCommandInput): object => {
      this.#addresses.remove(input.AllocationId);
      return {};
    },

    CreateNatGateway: (input: CreateNatGatewayCommandInput): Output<CreateNatGatewayCommandOutput> => {
      const subnet = this.#subnet(input.SubnetId);
      const NatGatewayId = resourceId('nat', this.#random);
      const address =
        input.AllocationId === undefined
          ? {}
          : { PublicIp: this.#addresses.get(input.AllocationId).PublicIp };
      return {
        NatGateway: this.#natGateways.add(NatGatewayId, {
          NatGatewayId,
          SubnetId: input.SubnetId,
          VpcId: subnet.VpcId,
          ConnectivityType: input.ConnectivityType ?? 'public',
          State: 'available',
          NatGatewayAddresses: [{ AllocationId: input.AllocationId, ...address }],
          Tags: tagsOf(input.TagSpecifications),
        }),
      };
    },

    DeleteNatGateway: (input: DeleteNatGatewayCommandInput): object => {
      this.#natGateways.remove(input.NatGatewayId);
      return { NatGatewayId: input.NatGatewayId };
    },

    CreateVpcEndpoint: (input: CreateVpcEndpointCommandInput): Output<CreateVpcEndpointCommandOutput> => {
      const VpcEndpointId = resourceId('vpce', this.#random);
      return {
        VpcEndpoint: this.#endpoints.add(VpcEndpointId, {
          VpcEndpointId,
          VpcId: input.VpcId,
          ServiceName: input.ServiceName,
          VpcEndpointType: input.VpcEndpointType ?? 'Gateway',
          SubnetIds: input.SubnetIds,
          RouteTableIds: input.RouteTableIds,
          PolicyDocument: input.PolicyDocument,
          PrivateDnsEnabled: input.PrivateDnsEnabled,
          State: 'Available',
          Tags: tagsOf(input.TagSpecifications),
        }),
      };
    },

    DeleteVpcEndpoints: (input: DeleteVpcEndpointsCommandInput): object => {
      for (const id of input.VpcEndpointIds ?? []) this.#endpoints.remove(id);
      return { Unsuccessful: [] };
    },

    CreateFlowLogs: (input: CreateFlowLogsCommandInput): Output<CreateFlowLogsCommandOutput> => {
      const FlowLogIds = (input.ResourceIds ?? []).map((ResourceId) => {
        const FlowLogId = resourceId('fl', this.#random);
        this.#flowLogs.add(FlowLogId, {
          FlowLogId,
          ResourceId,
          FlowLogStatus: 'ACTIVE',
          TrafficType: input.TrafficType,
          Tags: tagsOf(input.TagSpecifications),
        });
        return FlowLogId;
      });
      return { FlowLogIds, Unsuccessful: [] };
    },

    DeleteFlowLogs: (input: DeleteFlowLogsCommandInput): object => {
      for (const id of input.FlowLogIds ?? []) this.#flowLogs.remove(id);
      return { Unsuccessful: [] };
    },
  };

  #addTable(vpcId: string, cidr: string): TableRecord {
    const RouteTableId = resourceId('rtb', this.#random);
    return this.#tables.add(RouteTableId, {
      RouteTableId,
      VpcId: vpcId,
      OwnerId: accountId,
      Routes: [
        { DestinationCidrBlock: cidr, GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' },
      ],
      Associations: [],
      Tags: [],
    });
  }
}
