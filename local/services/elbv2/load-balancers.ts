/** The operations on application load balancers. One is active as soon as it is created. */
import type {
  AvailabilityZone,
  CreateLoadBalancerCommandInput,
  CreateLoadBalancerCommandOutput,
  DeleteLoadBalancerCommandInput,
  DeleteLoadBalancerCommandOutput,
  DescribeLoadBalancerAttributesCommandInput,
  DescribeLoadBalancerAttributesCommandOutput,
  DescribeLoadBalancersCommandInput,
  DescribeLoadBalancersCommandOutput,
  ModifyLoadBalancerAttributesCommandInput,
  ModifyLoadBalancerAttributesCommandOutput,
  SetSecurityGroupsCommandInput,
  SetSecurityGroupsCommandOutput,
  SetSubnetsCommandInput,
  SetSubnetsCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { region } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { defaultsOf, loadBalancerAttributes, modify, shown } from './attributes.ts';
import type { Listeners } from './listeners.ts';
import { page } from './paging.ts';
import { quotas } from './quotas.ts';
import type { LoadBalancerRecord, Resources } from './resources.ts';
import type { Tags } from './tags.ts';
import { invalid, named } from './validation.ts';

/** Where a subnet is, as EC2 knows it. */
export interface SubnetPlace {
  readonly vpcId: string;
  readonly availabilityZone: string;
}

/** The hosted zone of the region's load balancers (AWS General Reference, "Elastic Load Balancing endpoints"). */
const canonicalHostedZoneId = 'Z35SXDOTRQ7X7K';

export interface LoadBalancersOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly resources: Resources;
  readonly tags: Tags;
  readonly listeners: Listeners;
  readonly subnet: (subnetId: string) => SubnetPlace | undefined;
}

interface Subnets {
  Subnets?: string[] | undefined;
  SubnetMappings?: { SubnetId?: string | undefined }[] | undefined;
}

