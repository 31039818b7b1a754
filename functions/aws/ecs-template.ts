/** Whether generations can be made of a task definition. ECS would refuse most of it at the launch, one by one. */
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import type { Platform } from '../core/preflight/image-platform.ts';
import { type Check, type Objection, unchecked } from '../core/preflight/objection.ts';
import type { EcsSettings } from './ecs-settings.ts';

/** A vCPU is 1,024 CPU units: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size */
const unitsOfVcpu = 1_024;

/** The platform of a task, and its vCPUs. Without a runtime platform ECS takes Linux on X86_64 (same page). */
export function taskOf({ runtimePlatform, cpu }: TaskDefinition): {
  readonly platform: Platform;
  readonly size: number;
} {
  const { operatingSystemFamily = 'LINUX', cpuArchitecture = 'X86_64' } = runtimePlatform ?? {};
  return {
    platform: {
      // Windows families name a version too: WINDOWS_SERVER_2022_CORE.
      os: operatingSystemFamily.startsWith('WINDOWS') ? 'windows' : 'linux',
      architecture: cpuArchitecture === 'ARM64' ? 'arm64' : 'amd64',
    },
    size: Number(cpu ?? 0) / unitsOfVcpu,
  };
}

export function objectionsToTemplate(template: TaskDefinition, ecs: EcsSettings): readonly Objection[] {
  return [
    ...containerFaults(template, ecs),
    ...fargateFaults(template, ecs),
    ...rolesNotPassable(template, ecs),
  ];
}

export function noTemplate({ taskDefinition }: EcsSettings): Objection {
  return refuse(
    'template',
    `the task definition ${taskDefinition} does not exist (any more). Deploy the service's stack again`,
  );
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html: name and port must be the definition's. */
function containerFaults(
  { containerDefinitions = [] }: TaskDefinition,
  { taskDefinition, container, port }: EcsSettings,
): Objection[] {
  const found = containerDefinitions.find(({ name }) => name === container);
  if (found === undefined) {
    const names = containerDefinitions.map(({ name }) => name).join(', ');
    return [
      refuse(
        'template',
        `the task definition ${taskDefinition} has no container ${container}; it has ${names || 'none'}. Declare which one the image replaces`,
      ),
    ];
  }
  const ports = (found.portMappings ?? []).map(({ containerPort }) => containerPort);
  if (ports.includes(port)) return [];
  return [
    refuse(
      'template',
      `the container ${container} of ${taskDefinition} declares ${ports.length === 0 ? 'no port' : `port ${ports.join(', ')}`}, not ${port}, which requests are to be sent to. Add it to its port mappings, or declare another port`,
    ),
  ];
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html */
function fargateFaults(
  { compatibilities, networkMode, executionRoleArn }: TaskDefinition,
  { taskDefinition }: EcsSettings,
): Objection[] {
  const faults: string[] = [];
  // What ECS found the definition to fit, which is more than what was required of it.
  if (compatibilities !== undefined && !compatibilities.includes('FARGATE'))
    faults.push(
      `the task definition ${taskDefinition} fits ${compatibilities.join(', ') || 'nothing'}, and generations run on FARGATE. Make it a Fargate one`,
    );
  if (networkMode !== 'awsvpc')
    faults.push(
      `the task definition ${taskDefinition} has the network mode ${networkMode ?? 'bridge'}, and Fargate knows only awsvpc. Change it`,
    );
  if (executionRoleArn === undefined)
    faults.push(
      `the task definition ${taskDefinition} has no execution role, and without one Fargate pulls nothing from ECR. Give it one`,
    );
  return faults.map((words) => refuse('template', words));
}

/**
 * Compared with what the construct allowed and wrote down. Not checked: that the roles still exist and trust ECS, that nobody
 * changed the deployer's policies, and what an organization's policies forbid. Asking IAM (`SimulatePrincipalPolicy`) would
 * not answer these either, for a simulation is of policies as they are written, and it makes each push depend on IAM's
 * control plane, which is in one Region.
 */
function rolesNotPassable({ taskRoleArn, executionRoleArn }: TaskDefinition, ecs: EcsSettings): Objection[] {
  const { roles: passable, taskDefinition } = ecs;
  const asked = [
    ['task', taskRoleArn],
    ['execution', executionRoleArn],
  ] as const;
  if (passable === undefined) {
    const why = "its settings do not say what the deployer may pass; deploy the service's stack again";
    return [unchecked('roles', `the roles of ${taskDefinition} were`, why)];
  }
  return asked.flatMap(([kind, role]) =>
    role === undefined || passable.includes(role)
      ? []
      : [
          refuse(
            'roles',
            `the ${kind} role of ${taskDefinition} is ${role}, which the deployer may not pass; it may pass ${passable.join(', ') || 'none'}. Deploy the service's stack again, so that it allows that role`,
          ),
        ],
  );
}

function refuse(check: Check, words: string): Objection {
  return { severity: 'refuse', check, words };
}
