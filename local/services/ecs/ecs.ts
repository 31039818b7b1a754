/**
 * Amazon ECS, embedded: Fargate services and tasks that really run, as processes from pulled images, with AWS's states,
 * delays, words and events. Left out, and refused where asked for: EC2 capacity, several containers in a task, container
 * health checks, secrets, volumes, Service Connect, ECS's own blue/green, daemons, ECS Exec, the task metadata endpoint.
 */
import { randomUUID } from 'node:crypto';
import type { Emit } from '../../aws-event.ts';
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { ImageStore } from '../../registry/image-store.ts';
import type { TaskRunner } from '../../tasks/task.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { VcpuUsage } from '../cloudwatch/vcpu-usage.ts';
import type { Targets } from '../elbv2/targets.ts';
import { AccountSettings } from './account-settings.ts';
import { capacityProviderOperations } from './capacity-providers.ts';
import { Chance } from './chance.ts';
import { Clusters } from './clusters.ts';
import { type Delays, fargateDelays } from './delays.ts';
import type { Network } from './network.ts';
import type { Platform } from './platform.ts';
import { serviceDeploymentOperations } from './service-deployment-operations.ts';
import { Services } from './services.ts';
import { Tags } from './tags.ts';
import { TaskDefinitions } from './task-definitions.ts';
import { taskOperations } from './task-operations.ts';
import { Tasks } from './tasks.ts';

export interface EcsOptions {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly targets: Targets;
  readonly images: ImageStore;
  readonly tasks: TaskRunner;
  readonly network: Network;
  /** Uniform in [0, 1); a seeded one makes delays and ids repeatable. */
  readonly random?: () => number;
  readonly uuid?: () => string;
  readonly delays?: Partial<Delays>;
  /** A line of a container with the `awslogs` driver; the stream is `prefix/container/task id`. */
  readonly onLog?: (logGroup: string, logStream: string, line: string) => void;
  /** Why Fargate has no room for a task now, such as `RESOURCE:FARGATE`; undefined when it has. */
  readonly placementFailure?: () => string | undefined;
  /** The quota L-3032A538 of the account; without limit when absent. */
  readonly vcpuQuota?: () => number;
  /** Where the use of that quota is published; absent: nowhere. */
  readonly metrics?: MetricSink;
  /**
   * The most milliseconds on the wall between SIGTERM and SIGKILL. A process lives on the wall even where the clock runs
   * ahead, so `stopTimeout` counts wall time too; this cuts it short. Absent: `stopTimeout` as it is (30 s).
   */
  readonly stopWallMs?: number;
  /**
   * When a task with targets gets SIGTERM: at once, while they drain (false, and the harder case for an application), or
   * when they have drained. AWS documents only that deregistration comes first; published time lines show
   * scheduler-initiated stops that stay DEACTIVATING for the deregistration delay.
   */
  readonly drainBeforeStop?: boolean;
}

export class Ecs {
  readonly operations;
  readonly #services: Services;
  readonly #tasks: Tasks;
  readonly #tags: Tags;
  readonly #usage: VcpuUsage;

  constructor(options: EcsOptions) {
    const { clock, emit, targets, images, network } = options;
    const platform: Platform = {
      clock,
      emit,
      targets,
      images,
      runner: options.tasks,
      network,
      chance: new Chance(options.random ?? Math.random, options.uuid ?? randomUUID),
      delays: { ...fargateDelays, ...options.delays },
      onLog: options.onLog ?? (() => undefined),
      placementFailure: options.placementFailure ?? (() => undefined),
      vcpusFree: () => (options.vcpuQuota?.() ?? Number.POSITIVE_INFINITY) - this.#tasks.vcpus(),
      stopWallMs: options.stopWallMs ?? Number.POSITIVE_INFINITY,
      drainBeforeStop: options.drainBeforeStop ?? false,
    };
    const tags = new Tags(
      (arn) =>
        clusters.exists(arn) ||
        taskDefinitions.exists(arn) ||
        tasks.exists(arn) ||
        services.all().some((service) => service.arn === arn && service.status !== 'INACTIVE'),
    );
    const tasks = new Tasks(platform, (task) => tags.forget(task.arn));
    this.#usage = new VcpuUsage({
      clock,
      service: 'Fargate',
      metrics: options.metrics,
      vcpus: () => tasks.vcpus(),
    });
    const taskDefinitions = new TaskDefinitions({
      clock,
      tags,
      inUse: (arn) => tasks.uses(arn) || services.uses(arn),
    });
    const clusters = new Clusters({
      tags,
      load: (cluster) => {
        const statuses = tasks.in(cluster).map((task) => task.lastStatus);
        return {
          activeServices: services
            .all()
            .filter((service) => service.cluster.arn === cluster.arn && service.status === 'ACTIVE').length,
          runningTasks: statuses.filter((status) => status === 'RUNNING').length,
          pendingTasks: statuses.filter((status) =>
            ['PROVISIONING', 'PENDING', 'ACTIVATING'].includes(status),
          ).length,
        };
      },
    });
    const services = new Services({ platform, clusters, taskDefinitions, tasks, tags });
    this.#services = services;
    this.#tasks = tasks;
    this.#tags = tags;
    this.operations = {
      ...clusters.operations,
      ...taskDefinitions.operations,
      ...services.operations,
      ...taskOperations({ platform, clusters, taskDefinitions, services, tasks, tags }),
      ...serviceDeploymentOperations({ clusters, services }),
      ...capacityProviderOperations(clusters),
      ...tags.operations,
      ...new AccountSettings().operations,
    } satisfies Operations;
  }

  /** For policies that go by tags. */
  tagsOf(arn: string): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#tags.of(arn).map(({ key = '', value = '' }) => [key, value]));
  }

  /** Schedules nothing more; the processes of tasks are the runner's to end. */
  close(): void {
    this.#usage.close();
    this.#services.close();
    this.#tasks.close();
  }
}
