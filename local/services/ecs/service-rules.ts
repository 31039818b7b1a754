/** What CreateService and UpdateService refuse, in AWS's words where it is AWS's rule. */
import type {
  CreateServiceCommandInput,
  LoadBalancer,
  NetworkConfiguration,
  UpdateServiceCommandInput,
} from '@aws-sdk/client-ecs';
import { AwsError } from '../../call.ts';
import type { Targets } from '../elbv2/targets.ts';
import { fargateCapacityProviders } from './capacity-providers.ts';
import type { Network } from './network.ts';
import type { TaskDefinitionRecord } from './task-definitions.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/register-multiple-targetgroups.html */
const maximumTargetGroups = 5;

const invalid = (message: string): AwsError => new AwsError('InvalidParameterException', message);

type Request = CreateServiceCommandInput | UpdateServiceCommandInput;

/** Refuses, by name, whatever a request asks for that this ECS would otherwise silently not do. */
export function refuseWhatIsLeftOut(input: Request): void {
  const found = leftOutOfRollouts(input) ?? leftOutOfServices(input);
  if (found !== undefined) throw invalid(`${found} is not part of the embedded ECS.`);
}

const given = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0;

function leftOutOfRollouts(input: Request): string | undefined {
  const { type } = input.deploymentController ?? {};
  if (type !== undefined && type !== 'ECS') return `The deployment controller ${type}`;
  const { strategy, alarms, lifecycleHooks, earlySuccessCriteria } = input.deploymentConfiguration ?? {};
  if (strategy !== undefined && strategy !== 'ROLLING') return `The deployment strategy ${strategy}`;
  if (alarms?.enable === true) return 'deploymentConfiguration.alarms';
  if (given(lifecycleHooks)) return 'deploymentConfiguration.lifecycleHooks';
  if (earlySuccessCriteria?.enable === true) return 'deploymentConfiguration.earlySuccessCriteria';
  return undefined;
}

function leftOutOfServices(input: Request): string | undefined {
  const lists = {
    serviceRegistries: input.serviceRegistries,
    volumeConfigurations: input.volumeConfigurations,
    vpcLatticeConfigurations: input.vpcLatticeConfigurations,
    gatewayConnectors: input.gatewayConnectors,
    placementConstraints: input.placementConstraints,
    placementStrategy: input.placementStrategy,
  };
  for (const [name, list] of Object.entries(lists)) if (given(list)) return name;
  if (input.serviceConnectConfiguration?.enabled === true) return 'serviceConnectConfiguration';
  for (const { advancedConfiguration, loadBalancerName } of input.loadBalancers ?? []) {
    if (advancedConfiguration !== undefined) return 'loadBalancers.advancedConfiguration';
    if (loadBalancerName !== undefined) return 'A Classic Load Balancer';
  }
  return undefined;
}

/** Launch type or capacity providers: Fargate only. */
export function checkCapacity(
  input: Pick<CreateServiceCommandInput, 'launchType' | 'capacityProviderStrategy'>,
  taskDefinition: TaskDefinitionRecord,
): void {
  const strategy = input.capacityProviderStrategy ?? [];
  if (strategy.length > 0 && input.launchType !== undefined)
    throw invalid(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    );
  for (const { capacityProvider } of strategy)
    if (!fargateCapacityProviders.includes(capacityProvider ?? ''))
      throw invalid('The specified capacity provider was not found.');
  if (strategy.length === 0 && input.launchType !== 'FARGATE')
    throw invalid(
      `The launch type ${input.launchType ?? 'EC2'} is not part of the embedded ECS: use FARGATE.`,
    );
  if (taskDefinition.requiresCompatibilities?.includes('FARGATE') !== true)
    throw invalid('Task definition does not support launch_type FARGATE.');
}

