/** An embedded ECS on a clock that moves only when told to, with a load balancer, a registry and a runner to order about. */
import type {
  ContainerDefinition,
  CreateServiceCommandInput,
  RegisterTaskDefinitionCommandInput,
  Task,
} from '@aws-sdk/client-ecs';
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { AwsEvent } from '../../local/aws-event.ts';
import type { Call } from '../../local/call.ts';
import type { PulledImage } from '../../local/registry/image-store.ts';
import { Ecs, type EcsOptions } from '../../local/services/ecs/ecs.ts';
import type { Target, Targets } from '../../local/services/elbv2/targets.ts';
import type { RunningTask, TaskExit, TaskRunner, TaskSpec } from '../../local/tasks/task.ts';
import { ManualClock } from '../manual-clock.ts';

export const call: Call = {
  principal: { kind: 'root' },
  requestId: 'request',
  endpoint: 'http://127.0.0.1:4566',
};
export const blue =
  'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-blue/0123456789abcdef';
export const unattached =
  'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web-red/0123456789abcdef';

const image: PulledImage = { repository: 'web', digest: `sha256:${'a'.repeat(64)}`, config: {}, layers: [] };

/** A balancer whose verdict on a new target is `verdict`. */
class FakeTargets implements Targets {
  verdict: TargetHealth = { State: 'healthy' };
  readonly groups = new Map<string, Map<string, TargetHealth>>([[blue, new Map()]]);
  readonly log: string[] = [];
  drain: Promise<void> = Promise.resolve();

  register(group: string, target: Target): void {
    this.log.push(`register ${target.id}:${target.port}`);
    this.groups.get(group)?.set(target.id, this.verdict);
  }
  async deregister(group: string, target: Target): Promise<void> {
    this.log.push(`deregister ${target.id}:${target.port}`);
    this.groups.get(group)?.set(target.id, { State: 'draining' });
    await this.drain;
    this.groups.get(group)?.delete(target.id);
  }
  health(group: string, target: Target): TargetHealth | undefined {
    return this.groups.get(group)?.get(target.id);
  }
  isAssociated(group: string): boolean {
    return group === blue;
  }
  exists(group: string): boolean {
    return group === blue || group === unattached;
  }
  /** What the balancer now finds about every target that there is. */
  find(health: TargetHealth): void {
    this.verdict = health;
    for (const targets of this.groups.values()) for (const id of targets.keys()) targets.set(id, health);
  }
}

interface FakeProcess extends RunningTask {
  readonly spec: TaskSpec;
  exit(exitCode: number): void;
  stopped: number | undefined;
}

/** Starts nothing; processes end when told to, or at once on `stop` unless `obedient` is false. */
class FakeRunner implements TaskRunner {
  readonly isolation = 'none';
  readonly processes: FakeProcess[] = [];
  obedient = true;
  failure: Error | undefined;

  async start(spec: TaskSpec): Promise<RunningTask> {
    if (this.failure) throw this.failure;
    const { promise: exited, resolve } = Promise.withResolvers<TaskExit>();
    const process: FakeProcess = {
      spec,
      address: { host: '127.0.0.1', port: 1 },
      exited,
      stopped: undefined,
      exit: (exitCode) => resolve({ exitCode }),
      stop: (ms) => {
        process.stopped = ms;
        if (this.obedient) resolve({ exitCode: 143 });
        return exited;
      },
    };
    this.processes.push(process);
    return process;
  }
  async close(): Promise<void> {}
}

export function world(options: Partial<EcsOptions> = {}) {
  const clock = new ManualClock();
  const events: (AwsEvent & { readonly at: number })[] = [];
  const targets = new FakeTargets();
  const runner = new FakeRunner();
  const images = { failure: undefined as Error | undefined };
  const logs: string[] = [];
  let addresses = 0;
  const started = clock.now();
  const ecs = new Ecs({
    clock,
    emit: (event) => events.push({ ...event, at: (clock.now() - started) / 1000 }),
    targets,
    images: {
      pull: async () => {
        if (images.failure) throw images.failure;
        return image;
      },
    },
    tasks: runner,
    network: {
      subnetExists: (subnet) => subnet.startsWith('subnet-'),
      address: (subnet) => {
        addresses += 1;
        return {
          eniId: `eni-${addresses}`,
          privateIp: `10.0.0.${addresses}`,
          mac: '0a:00:00:00:00:01',
          availabilityZone: subnet === 'subnet-a' ? 'us-east-1a' : 'us-east-1b',
        };
      },
      securityGroupExists: (group) => group === 'sg-1',
    },
    random: () => 0.5,
    onLog: (group, stream, line) => logs.push(`${group} ${stream} ${line}`),
    ...options,
  });
  const api = ecs.operations;
  api.CreateCluster({ clusterName: 'demo' });
  return {
    clock,
    ecs,
    api,
    events,
    targets,
    runner,
    images,
    logs,
    service: (name = 'web') => {
      const found = api.DescribeServices({ cluster: 'demo', services: [name] }).services?.[0];
      if (found === undefined) throw new Error(`no service ${name}`);
      return found;
    },
    /** What the service says, oldest first, without ids. */
    said: (name = 'web') =>
      (api.DescribeServices({ cluster: 'demo', services: [name] }).services?.[0]?.events ?? [])
        .map(({ message }) =>
          (message ?? '').replace(/[0-9a-f]{32}/g, 'ID').replace(/ecs-svc\/\d+/g, 'ecs-svc/N'),
        )
        .toReversed(),
    tasks: (desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING'): Task[] => {
      const tasks = api.ListTasks({ cluster: 'demo', desiredStatus }).taskArns ?? [];
      return tasks.length === 0 ? [] : (api.DescribeTasks({ cluster: 'demo', tasks }).tasks ?? []);
    },
    on: (detailType: string) => events.filter((event) => event.detailType === detailType),
  };
}

export const container: ContainerDefinition = {
  name: 'app',
  image: `127.0.0.1:4566/web@sha256:${'a'.repeat(64)}`,
  portMappings: [{ containerPort: 8080 }],
};

export const definition: RegisterTaskDefinitionCommandInput = {
  family: 'web-g0001',
  requiresCompatibilities: ['FARGATE'],
  networkMode: 'awsvpc',
  cpu: '256',
  memory: '512',
  executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
  containerDefinitions: [container],
};

export const request: CreateServiceCommandInput = {
  cluster: 'demo',
  serviceName: 'web',
  taskDefinition: 'web-g0001',
  desiredCount: 1,
  launchType: 'FARGATE',
  networkConfiguration: {
    awsvpcConfiguration: { subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-1'] },
  },
  loadBalancers: [{ targetGroupArn: blue, containerName: 'app', containerPort: 8080 }],
};

/** A world with the task definition registered and the service created. */
export function running(changes: Partial<CreateServiceCommandInput> = {}, options: Partial<EcsOptions> = {}) {
  const made = world(options);
  made.api.RegisterTaskDefinition(definition, call);
  made.api.CreateService({ ...request, ...changes }, call);
  return made;
}
