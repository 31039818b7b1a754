/** What a request says about a group, checked, in AWS's words. */
import type {
  CreateAutoScalingGroupCommandInput,
  LaunchTemplateSpecification,
  UpdateAutoScalingGroupCommandInput,
} from '@aws-sdk/client-auto-scaling';
import { AwsError } from '../../call.ts';
import { invalid, type Settings } from './group.ts';
import { launchable } from './launch-spec.ts';
import type { Compute } from './platform.ts';

type Requested = UpdateAutoScalingGroupCommandInput & Partial<CreateAutoScalingGroupCommandInput>;

/** Everything that the API has and this service has not. */
const notModelled = [
  'AvailabilityZoneDistribution',
  'AvailabilityZoneIds',
  'AvailabilityZoneImpairmentPolicy',
  'CapacityRebalance',
  'CapacityReservationSpecification',
  'Context',
  'DeletionProtection',
  'DesiredCapacityType',
  'InstanceId',
  'InstanceLifecyclePolicy',
  'InstanceMaintenancePolicy',
  'LaunchConfigurationName',
  'LoadBalancerNames',
  'MaxInstanceLifetime',
  'MixedInstancesPolicy',
  'NewInstancesProtectedFromScaleIn',
  'Operator',
  'PlacementGroup',
  'ServiceLinkedRoleARN',
] as const satisfies readonly (keyof Requested)[];

/** Defaults: API_CreateAutoScalingGroup. */
const fresh = { healthCheckType: 'EC2', gracePeriodSeconds: 0, cooldownSeconds: 300 };

/** The settings after a request; `before` is undefined for a new group. */
export function settingsOf(input: Requested, before: Settings | undefined, compute: Compute): Settings {
  refuse(input);
  const { healthCheckType, gracePeriodSeconds, cooldownSeconds } = before ?? fresh;
  return {
    ...boundsOf(input, before),
    template: templateOf(input.LaunchTemplate, compute) ?? before?.template ?? noTemplate(),
    subnets: subnetsOf(input.VPCZoneIdentifier, compute) ?? before?.subnets ?? noSubnets(),
    healthCheckType: healthCheckOf(input.HealthCheckType) ?? healthCheckType,
    gracePeriodSeconds: input.HealthCheckGracePeriod ?? gracePeriodSeconds,
    cooldownSeconds: input.DefaultCooldown ?? cooldownSeconds,
    instanceWarmupSeconds: warmupOf(input.DefaultInstanceWarmup, before),
  };
}

/** Bounds and desired capacity after a request. */
export function boundsOf(
  { MinSize, MaxSize, DesiredCapacity }: Pick<Requested, 'MinSize' | 'MaxSize' | 'DesiredCapacity'>,
  before: Settings | undefined,
): Pick<Settings, 'minimum' | 'maximum' | 'desired'> {
  const minimum = MinSize ?? before?.minimum ?? 0;
  const maximum = MaxSize ?? before?.maximum ?? 0;
  if (minimum < 0 || maximum < 0) throw invalid('Min and max size must not be negative');
  if (minimum > maximum) throw invalid('Max bound, must be greater than or equal to min bound');
  // Bounds that leave the desired capacity outside move it (API_UpdateAutoScalingGroup).
  const inherited = Math.min(maximum, Math.max(minimum, before?.desired ?? minimum));
  const desired = DesiredCapacity ?? inherited;
  if (desired < minimum || desired > maximum)
    throw invalid(
      `Desired capacity:${desired} must be between the specified min size:${minimum} and max size:${maximum}`,
    );
  return { minimum, maximum, desired };
}

function refuse(input: Requested): void {
  const asked = notModelled.filter((member) => ![undefined, false, 0].includes(input[member] as undefined));
  const policies = input.TerminationPolicies ?? [];
  const refused: string[] = [...asked];
  if (policies.some((policy) => policy !== 'Default')) refused.push('TerminationPolicies');
  if (input.AvailabilityZones !== undefined && input.VPCZoneIdentifier === undefined)
    refused.push('AvailabilityZones without VPCZoneIdentifier');
  if (refused.length > 0) throw invalid(`${refused.join(', ')}: not modelled by the embedded AWS`);
}

/**
 * Named by id or by name; the version as it is given, `$Default` when it is not. A template that cannot be launched from is
 * refused here already: "You must use a valid fully-formed launch template. The image id '[ami-…]' does not exist" is what
 * people report of CreateAutoScalingGroup.
 */
function templateOf(
  given: LaunchTemplateSpecification | undefined,
  compute: Compute,
): LaunchTemplateSpecification | undefined {
  if (given === undefined) return undefined;
  if ((given.LaunchTemplateId === undefined) === (given.LaunchTemplateName === undefined))
    throw invalid('Valid requests must contain either launchTemplateId or LaunchTemplateName');
  try {
    const { id, name } = launchable(compute, given);
    return { LaunchTemplateId: id, LaunchTemplateName: name, Version: given.Version ?? '$Default' };
  } catch (thrown) {
    if (!(thrown instanceof AwsError)) throw thrown;
    throw invalid(`You must use a valid fully-formed launch template. ${thrown.message}`);
  }
}

function noTemplate(): never {
  throw invalid(
    'Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.',
  );
}

function subnetsOf(given: string | undefined, compute: Compute): string[] | undefined {
  if (given === undefined || given === '') return undefined;
  const subnets = given.split(',').map((each) => each.trim());
  for (const subnetId of subnets)
    if (compute.zoneOf(subnetId) === undefined) throw invalid(`The subnet ID '${subnetId}' does not exist`);
  return subnets;
}

function noSubnets(): never {
  throw invalid('At least one Availability Zone or VPC Subnet is required.');
}

/** More than one by commas; EC2's are always done. */
function healthCheckOf(given: string | undefined): string | undefined {
  const types = given?.split(',').map((each) => each.trim()) ?? [];
  const strange = types.find((type) => type !== 'EC2' && type !== 'ELB');
  if (strange !== undefined)
    throw invalid(`Health checks of type '${strange}' are not modelled by the embedded AWS`);
  if (types.length === 0) return undefined;
  return types.includes('ELB') ? 'ELB' : 'EC2';
}

/** "To remove a value that you previously set, specify -1." Kept and shown; there are no metrics that would wait for it. */
function warmupOf(given: number | undefined, before: Settings | undefined): number | undefined {
  if (given === undefined) return before?.instanceWarmupSeconds;
  return given === -1 ? undefined : given;
}
