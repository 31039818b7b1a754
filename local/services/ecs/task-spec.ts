/** What the runner is told to start for a task: its container definition, the request's overrides, Fargate's variables. */
import type { ContainerDefinition, KeyValuePair, TaskOverride } from '@aws-sdk/client-ecs';
import { region } from '../../account.ts';
import type { PulledImage } from '../../registry/image-store.ts';
import type { TaskSpec } from '../../tasks/task.ts';

export function taskSpec(options: {
  id: string;
  image: PulledImage;
  container: ContainerDefinition;
  overrides: TaskOverride | undefined;
  /** The port that the load balancer uses, if one does. */
  containerPort: number | undefined;
  onLog: (logGroup: string, logStream: string, line: string) => void;
}): TaskSpec {
  const { container, id, image } = options;
  const override = options.overrides?.containerOverrides?.find(({ name }) => name === container.name);
  const command = override?.command ?? container.command;
  const log = container.logConfiguration?.options;
  const group = log?.['awslogs-group'];
  // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html: prefix/container/task.
  const stream = [log?.['awslogs-stream-prefix'], container.name, id].filter(Boolean).join('/');
  return {
    id,
    image,
    ...(container.entryPoint?.length ? { entryPoint: container.entryPoint } : {}),
    ...(command?.length ? { command } : {}),
    ...(container.workingDirectory ? { workingDirectory: container.workingDirectory } : {}),
    ...(container.user ? { user: container.user } : {}),
    // Left out: the metadata endpoint (ECS_CONTAINER_METADATA_URI_V4) and the task role's credentials.
    environment: {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE',
      ...environment(container.environment),
      ...environment(override?.environment),
    },
    // 0 for a task that listens on no port.
    containerPort: options.containerPort ?? container.portMappings?.[0]?.containerPort ?? 0,
    onLog: (line) => {
      if (group !== undefined) options.onLog(group, stream, line);
    },
  };
}

function environment(pairs: readonly KeyValuePair[] | undefined): Record<string, string> {
  return Object.fromEntries((pairs ?? []).map(({ name, value }) => [name ?? '', value ?? '']));
}
