/** A task as DescribeTasks shows it, and as `ECS Task State Change` events tell it. */
import type { Attachment, Container, Task as TaskDescription } from '@aws-sdk/client-ecs';
import type { Task } from './task.ts';

/** How the API calls an attachment that events call `eni`. */
const interfaceType = 'ElasticNetworkInterface';

export function describeTask(task: Task): TaskDescription {
  const { request } = task;
  const { taskDefinition } = request;
  return {
    attachments: attachments(task),
    attributes: [
      {
        name: 'ecs.cpu-architecture',
        value: taskDefinition.runtimePlatform?.cpuArchitecture === 'ARM64' ? 'arm64' : 'x86_64',
      },
    ],
    availabilityZone: task.interface?.availabilityZone,
    clusterArn: request.cluster.arn,
    connectivity: task.connectivityAt === undefined ? undefined : 'CONNECTED',
    connectivityAt: task.connectivityAt,
    containers: [container(task)],
    cpu: taskDefinition.cpu,
    createdAt: task.createdAt,
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: request.enableExecuteCommand ?? false,
    ephemeralStorage: { sizeInGiB: taskDefinition.ephemeralStorage?.sizeInGiB ?? 20 },
    executionStoppedAt: task.executionStoppedAt,
    group: request.group,
    healthStatus: 'UNKNOWN',
    lastStatus: task.lastStatus,
    ...(request.capacityProvider === undefined
      ? { launchType: 'FARGATE' }
      : { capacityProviderName: request.capacityProvider, launchType: 'FARGATE' }),
    memory: taskDefinition.memory,
    overrides: {
      ...request.overrides,
      containerOverrides: request.overrides?.containerOverrides ?? [
        { name: taskDefinition.containerDefinitions[0]?.name },
      ],
      inferenceAcceleratorOverrides: [],
    },
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
    pullStartedAt: task.pullStartedAt,
    pullStoppedAt: task.pullStoppedAt,
    startedAt: task.startedAt,
    startedBy: request.startedBy,
    stopCode: task.stopCode,
    stoppedAt: task.stoppedAt,
    stoppedReason: task.stoppedReason,
    stoppingAt: task.stoppingAt,
    tags: [],
    taskArn: task.arn,
    taskDefinitionArn: taskDefinition.taskDefinitionArn,
    version: task.version,
  };
}

/** The event's `detail`: time stamps as ISO strings, attachment type `eni`, plus `updatedAt`, less what events leave out. */
export function taskStateChange(task: Task): unknown {
  const { tags: _tags, healthStatus: _health, platformFamily: _family, ...description } = describeTask(task);
  const { inferenceAcceleratorOverrides: _accelerators, ...overrides } = description.overrides ?? {};
  const detail = {
    ...description,
    attachments: description.attachments?.map((attachment) =>
      attachment.type === interfaceType ? { ...attachment, type: 'eni' } : attachment,
    ),
    containers: description.containers?.map(
      ({ healthStatus: _status, networkBindings: _bindings, ...rest }) => rest,
    ),
    overrides,
    updatedAt: task.updatedAt,
  };
  // A copy as of now, in JSON's own terms.
  return JSON.parse(JSON.stringify(detail));
}

/** As in real events, a service task's `elb` attachment comes first: whoever wants the address must look for the type. */
function attachments(task: Task): Attachment[] {
  const gone = task.lastStatus === 'STOPPED';
  const status = (attached: boolean): string => (gone ? 'DELETED' : attached ? 'ATTACHED' : 'PRECREATED');
  const { interface: eni, request, attachmentIds } = task;
  const details = [
    { name: 'subnetId', value: request.subnet },
    ...(eni === undefined
      ? []
      : [
          { name: 'networkInterfaceId', value: eni.eniId },
          { name: 'macAddress', value: eni.mac },
          { name: 'privateDnsName', value: `ip-${eni.privateIp.replaceAll('.', '-')}.ec2.internal` },
          { name: 'privateIPv4Address', value: eni.privateIp },
        ]),
  ];
  return [
    ...(request.targetPorts.length === 0
      ? []
      : [{ id: attachmentIds.elb, type: 'elb', status: status(task.registered.size > 0), details: [] }]),
    { id: attachmentIds.eni, type: interfaceType, status: status(eni !== undefined), details },
  ];
}

function container(task: Task): Container {
  const { request, interface: eni, attachmentIds } = task;
  const definition = request.taskDefinition.containerDefinitions[0] ?? {};
  return {
    containerArn: task.containerArn,
    taskArn: task.arn,
    name: definition.name,
    image: definition.image,
    imageDigest: task.imageDigest,
    runtimeId: task.runtimeId,
    lastStatus: containerStatus(task),
    exitCode: task.exitCode,
    reason: task.containerReason,
    networkBindings: [],
    networkInterfaces:
      eni === undefined ? [] : [{ attachmentId: attachmentIds.eni, privateIpv4Address: eni.privateIp }],
    healthStatus: 'UNKNOWN',
    cpu: String(definition.cpu ?? 0),
    ...(definition.memory === undefined ? {} : { memory: String(definition.memory) }),
    ...(definition.memoryReservation === undefined
      ? {}
      : { memoryReservation: String(definition.memoryReservation) }),
  };
}

function containerStatus(task: Task): string {
  if (task.exitCode !== undefined || task.lastStatus === 'DEPROVISIONING' || task.lastStatus === 'STOPPED')
    return 'STOPPED';
  return task.runtimeId === undefined ? 'PENDING' : 'RUNNING';
}
