/** The operations on tasks. */
import type {
  DescribeTasksCommandInput,
  DescribeTasksCommandOutput,
  ListTasksCommandInput,
  ListTasksCommandOutput,
  RunTaskCommandInput,
  RunTaskCommandOutput,
  StopTaskCommandInput,
  StopTaskCommandOutput,
} from '@aws-sdk/client-ecs';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { nameOf, taskArn } from './arns.ts';
import type { Clusters } from './clusters.ts';
import { page } from './page.ts';
import type { Platform } from './platform.ts';
import { checkCapacity, checkNetwork } from './service-rules.ts';
import type { Services } from './services.ts';
import type { Tags } from './tags.ts';
import type { TaskDefinitions } from './task-definitions.ts';
import type { Tasks } from './tasks.ts';
import { vcpuLimitReached, vcpusOf } from './vcpus.ts';

const invalid = (message: string): AwsError => new AwsError('InvalidParameterException', message);

export function taskOperations(options: {
  platform: Platform;
  clusters: Clusters;
  taskDefinitions: TaskDefinitions;
  services: Services;
  tasks: Tasks;
  tags: Tags;
}) {
  const { platform, clusters, taskDefinitions, services, tasks, tags } = options;
  return {
    DescribeTasks: (input: DescribeTasksCommandInput): Output<DescribeTasksCommandOutput> => {
      const references = input.tasks ?? [];
      if (references.length === 0) throw invalid('Tasks cannot be empty.');
      if (references.length > 100) throw invalid('Up to 100 tasks can be described in one request.');
      const cluster = clusters.active(input.cluster);
      const found = references.map((reference) => ({ reference, task: tasks.find(cluster, reference) }));
      const tagged = input.include?.includes('TAGS') === true;
      return {
        tasks: found.flatMap(({ task }) =>
          task ? [{ ...task.describe(), tags: tagged ? tags.of(task.arn) : [] }] : [],
        ),
        failures: found.flatMap(({ reference, task }) =>
          task ? [] : [{ arn: taskArn(cluster.name, nameOf(reference)), reason: 'MISSING' }],
        ),
      };
    },

    ListTasks: (input: ListTasksCommandInput): Output<ListTasksCommandOutput> => {
      const cluster = clusters.active(input.cluster);
      const service = input.serviceName === undefined ? undefined : services.find(cluster, input.serviceName);
      if (input.serviceName !== undefined && service === undefined)
        throw new AwsError('ServiceNotFoundException', 'Service not found.');
      // ECS never sets a desired status of PENDING, so asking for it finds nothing (API reference, ListTasks).
      const status = input.desiredStatus ?? 'RUNNING';
      const found = tasks
        .in(cluster)
        .filter(
          ({ request, desiredStatus }) =>
            desiredStatus === status &&
            (service === undefined || request.group === `service:${service.name}`) &&
            (input.family === undefined || request.taskDefinition.family === input.family) &&
            (input.startedBy === undefined || request.startedBy === input.startedBy) &&
            (input.launchType ?? 'FARGATE') === 'FARGATE' &&
            input.containerInstance === undefined,
        );
      const { items, ...more } = page(
        found.map((task) => task.arn),
        input,
      );
      return { taskArns: items, ...more };
    },

    StopTask: (input: StopTaskCommandInput): Output<StopTaskCommandOutput> => {
      const cluster = clusters.active(input.cluster);
      const task = tasks.find(cluster, input.task ?? '');
      if (task === undefined) throw invalid('The referenced task was not found.');
      task.stop('UserInitiated', input.reason ?? 'Task stopped by user');
      return { task: task.describe() };
    },

    RunTask: (input: RunTaskCommandInput): Output<RunTaskCommandOutput> => {
      const cluster = clusters.active(input.cluster);
      const taskDefinition = taskDefinitions.startable(input.taskDefinition);
      const count = input.count ?? 1;
      if (count < 1 || count > 10) throw invalid('count must be between 1 and 10.');
      if (input.group?.startsWith('service:') === true || input.startedBy?.startsWith('ecs-svc/') === true)
        throw invalid('Group and startedBy of services are reserved.');
      checkCapacity(input, taskDefinition);
      checkNetwork(input.networkConfiguration, platform.network);
      for (const { name } of input.overrides?.containerOverrides ?? [])
        if (!taskDefinition.containerDefinitions.some((container) => container.name === name))
          throw invalid(`Override for container named ${name} is not a container in the TaskDefinition.`);
      const subnets = input.networkConfiguration?.awsvpcConfiguration?.subnets ?? [];
      const reason = whyNotPlaced(platform, count * vcpusOf(taskDefinition));
      if (reason !== undefined) return { tasks: [], failures: [{ arn: cluster.arn, reason }] };
      const started = Array.from({ length: count }, (_, at) =>
        tasks.start({
          cluster,
          taskDefinition,
          subnet: subnets[at % subnets.length] ?? '',
          group: input.group ?? `family:${taskDefinition.family}`,
          startedBy: input.startedBy,
          overrides: input.overrides,
          targetPorts: [],
          enableExecuteCommand: input.enableExecuteCommand,
          capacityProvider: input.capacityProviderStrategy?.[0]?.capacityProvider,
        }),
      );
      for (const task of started) {
        tags.add(task.arn, input.tags);
        if (input.propagateTags === 'TASK_DEFINITION')
          tags.addManaged(task.arn, tags.of(taskDefinition.taskDefinitionArn));
        if (input.enableECSManagedTags === true)
          tags.addManaged(task.arn, [{ key: 'aws:ecs:clusterName', value: cluster.name }]);
      }
      return {
        tasks: started.map((task) => ({ ...task.describe(), tags: tags.of(task.arn) })),
        failures: [],
      };
    },
  } satisfies Operations;
}

function whyNotPlaced(platform: Platform, vcpus: number): string | undefined {
  return platform.placementFailure() ?? (platform.vcpusFree() < vcpus ? vcpuLimitReached : undefined);
}