export function loadBalancerOperations(options: LoadBalancersOptions) {
  const { clock, random, resources, tags, listeners, subnet } = options;

  const zonesOf = (input: Subnets): AvailabilityZone[] => {
    const ids = input.Subnets ?? input.SubnetMappings?.map((mapping) => mapping.SubnetId ?? '') ?? [];
    if (ids.length < 2) {
      throw invalid('At least two subnets in two different Availability Zones must be specified');
    }
    return ids.map((id, index) => ({
      ZoneName: subnet(id)?.availabilityZone ?? `${region}${String.fromCharCode(97 + index)}`,
      SubnetId: id,
      LoadBalancerAddresses: [],
    }));
  };

  return {
    CreateLoadBalancer(input: CreateLoadBalancerCommandInput): Output<CreateLoadBalancerCommandOutput> {
      const name = input.Name ?? '';
      named('Load balancer', name);
      tags.check(input.Tags);
      if ((input.Type ?? 'application') !== 'application') {
        throw new AwsError(
          'InvalidConfigurationRequestException',
          `Load balancers of type '${input.Type}' are not embedded`,
        );
      }
      const zones = zonesOf(input);
      const scheme = input.Scheme ?? 'internet-facing';
      const known = [...resources.loadBalancers.values()].find(
        (one) => one.settings.LoadBalancerName === name,
      );
      if (known !== undefined) {
        const same =
          known.settings.Scheme === scheme && sameSubnets(known.settings.AvailabilityZones ?? [], zones);
        if (same) return { LoadBalancers: [shownAs(known)] };
        throw new AwsError(
          'DuplicateLoadBalancerNameException',
          `A load balancer with the same name '${name}' exists, but with different settings`,
        );
      }
      if (resources.loadBalancers.size >= quotas.loadBalancers) {
        throw new AwsError(
          'TooManyLoadBalancersException',
          `The maximum number of load balancers '${quotas.loadBalancers}' has been reached`,
        );
      }
      const path = `app/${name}/${resources.newId()}`;
      const arn = resources.newArn(`loadbalancer/${path}`);
      const vpcId = subnet(zones[0]?.SubnetId ?? '')?.vpcId;
      const number = Math.floor(random() * 2_000_000_000);
      const loadBalancer: LoadBalancerRecord = {
        arn,
        path,
        settings: {
          LoadBalancerArn: arn,
          DNSName: `${scheme === 'internal' ? 'internal-' : ''}${name}-${number}.${region}.elb.amazonaws.com`,
          CanonicalHostedZoneId: canonicalHostedZoneId,
          CreatedTime: new Date(clock.now()),
          LoadBalancerName: name,
          Scheme: scheme,
          ...(vpcId === undefined ? {} : { VpcId: vpcId }),
          State: { Code: 'active' },
          Type: 'application',
          AvailabilityZones: zones,
          SecurityGroups: input.SecurityGroups ?? [],
          IpAddressType: input.IpAddressType ?? 'ipv4',
        },
        attributes: defaultsOf(loadBalancerAttributes),
      };
      resources.loadBalancers.set(arn, loadBalancer);
      tags.put(arn, input.Tags);
      return { LoadBalancers: [shownAs(loadBalancer)] };
    },

    /** Deletes its listeners as well. Deleting what does not exist succeeds. */
    async DeleteLoadBalancer(
      input: DeleteLoadBalancerCommandInput,
    ): Promise<Output<DeleteLoadBalancerCommandOutput>> {
      const loadBalancer = resources.loadBalancers.get(input.LoadBalancerArn ?? '');
      if (loadBalancer === undefined) return {};
      if (loadBalancer.attributes.get('deletion_protection.enabled') === 'true') {
        throw new AwsError(
          'OperationNotPermittedException',
          `Load balancer '${loadBalancer.arn}' cannot be deleted because deletion protection is enabled`,
        );
      }
      for (const listener of resources.listenersOf(loadBalancer)) await listeners.remove(listener);
      resources.loadBalancers.delete(loadBalancer.arn);
      tags.forget(loadBalancer.arn);
      return {};
    },

    DescribeLoadBalancers(
      input: DescribeLoadBalancersCommandInput,
    ): Output<DescribeLoadBalancersCommandOutput> {
      const all = [...resources.loadBalancers.values()];
      const selected =
        input.LoadBalancerArns?.map((arn) => resources.loadBalancer(arn)) ??
        input.Names?.map((name) => {
          const found = all.find((one) => one.settings.LoadBalancerName === name);
          if (found === undefined) {
            throw new AwsError('LoadBalancerNotFoundException', `Load balancers '[${name}]' not found`);
          }
          return found;
        }) ??
        all;
      const { items, next } = page(selected, input);
      return { LoadBalancers: items.map(shownAs), ...next };
    },

    DescribeLoadBalancerAttributes(
      input: DescribeLoadBalancerAttributesCommandInput,
    ): Output<DescribeLoadBalancerAttributesCommandOutput> {
      return { Attributes: shown(resources.loadBalancer(input.LoadBalancerArn).attributes) };
    },

    async ModifyLoadBalancerAttributes(
      input: ModifyLoadBalancerAttributesCommandInput,
    ): Promise<Output<ModifyLoadBalancerAttributesCommandOutput>> {
      const loadBalancer = resources.loadBalancer(input.LoadBalancerArn);
      modify('Load balancer', loadBalancerAttributes, loadBalancer.attributes, input.Attributes ?? []);
      for (const listener of resources.listenersOf(loadBalancer)) await listeners.configure(listener);
      return { Attributes: shown(loadBalancer.attributes) };
    },

    /** Kept and shown; no network here asks security groups. */
    SetSecurityGroups(input: SetSecurityGroupsCommandInput): Output<SetSecurityGroupsCommandOutput> {
      const loadBalancer = resources.loadBalancer(input.LoadBalancerArn);
      loadBalancer.settings.SecurityGroups = [...(input.SecurityGroups ?? [])];
      return { SecurityGroupIds: loadBalancer.settings.SecurityGroups };
    },

    SetSubnets(input: SetSubnetsCommandInput): Output<SetSubnetsCommandOutput> {
      const loadBalancer = resources.loadBalancer(input.LoadBalancerArn);
      loadBalancer.settings.AvailabilityZones = zonesOf(input);
      return {
        AvailabilityZones: loadBalancer.settings.AvailabilityZones,
        IpAddressType: loadBalancer.settings.IpAddressType,
      };
    },
  } satisfies Operations;
}

function shownAs(loadBalancer: LoadBalancerRecord) {
  return { ...loadBalancer.settings };
}

function sameSubnets(one: readonly AvailabilityZone[], other: readonly AvailabilityZone[]): boolean {
  const ids = (zones: readonly AvailabilityZone[]) =>
    zones
      .map((zone) => zone.SubnetId)
      .toSorted((a, b) => (a ?? '').localeCompare(b ?? ''))
      .join();
  return ids(one) === ids(other);
}
