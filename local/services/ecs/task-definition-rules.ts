/** What RegisterTaskDefinition refuses: AWS's own rules for Fargate, and what the embedded ECS cannot run. */
import type { ContainerDefinition, RegisterTaskDefinitionCommandInput } from '@aws-sdk/client-ecs';
import { AwsError } from '../../call.ts';

/**
 * MiB of memory by CPU units, as [from, to, step].
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
 */
const fargateMemory: Readonly<Record<string, readonly [number, number, number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16384, 1024],
  4096: [8192, 30720, 1024],
  8192: [16384, 61440, 4096],
  16384: [32768, 122880, 8192],
};

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html: seconds, on Fargate. */
const maximumStopTimeout = 120;

const clientError = (message: string): AwsError => new AwsError('ClientException', message);

export function checkTaskDefinition(input: RegisterTaskDefinitionCommandInput): void {
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(input.family ?? ''))
    throw clientError('Family contains invalid characters.');
  const containers = input.containerDefinitions ?? [];
  if (containers.length === 0) throw clientError('Container list cannot be empty.');
  for (const container of containers) checkContainer(container, input);
  if (containers.every((container) => container.essential === false))
    throw clientError('A task definition must have at least one essential container.');
  if (input.requiresCompatibilities?.includes('FARGATE') === true) checkFargate(input);
  if (containers.length > 1)
    throw clientError('The embedded ECS runs tasks of one container; this task definition has several.');
  if ((input.volumes ?? []).length > 0) throw clientError('Volumes are not part of the embedded ECS.');
}

function checkContainer(container: ContainerDefinition, input: RegisterTaskDefinitionCommandInput): void {
  if (!container.image) throw clientError('Container.image should not be null or empty.');
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(container.name ?? ''))
    throw clientError('Container.name contains invalid characters.');
  for (const { containerPort, hostPort } of container.portMappings ?? [])
    if (
      input.networkMode === 'awsvpc' &&
      hostPort !== undefined &&
      hostPort !== 0 &&
      hostPort !== containerPort
    )
      throw clientError(
        'When networkMode=awsvpc, the host ports and container ports in port mappings must match.',
      );
  if ((container.stopTimeout ?? 0) > maximumStopTimeout)
    throw clientError(`Container.stopTimeout must be at most ${maximumStopTimeout} seconds.`);
  const left = leftOut(container);
  if (left !== undefined)
    throw clientError(`${left} is not part of the embedded ECS (container ${container.name}).`);
}

/** What would silently change how a container behaves, were it ignored. */
function leftOut(container: ContainerDefinition): string | undefined {
  if ((container.secrets ?? []).length > 0) return 'Container.secrets';
  if ((container.environmentFiles ?? []).length > 0) return 'Container.environmentFiles';
  if ((container.mountPoints ?? []).length > 0) return 'Container.mountPoints';
  if (container.healthCheck !== undefined) return 'Container.healthCheck';
  if (container.restartPolicy?.enabled === true) return 'Container.restartPolicy';
  if (container.logConfiguration !== undefined && container.logConfiguration.logDriver !== 'awslogs')
    return `The log driver ${container.logConfiguration.logDriver}`;
  return undefined;
}

function checkFargate(input: RegisterTaskDefinitionCommandInput): void {
  if (input.networkMode !== 'awsvpc') throw clientError("Fargate only supports network mode 'awsvpc'.");
  if (input.cpu === undefined) throw clientError("Fargate requires that 'cpu' be defined at the task level.");
  if (input.memory === undefined)
    throw clientError("Fargate requires that 'memory' be defined at the task level.");
  const memory = fargateMemory[input.cpu];
  const asked = Number(input.memory);
  const fits =
    memory !== undefined && asked >= memory[0] && asked <= memory[1] && (asked - memory[0]) % memory[2] === 0;
  if (!fits) throw clientError('No Fargate configuration exists for given values.');
  if (input.executionRoleArn !== undefined) return;
  for (const container of input.containerDefinitions ?? []) {
    if (container.logConfiguration?.logDriver === 'awslogs')
      throw clientError(
        'Fargate requires task definition to have execution role ARN to support log driver awslogs.',
      );
    if (container.image?.includes('.dkr.ecr.') === true)
      throw clientError('Fargate requires task definition to have execution role ARN to support ECR images.');
  }
}
