/** Services: the records, their schedulers, and the operations on them. */
import { isDeepStrictEqual } from 'node:util';
import type {
  CreateServiceCommandInput,
  CreateServiceCommandOutput,
  DeleteServiceCommandInput,
  DeleteServiceCommandOutput,
  DeploymentConfiguration,
  DescribeServicesCommandInput,
  DescribeServicesCommandOutput,
  ListServicesCommandInput,
  ListServicesCommandOutput,
  UpdateServiceCommandInput,
  UpdateServiceCommandOutput,
} from '@aws-sdk/client-ecs';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import { principalArn } from '../../iam/principal-arn.ts';
import { nameOf, refersTo, serviceArn } from './arns.ts';
import type { ClusterRecord, Clusters } from './clusters.ts';
import { page } from './page.ts';
import type { Platform } from './platform.ts';
import type { Service, ServiceSettings } from './service.ts';
import { describeService } from './service-description.ts';
import {
  checkCapacity,
  checkCounts,
  checkCreation,
  checkLoadBalancers,
  checkNetwork,
  refuseWhatIsLeftOut,
} from './service-rules.ts';
import { ServiceScheduler } from './service-scheduler.ts';
import type { Tags } from './tags.ts';
import type { TaskDefinitions } from './task-definitions.ts';
import type { Tasks } from './tasks.ts';

/** An INACTIVE service can be described "for a time" (API reference, DeleteService): an hour here, then MISSING. */
const keptInactive = 60 * 60_000;
const inactiveService = (): AwsError => new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.');

interface Entry {
  readonly service: Service;
  readonly scheduler: ServiceScheduler;
}

export class Services {
  readonly #platform: Platform;
  readonly #clusters: Clusters;
  readonly #taskDefinitions: TaskDefinitions;
  readonly #tasks: Tasks;
  readonly #tags: Tags;
  readonly #entries = new Map<string, Entry>();

  constructor(options: {
    platform: Platform;
    clusters: Clusters;
    taskDefinitions: TaskDefinitions;
    tasks: Tasks;
    tags: Tags;
  }) {
    this.#platform = options.platform;
    this.#clusters = options.clusters;
    this.#taskDefinitions = options.taskDefinitions;
    this.#tasks = options.tasks;
    this.#tags = options.tags;
  }