export function checkNetwork(configuration: NetworkConfiguration | undefined, network: Network): void {
  const vpc = configuration?.awsvpcConfiguration;
  if (vpc === undefined)
    throw invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  const subnets = vpc.subnets ?? [];
  if (subnets.length === 0) throw invalid('subnets can not be empty.');
  for (const subnet of subnets)
    if (!subnetExists(subnet, network))
      throw invalid(
        `Error retrieving subnet information for [${subnets.join(', ')}]: The subnet ID '${subnet}' does not exist ` +
          '(ErrorCode: InvalidSubnetID.NotFound)',
      );
  const groups = vpc.securityGroups ?? [];
  for (const group of groups)
    if (network.securityGroupExists?.(group) === false)
      throw invalid(
        `Error retrieving security group information for [${groups.join(', ')}]: The security group '${group}' does ` +
          'not exist (ErrorCode: InvalidGroup.NotFound)',
      );
}

function subnetExists(subnet: string, network: Network): boolean {
  if (network.subnetExists !== undefined) return network.subnetExists(subnet);
  const probe = network.address(subnet);
  if (probe !== undefined) network.release?.(probe.eniId);
  return probe !== undefined;
}

export function checkLoadBalancers(
  loadBalancers: readonly LoadBalancer[],
  taskDefinition: TaskDefinitionRecord,
  targets: Targets,
): void {
  if (loadBalancers.length > maximumTargetGroups)
    throw invalid(`load balancers can have at most ${maximumTargetGroups} items.`);
  if (new Set(loadBalancers.map(({ containerPort }) => containerPort)).size > 1)
    throw invalid('Target groups on different container ports are not part of the embedded ECS.');
  for (const { targetGroupArn, containerName, containerPort } of loadBalancers) {
    if (!targetGroupArn) throw invalid('Target group ARN can not be blank.');
    const container = taskDefinition.containerDefinitions.find(({ name }) => name === containerName);
    if (container === undefined)
      throw invalid(`The container ${containerName} does not exist in the task definition.`);
    if (container.portMappings?.some((mapping) => mapping.containerPort === containerPort) !== true)
      throw invalid(`The container ${containerName} did not have a container port ${containerPort} defined.`);
    if (!targets.exists(targetGroupArn))
      throw invalid(`The target group with targetGroupArn ${targetGroupArn} does not exist.`);
    if (!targets.isAssociated(targetGroupArn))
      throw invalid(
        `The target group with targetGroupArn ${targetGroupArn} does not have an associated load balancer.`,
      );
  }
}

/** What only CreateService has. */
export function checkCreation(input: CreateServiceCommandInput): void {
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(input.serviceName ?? ''))
    throw invalid('Service name contains invalid characters.');
  if ((input.clientToken ?? '').length > 36) throw invalid('clientToken can have at most 36 characters.');
  if ((input.schedulingStrategy ?? 'REPLICA') !== 'REPLICA')
    throw invalid(`The scheduling strategy ${input.schedulingStrategy} is not part of the embedded ECS.`);
  if (input.desiredCount === undefined)
    throw invalid('desiredCount is required when schedulingStrategy is REPLICA.');
  checkCounts(input);
  if (input.healthCheckGracePeriodSeconds !== undefined && (input.loadBalancers ?? []).length === 0)
    throw invalid('Health check grace period is only valid for services configured to use load balancers');
}

export function checkCounts(input: Request): void {
  if ((input.desiredCount ?? 0) < 0) throw invalid('desiredCount cannot be negative.');
  const { maximumPercent = 200, minimumHealthyPercent = 100 } = input.deploymentConfiguration ?? {};
  if (maximumPercent <= 100 && minimumHealthyPercent >= 100)
    throw invalid(
      'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
    );
  const threshold = input.deploymentConfiguration?.deploymentCircuitBreaker?.thresholdConfiguration;
  if (threshold !== undefined && !((threshold.value ?? 0) > 0))
    throw invalid('The threshold of the deployment circuit breaker must be greater than 0.');
}
