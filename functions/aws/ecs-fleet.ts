/**
 * A generation as one ECS service with a task-definition family of the same name. Names are deterministic and never used
 * again, so what is found under a name is either ours, and adopted, or a stranger's, and left alone.
 */
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  type ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  type Service,
  type Tag,
  type Task,
  type TaskDefinition,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import type { Standing } from '../core/fleet/orphans.ts';
import type { FleetState } from '../core/gates/health.ts';
import type { GenerationName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { ownerTags } from '../core/tags.ts';
import type { Ending, Fleet } from '../ports/fleet.ts';
import { clusterOf, type EcsSettings, type Named, readEcs } from './ecs-settings.ts';
import { bearsTags, discardDefinition, standing } from './ecs-standing.ts';
import { calling, codeOf } from './failures.ts';

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html */
const tasksPerCall = 100;

export class EcsFleet implements Fleet {
  readonly #client: ECSClient;

  constructor(client: ECSClient) {
    this.#client = client;
  }

  async launch(
    settings: ServiceSettings,
    generation: Generation,
    desired: number,
    copyOf: Generation | null,
  ): Promise<void> {
    const ecs = readEcs(settings);
    const found = await this.#find(ecs.cluster, generation);
    if (found !== undefined && found.status !== 'INACTIVE') {
      refuseStranger(found.tags, settings, generation);
      await this.#family(settings, ecs, generation);
      return;
    }
    const family =
      (await this.#family(settings, ecs, generation)) ??
      (await this.#register(settings, ecs, generation, copyOf?.name ?? ecs.taskDefinition));
    await this.#create(settings, ecs, generation, family, desired);
  }

  async wanted(settings: ServiceSettings, generation: Generation): Promise<number | undefined> {
    const service = await this.#find(clusterOf(settings, generation), generation);
    return service?.status === 'ACTIVE' ? (service.desiredCount ?? 0) : undefined;
  }

  async observe(settings: ServiceSettings, generation: Generation): Promise<FleetState | undefined> {
    const cluster = clusterOf(settings, generation);
    const desired = await this.wanted(settings, generation);
    if (desired === undefined) return undefined;
    const tasks = await this.#tasks(cluster, generation);
    return {
      desired,
      running: tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length,
      own: tasks.flatMap(addressOf),
    };
  }

  async resize(settings: ServiceSettings, generation: Generation, desired: number): Promise<void> {
    const cluster = clusterOf(settings, generation);
    refuseStranger((await this.#find(cluster, generation))?.tags, settings, generation);
    await calling(`resizing the ECS service ${generation.name} to ${desired}`, () =>
      this.#client.send(
        new UpdateServiceCommand({ cluster, service: generation.name, desiredCount: desired }),
      ),
    );
  }

  /** Its tasks drain after it, which ECS looks to by itself. */
  async terminate(settings: ServiceSettings, generation: Named): Promise<Ending> {
    const cluster = clusterOf(settings, generation);
    const service = await this.#find(cluster, generation);
    if (service === undefined || service.status !== 'ACTIVE') return 'ended';
    refuseStranger(service.tags, settings, generation);
    await calling(`deleting the ECS service ${generation.name}`, async () => {
      try {
        await this.#client.send(new DeleteServiceCommand({ cluster, service: generation.name, force: true }));
      } catch (thrown) {
        if (codeOf(thrown) !== 'ServiceNotFoundException' && codeOf(thrown) !== 'ServiceNotActiveException')
          throw thrown;
      }
    });
    return 'ended';
  }

  async standing(
    settings: ServiceSettings,
    isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean,
  ): Promise<readonly Standing[]> {
    return standing(this.#client, readEcs(settings).cluster, settings, isAsked);
  }

  async discard(settings: ServiceSettings, name: GenerationName, what: 'all' | 'what runs'): Promise<Ending> {
    const ending = await this.terminate(settings, { name });
    if (what === 'all') await discardDefinition(this.#client, settings, name);
    return ending;
  }

  async forget(settings: ServiceSettings, generation: Generation): Promise<void> {
    await discardDefinition(this.#client, settings, generation.name);
  }

  async #find(cluster: string, generation: Named): Promise<Service | undefined> {
    const answer = await calling(`reading the ECS service ${generation.name}`, () =>
      this.#client.send(
        new DescribeServicesCommand({ cluster, services: [generation.name], include: ['TAGS'] }),
      ),
    );
    // A service that does not exist is a failure with HTTP 200; any other failure must not pass for "does not exist".
    const failure = answer.failures?.find(({ reason }) => reason !== 'MISSING');
    if (failure !== undefined) {
      throw new CutoverError(
        'Cutover.AwsRefused',
        `ECS cannot say whether ${generation.name} exists: ${failure.reason ?? 'no reason'} ${failure.detail ?? ''}`,
      );
    }
    return answer.services?.[0];
  }

  /**
   * The family's revision when an earlier try registered it: a family of a generation has one revision at most. One with
   * another image is not this generation's (a ledger that was lost issues the same numbers again).
   */
  async #family(
    settings: ServiceSettings,
    ecs: EcsSettings,
    generation: Generation,
  ): Promise<string | undefined> {
    const found = await calling(`looking for the task definition ${generation.name}`, async () => {
      try {
        const command = new DescribeTaskDefinitionCommand({ taskDefinition: generation.name });
        return (await this.#client.send(command)).taskDefinition;
      } catch (thrown) {
        if (codeOf(thrown) === 'ClientException') return undefined;
        throw thrown;
      }
    });
    const image = found?.containerDefinitions?.find(({ name }) => name === ecs.container)?.image;
    if (found !== undefined && image !== imageOf(settings, generation)) {
      throw new CutoverError(
        'Cutover.Guarded',
        `the task definition ${generation.name} exists with the image ${image}, not ${imageOf(settings, generation)}; it is left alone. Names of generations are never used again: deregister it, or push again for the next number`,
      );
    }
    return found?.taskDefinitionArn;
  }

  async #register(
    settings: ServiceSettings,
    ecs: EcsSettings,
    generation: Generation,
    source: string,
  ): Promise<string> {
    const template = await calling(`reading the task definition ${source}`, () =>
      this.#client.send(new DescribeTaskDefinitionCommand({ taskDefinition: source })),
    );
    const registered = await calling(`registering the task definition ${generation.name}`, () =>
      this.#client.send(
        new RegisterTaskDefinitionCommand({
          ...fromTemplate(template.taskDefinition ?? {}, ecs, imageOf(settings, generation)),
          family: generation.name,
          tags: tagsOf(settings, generation),
        }),
      ),
    );
    const arn = registered.taskDefinition?.taskDefinitionArn;
    if (arn === undefined)
      throw new CutoverError('Cutover.AwsUnavailable', `ECS registered ${generation.name} without naming it`);
    return arn;
  }

  async #create(
    settings: ServiceSettings,
    ecs: EcsSettings,
    generation: Generation,
    taskDefinition: string,
    desired: number,
  ): Promise<void> {
    const slot = settings.traffic.slots.find(({ name }) => name === generation.slot);
    if (slot === undefined) {
      throw new CutoverError(
        'Cutover.InvalidInput',
        `${generation.name} lives in ${generation.slot}, which is not a slot of ${settings.service}`,
      );
    }
    await calling(`creating the ECS service ${generation.name}`, () =>
      this.#client.send(
        new CreateServiceCommand({
          cluster: ecs.cluster,
          serviceName: generation.name,
          clientToken: generation.name,
          taskDefinition,
          desiredCount: desired,
          launchType: 'FARGATE',
          loadBalancers: [
            { targetGroupArn: slot.targetGroup, containerName: ecs.container, containerPort: ecs.port },
          ],
          networkConfiguration: {
            awsvpcConfiguration: {
              subnets: ecs.subnets,
              securityGroups: ecs.securityGroups,
              assignPublicIp: ecs.assignPublicIp ? 'ENABLED' : 'DISABLED',
            },
          },
          // A slow start is the health deadline's business: until then ECS must not kill what fails its first checks.
          healthCheckGracePeriodSeconds: settings.healthDeadlineSeconds,
          // Tasks must not move between zones while the gates watch them.
          availabilityZoneRebalancing: 'DISABLED',
          deploymentConfiguration: {
            maximumPercent: 200,
            minimumHealthyPercent: 100,
            // Ends endless relaunching and announces it; going back is ours to do.
            deploymentCircuitBreaker: {
              enable: true,
              rollback: false,
              resetOnHealthyTask: false,
              thresholdConfiguration: { type: 'COUNT', value: 3 },
            },
          },
          propagateTags: 'SERVICE',
          enableECSManagedTags: true,
          tags: tagsOf(settings, generation),
        }),
      ),
    );
  }

  async #tasks(cluster: string, generation: Generation): Promise<readonly Task[]> {
    return calling(`reading the tasks of ${generation.name}`, async () => {
      const arns: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await this.#client.send(
          new ListTasksCommand({
            cluster,
            serviceName: generation.name,
            ...(nextToken && { nextToken }),
          }),
        );
        arns.push(...(page.taskArns ?? []));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      const tasks: Task[] = [];
      for (let at = 0; at < arns.length; at += tasksPerCall) {
        const batch = arns.slice(at, at + tasksPerCall);
        const page = await this.#client.send(new DescribeTasksCommand({ cluster, tasks: batch }));
        tasks.push(...(page.tasks ?? []));
      }
      return tasks;
    });
  }
}