  all(): Service[] {
    const since = this.#platform.clock.now() - keptInactive;
    for (const [arn, { service }] of this.#entries)
      if (service.inactiveAt !== undefined && service.inactiveAt < since) {
        this.#entries.delete(arn);
        this.#tags.forget(arn);
      }
    return [...this.#entries.values()].map(({ service }) => service);
  }

  find(cluster: ClusterRecord, reference: string | undefined): Service | undefined {
    return this.all().find(
      (service) =>
        service.cluster.arn === cluster.arn && refersTo(reference ?? '', service.name, service.arn),
    );
  }

  uses(taskDefinitionArn: string): boolean {
    return this.all().some((service) =>
      service.deployments.some(
        ({ taskDefinition }) => taskDefinition.taskDefinitionArn === taskDefinitionArn,
      ),
    );
  }

  close(): void {
    for (const { scheduler } of this.#entries.values()) scheduler.close();
  }

  readonly operations = {
    CreateService: (input: CreateServiceCommandInput, call: Call): Output<CreateServiceCommandOutput> => {
      refuseWhatIsLeftOut(input);
      checkCreation(input);
      const cluster = this.#clusters.active(input.cluster);
      const existing = this.find(cluster, input.serviceName);
      if (existing?.status === 'DRAINING')
        throw new AwsError('InvalidParameterException', 'Unable to Start a service that is still Draining.');
      if (existing?.status === 'ACTIVE') {
        if (!isDeepStrictEqual(existing.request, plain(input)))
          throw new AwsError('InvalidParameterException', 'Creation of service was not idempotent.');
        return { service: this.#described(existing, true) };
      }
      const taskDefinition = this.#taskDefinitions.startable(input.taskDefinition);
      checkCapacity(input, taskDefinition);
      checkNetwork(input.networkConfiguration, this.#platform.network);
      checkLoadBalancers(input.loadBalancers ?? [], taskDefinition, this.#platform.targets);
      const name = input.serviceName ?? '';
      const service: Service = {
        name,
        arn: serviceArn(cluster.name, name),
        cluster,
        createdAt: new Date(this.#platform.clock.now()),
        createdBy: principalArn(call.principal),
        request: plain(input),
        settings: {
          desiredCount: input.desiredCount ?? 0,
          taskDefinition,
          deploymentConfiguration: configurationOf(input.deploymentConfiguration),
          networkConfiguration: input.networkConfiguration,
          loadBalancers: input.loadBalancers ?? [],
          healthCheckGracePeriodSeconds:
            input.healthCheckGracePeriodSeconds ?? ((input.loadBalancers ?? []).length > 0 ? 0 : undefined),
          // ENABLED unless told, since 2025 (API reference, CreateService).
          availabilityZoneRebalancing: input.availabilityZoneRebalancing ?? 'ENABLED',
          enableECSManagedTags: input.enableECSManagedTags ?? false,
          propagateTags: input.propagateTags ?? 'NONE',
          enableExecuteCommand: input.enableExecuteCommand ?? false,
          platformVersion: input.platformVersion ?? 'LATEST',
          capacityProviderStrategy: input.capacityProviderStrategy,
        },
        status: 'ACTIVE',
        inactiveAt: undefined,
        deployments: [],
        history: [],
        tasks: [],
        events: [],
      };
      this.#tags.forget(service.arn);
      this.#tags.add(service.arn, input.tags);
      const scheduler = new ServiceScheduler({
        platform: this.#platform,
        service,
        tasks: this.#tasks,
        tags: this.#tags,
      });
      this.#entries.set(service.arn, { service, scheduler });
      scheduler.deploy();
      return { service: this.#described(service, true) };
    },

    UpdateService: (input: UpdateServiceCommandInput): Output<UpdateServiceCommandOutput> => {
      refuseWhatIsLeftOut(input);
      const cluster = this.#clusters.active(input.cluster);
      const { service, scheduler } = this.#entry(cluster, input.service);
      if (service.status !== 'ACTIVE') throw inactiveService();
      checkCounts({
        ...input,
        deploymentConfiguration: {
          ...service.settings.deploymentConfiguration,
          ...input.deploymentConfiguration,
        },
      });
      const settings = this.#updated(service.settings, input);
      const redeploy = input.forceNewDeployment === true || deploysAnew(service.settings, settings);
      Object.assign(service.settings, settings);
      const primary = service.deployments[0];
      if (redeploy) scheduler.deploy();
      else if (primary !== undefined) primary.updatedAt = new Date(this.#platform.clock.now());
      scheduler.wake();
      return { service: this.#described(service, true) };
    },

    DeleteService: (input: DeleteServiceCommandInput): Output<DeleteServiceCommandOutput> => {
      const cluster = this.#clusters.active(input.cluster);
      const { service, scheduler } = this.#entry(cluster, input.service);
      if (service.status === 'INACTIVE') throw new AwsError('ServiceNotFoundException', 'Service not found.');
      if (service.settings.desiredCount > 0 && input.force !== true)
        throw new AwsError(
          'InvalidParameterException',
          'The service cannot be stopped while it is scaled above 0.',
        );
      service.status = 'DRAINING';
      service.settings.desiredCount = 0;
      scheduler.wake();
      return { service: this.#described(service, true) };
    },

    DescribeServices: (input: DescribeServicesCommandInput): Output<DescribeServicesCommandOutput> => {
      const references = input.services ?? [];
      if (references.length === 0)
        throw new AwsError('InvalidParameterException', 'Services cannot be empty.');
      if (references.length > 10)
        throw new AwsError('InvalidParameterException', 'Up to 10 services can be described in one request.');
      const cluster = this.#clusters.active(input.cluster);
      const found = references.map((reference) => ({ reference, service: this.find(cluster, reference) }));
      const tagged = input.include?.includes('TAGS') === true;
      return {
        services: found.flatMap(({ service }) => (service ? [this.#described(service, tagged)] : [])),
        failures: found.flatMap(({ reference, service }) =>
          service ? [] : [{ arn: serviceArn(cluster.name, nameOf(reference)), reason: 'MISSING' }],
        ),
      };
    },

    ListServices: (input: ListServicesCommandInput): Output<ListServicesCommandOutput> => {
      const cluster = this.#clusters.active(input.cluster);
      const asked =
        (input.launchType ?? 'FARGATE') === 'FARGATE' &&
        (input.schedulingStrategy ?? 'REPLICA') === 'REPLICA';
      // A service that is DRAINING is no longer listed (API reference, DeleteService).
      const arns = this.all()
        .filter((service) => asked && service.cluster.arn === cluster.arn && service.status === 'ACTIVE')
        .map((service) => service.arn);
      const { items, ...more } = page(arns, { ...input, maxResults: input.maxResults ?? 10 });
      return { serviceArns: items, ...more };
    },
  } satisfies Operations;

  #described(service: Service, tagged: boolean) {
    const tags = this.#tags.of(service.arn);
    return { ...describeService(service), ...(tagged && tags.length > 0 ? { tags } : {}) };
  }

  #entry(cluster: ClusterRecord, reference: string | undefined): Entry {
    const service = this.find(cluster, reference);
    const entry = service && this.#entries.get(service.arn);
    if (entry === undefined) throw new AwsError('ServiceNotFoundException', 'Service not found.');
    return entry;
  }

  /** The settings after an update; everything checked, nothing changed yet. */
  #updated(now: ServiceSettings, input: UpdateServiceCommandInput): ServiceSettings {
    const taskDefinition =
      input.taskDefinition === undefined
        ? now.taskDefinition
        : this.#taskDefinitions.startable(input.taskDefinition);
    const capacityProviderStrategy = input.capacityProviderStrategy ?? now.capacityProviderStrategy;
    checkCapacity(
      capacityProviderStrategy?.length ? { capacityProviderStrategy } : { launchType: 'FARGATE' },
      taskDefinition,
    );
    const networkConfiguration = input.networkConfiguration ?? now.networkConfiguration;
    if (input.networkConfiguration !== undefined) checkNetwork(networkConfiguration, this.#platform.network);
    const loadBalancers = input.loadBalancers ?? now.loadBalancers;
    if (input.loadBalancers !== undefined || input.taskDefinition !== undefined)
      checkLoadBalancers(loadBalancers, taskDefinition, this.#platform.targets);
    return {
      desiredCount: input.desiredCount ?? now.desiredCount,
      taskDefinition,
      deploymentConfiguration: { ...now.deploymentConfiguration, ...input.deploymentConfiguration },
      networkConfiguration,
      loadBalancers,
      healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds ?? now.healthCheckGracePeriodSeconds,
      availabilityZoneRebalancing: input.availabilityZoneRebalancing ?? now.availabilityZoneRebalancing,
      enableECSManagedTags: input.enableECSManagedTags ?? now.enableECSManagedTags,
      propagateTags: input.propagateTags ?? now.propagateTags,
      enableExecuteCommand: input.enableExecuteCommand ?? now.enableExecuteCommand,
      platformVersion: input.platformVersion ?? now.platformVersion,
      capacityProviderStrategy,
    };
  }
}

/** What starts a new deployment when it changes; counts, limits and the grace period do not (API reference, UpdateService). */
function deploysAnew(before: ServiceSettings, after: ServiceSettings): boolean {
  return (
    before.taskDefinition !== after.taskDefinition ||
    before.platformVersion !== after.platformVersion ||
    before.enableECSManagedTags !== after.enableECSManagedTags ||
    before.propagateTags !== after.propagateTags ||
    before.enableExecuteCommand !== after.enableExecuteCommand ||
    !isDeepStrictEqual(placed(before), placed(after))
  );
}

const placed = (settings: ServiceSettings) =>
  plain([settings.networkConfiguration, settings.loadBalancers, settings.capacityProviderStrategy]);

/** A copy in JSON's own terms, so that requests compare by what they say. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

function configurationOf(input: DeploymentConfiguration | undefined): DeploymentConfiguration {
  return {
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    strategy: 'ROLLING',
    bakeTimeInMinutes: 0,
    deploymentCircuitBreaker: { enable: false, rollback: false },
    ...input,
  };
}
