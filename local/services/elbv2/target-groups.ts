/** The operations on target groups and their targets. */

import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type {
  CreateTargetGroupCommandInput,
  CreateTargetGroupCommandOutput,
  DeleteTargetGroupCommandInput,
  DeleteTargetGroupCommandOutput,
  DeregisterTargetsCommandInput,
  DeregisterTargetsCommandOutput,
  DescribeTargetGroupAttributesCommandInput,
  DescribeTargetGroupAttributesCommandOutput,
  DescribeTargetGroupsCommandInput,
  DescribeTargetGroupsCommandOutput,
  DescribeTargetHealthCommandInput,
  DescribeTargetHealthCommandOutput,
  ModifyTargetGroupAttributesCommandInput,
  ModifyTargetGroupAttributesCommandOutput,
  ModifyTargetGroupCommandInput,
  ModifyTargetGroupCommandOutput,
  RegisterTargetsCommandInput,
  RegisterTargetsCommandOutput,
  TargetDescription,
  TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { defaultsOf, modify, shown, targetGroupAttributes } from './attributes.ts';
import { page } from './paging.ts';
import { quotas } from './quotas.ts';
import type { Resources, TargetGroupRecord } from './resources.ts';
import type { Tags } from './tags.ts';
import type { TargetRegistrations } from './target-registrations.ts';
import type { Target } from './targets.ts';
import { inRange, invalid, named } from './validation.ts';

export interface TargetGroupsOptions {
  readonly resources: Resources;
  readonly tags: Tags;
  readonly registrations: TargetRegistrations;
  /** Takes a deleted group out of the data plane. */
  readonly forget: (targetGroupArn: string) => Promise<void>;
}

export function targetGroupOperations({ resources, tags, registrations, forget }: TargetGroupsOptions) {
  const show = (group: TargetGroupRecord): TargetGroup => {
    const holder = resources.loadBalancerOf(group.arn);
    return { ...group.settings, LoadBalancerArns: holder === undefined ? [] : [holder.arn] };
  };

  return {
    CreateTargetGroup(input: CreateTargetGroupCommandInput): Output<CreateTargetGroupCommandOutput> {
      const name = input.Name ?? '';
      named('Target group', name);
      tags.check(input.Tags);
      const settings = withDefaults(input);
      checkHealthCheck(settings);
      const known = [...resources.targetGroups.values()].find(
        (group) => group.settings.TargetGroupName === name,
      );
      if (known !== undefined) {
        if (isDeepStrictEqual({ ...settings, TargetGroupArn: known.arn }, known.settings)) {
          return { TargetGroups: [show(known)] };
        }
        throw new AwsError(
          'DuplicateTargetGroupNameException',
          `A target group with the same name '${name}' exists, but with different settings`,
        );
      }
      if (resources.targetGroups.size >= quotas.targetGroups) {
        throw new AwsError(
          'TooManyTargetGroupsException',
          `The maximum number of target groups '${quotas.targetGroups}' has been reached`,
        );
      }
      const path = `targetgroup/${name}/${resources.newId()}`;
      const arn = resources.newArn(path);
      const group: TargetGroupRecord = {
        arn,
        path,
        settings: { ...settings, TargetGroupArn: arn },
        attributes: defaultsOf(targetGroupAttributes),
      };
      resources.targetGroups.set(arn, group);
      tags.put(arn, input.Tags);
      return { TargetGroups: [show(group)] };
    },

    ModifyTargetGroup(input: ModifyTargetGroupCommandInput): Output<ModifyTargetGroupCommandOutput> {
      const group = resources.targetGroup(input.TargetGroupArn);
      const { TargetGroupArn: _, ...given } = input;
      const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      checkHealthCheck({ ...group.settings, ...changes });
      Object.assign(group.settings, changes);
      return { TargetGroups: [show(group)] };
    },

    /** Deleting what does not exist succeeds. */
    async DeleteTargetGroup(
      input: DeleteTargetGroupCommandInput,
    ): Promise<Output<DeleteTargetGroupCommandOutput>> {
      const arn = input.TargetGroupArn ?? '';
      if (!resources.targetGroups.has(arn)) return {};
      if (resources.loadBalancerOf(arn) !== undefined) {
        throw new AwsError(
          'ResourceInUseException',
          `Target group '${arn}' is currently in use by a listener or a rule`,
        );
      }
      resources.targetGroups.delete(arn);
      tags.forget(arn);
      registrations.forget(arn);
      await forget(arn);
      return {};
    },

    DescribeTargetGroups(input: DescribeTargetGroupsCommandInput): Output<DescribeTargetGroupsCommandOutput> {
      const { items, next } = page(selected(input, resources), input);
      return { TargetGroups: items.map(show), ...next };
    },

    DescribeTargetGroupAttributes(
      input: DescribeTargetGroupAttributesCommandInput,
    ): Output<DescribeTargetGroupAttributesCommandOutput> {
      return { Attributes: shown(resources.targetGroup(input.TargetGroupArn).attributes) };
    },

    ModifyTargetGroupAttributes(
      input: ModifyTargetGroupAttributesCommandInput,
    ): Output<ModifyTargetGroupAttributesCommandOutput> {
      const group = resources.targetGroup(input.TargetGroupArn);
      modify('Target group', targetGroupAttributes, group.attributes, input.Attributes ?? []);
      registrations.refreshGroup(group);
      return { Attributes: shown(group.attributes) };
    },

    RegisterTargets(input: RegisterTargetsCommandInput): Output<RegisterTargetsCommandOutput> {
      const group = resources.targetGroup(input.TargetGroupArn);
      const targets = (input.Targets ?? []).map((target) => targetOf(target, group));
      for (const target of targets) {
        if (isIP(target.id) === 0) {
          throw new AwsError(
            'InvalidTargetException',
            `The IP address '${target.id}' is not a valid IPv4 address`,
          );
        }
      }
      for (const target of targets) {
        registrations.register(group.arn, target, { host: target.id, port: target.port });
      }
      return {};
    },

    /** Answers at once; the targets drain. Deregistering what is not registered succeeds. */
    DeregisterTargets(input: DeregisterTargetsCommandInput): Output<DeregisterTargetsCommandOutput> {
      const group = resources.targetGroup(input.TargetGroupArn);
      for (const target of input.Targets ?? [])
        void registrations.deregister(group.arn, targetOf(target, group));
      return {};
    },

    DescribeTargetHealth(input: DescribeTargetHealthCommandInput): Output<DescribeTargetHealthCommandOutput> {
      const group = resources.targetGroup(input.TargetGroupArn);
      const targets =
        input.Targets === undefined || input.Targets.length === 0
          ? registrations.targets(group.arn)
          : input.Targets.map((target) => targetOf(target, group));
      return {
        TargetHealthDescriptions: targets.map((target) => ({
          Target: { Id: target.id, Port: target.port },
          HealthCheckPort: checkPort(group, target),
          TargetHealth: { ...registrations.healthOrUnused(group.arn, target) },
        })),
      };
    },
  } satisfies Operations;
}

function selected(input: DescribeTargetGroupsCommandInput, resources: Resources): TargetGroupRecord[] {
  const given = [input.LoadBalancerArn, input.TargetGroupArns, input.Names].filter(
    (member) => member !== undefined,
  );
  if (given.length > 1) {
    throw invalid('You can specify only one of the following: load balancer ARN, target group ARNs, names');
  }
  if (input.TargetGroupArns !== undefined)
    return input.TargetGroupArns.map((arn) => resources.targetGroup(arn));
  const groups = [...resources.targetGroups.values()];
  if (input.LoadBalancerArn !== undefined) {
    const used = resources.groupsOf(resources.loadBalancer(input.LoadBalancerArn));
    return groups.filter((group) => used.has(group.arn));
  }
  return (
    input.Names?.map((name) => {
      const found = groups.find((group) => group.settings.TargetGroupName === name);
      if (found === undefined) {
        throw new AwsError('TargetGroupNotFoundException', 'One or more target groups not found');
      }
      return found;
    }) ?? groups
  );
}

/** The group with the defaults of the ELB guide ("Health checks for Application Load Balancer target groups"). */
function withDefaults(input: CreateTargetGroupCommandInput): TargetGroup {
  const type = input.TargetType ?? 'instance';
  if (type !== 'ip' && type !== 'instance') {
    throw new AwsError('InvalidConfigurationRequestException', `Targets of type '${type}' are not embedded`);
  }
  if (input.Protocol === undefined) throw invalid('A protocol must be specified');
  checkSpoken(input);
  if (input.Port === undefined) throw invalid('A port must be specified');
  inRange('port', input.Port, 1, 65_535);
  if (input.VpcId === undefined) throw invalid('A VPC ID must be specified');
  if (input.HealthCheckEnabled === false)
    throw invalid('Health check enabled must be true for groups with target type ip');
  return {
    TargetGroupName: input.Name,
    Protocol: input.Protocol,
    ProtocolVersion: input.ProtocolVersion ?? 'HTTP1',
    Port: input.Port,
    VpcId: input.VpcId,
    HealthCheckEnabled: true,
    HealthCheckProtocol: input.HealthCheckProtocol ?? 'HTTP',
    HealthCheckPort: input.HealthCheckPort ?? 'traffic-port',
    HealthCheckPath: input.HealthCheckPath ?? '/',
    HealthCheckIntervalSeconds: input.HealthCheckIntervalSeconds ?? 30,
    HealthCheckTimeoutSeconds: input.HealthCheckTimeoutSeconds ?? 5,
    HealthyThresholdCount: input.HealthyThresholdCount ?? 5,
    UnhealthyThresholdCount: input.UnhealthyThresholdCount ?? 2,
    Matcher: input.Matcher ?? { HttpCode: '200' },
    TargetType: type,
    IpAddressType: input.IpAddressType ?? 'ipv4',
  };
}

/** The balancer speaks HTTP/1.1 without TLS to targets: other wishes are refused rather than ignored. */
function checkSpoken(input: CreateTargetGroupCommandInput): void {
  for (const [given, spoken] of [
    [input.Protocol, 'HTTP'],
    [input.ProtocolVersion ?? 'HTTP1', 'HTTP1'],
    [input.HealthCheckProtocol ?? 'HTTP', 'HTTP'],
  ]) {
    if (given === spoken) continue;
    throw new AwsError(
      'InvalidConfigurationRequestException',
      `Targets that speak '${given}' are not embedded`,
    );
  }
}

function checkHealthCheck(settings: TargetGroup): void {
  inRange('healthCheckIntervalSeconds', settings.HealthCheckIntervalSeconds, 5, 300);
  inRange('healthCheckTimeoutSeconds', settings.HealthCheckTimeoutSeconds, 2, 120);
  inRange('healthyThresholdCount', settings.HealthyThresholdCount, 2, 10);
  inRange('unhealthyThresholdCount', settings.UnhealthyThresholdCount, 2, 10);
  if ((settings.HealthCheckIntervalSeconds ?? 0) <= (settings.HealthCheckTimeoutSeconds ?? 0)) {
    throw invalid('Health check interval must be greater than the timeout.');
  }
  if (!/^[2-4]\d\d(-[2-4]\d\d)?(,[2-4]\d\d(-[2-4]\d\d)?)*$/.test(settings.Matcher?.HttpCode ?? '')) {
    throw invalid(
      `Health check matcher HTTP code '${settings.Matcher?.HttpCode}' must be within '200-499' inclusive`,
    );
  }
  if (!/^\/.{0,1023}$/.test(settings.HealthCheckPath ?? '')) {
    throw invalid(`Health check path '${settings.HealthCheckPath}' must begin with a '/'`);
  }
  const port = settings.HealthCheckPort ?? '';
  if (port !== 'traffic-port' && !(/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw invalid(`Health check port '${port}' is not valid`);
  }
}

function targetOf(target: TargetDescription, group: TargetGroupRecord): Target {
  inRange('targets.1.member.port', target.Port, 1, 65_535);
  return { id: target.Id ?? '', port: target.Port ?? group.settings.Port ?? 0 };
}

function checkPort(group: TargetGroupRecord, target: Target): string {
  const port = group.settings.HealthCheckPort ?? 'traffic-port';
  return port === 'traffic-port' ? String(target.port) : port;
}