/** Always by digest: what the tag names may change. */
function imageOf(settings: ServiceSettings, generation: Generation): string {
  return `${settings.repositoryUri}@${generation.digest}`;
}

/** The template with the image pinned; what AWS adds to a registered definition is left out. */
function fromTemplate(template: TaskDefinition, ecs: EcsSettings, image: string) {
  const {
    taskDefinitionArn: _arn,
    revision: _revision,
    status: _status,
    requiresAttributes: _requires,
    compatibilities: _compatibilities,
    registeredAt: _at,
    registeredBy: _by,
    deregisteredAt: _deregistered,
    family: _family,
    containerDefinitions = [],
    ...rest
  } = template;
  if (!containerDefinitions.some(({ name }) => name === ecs.container)) {
    throw new CutoverError(
      'Cutover.InvalidInput',
      `the template ${ecs.taskDefinition} has no container ${ecs.container}; it has ${containerDefinitions.map(({ name }) => name).join(', ')}`,
    );
  }
  return {
    ...rest,
    containerDefinitions: containerDefinitions.map((each) =>
      each.name === ecs.container ? { ...each, image } : each,
    ),
  };
}

function tagsOf(settings: ServiceSettings, generation: Generation): Tag[] {
  return Object.entries(ownerTags(settings.service, generation.name)).map(([key, value]) => ({ key, value }));
}

function refuseStranger(
  tags: readonly Tag[] | undefined,
  settings: ServiceSettings,
  generation: Named,
): void {
  if (bearsTags(tags, settings, generation.name)) return;
  throw new CutoverError(
    'Cutover.Guarded',
    `an ECS service ${generation.name} exists that does not bear Cutover's tags; it is left alone. Delete or rename it`,
  );
}

function addressOf(task: Task): string[] {
  const details = (task.attachments ?? []).flatMap((attachment) => attachment.details ?? []);
  return details.flatMap(({ name, value }) =>
    name === 'privateIPv4Address' && value !== undefined ? [value] : [],
  );
}
