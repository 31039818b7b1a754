/** Clusters: a name that services and tasks live in. Fargate needs nothing more of one. */
import type {
  Cluster,
  ClusterSetting,
  CreateClusterCommandInput,
  CreateClusterCommandOutput,
  DeleteClusterCommandInput,
  DeleteClusterCommandOutput,
  DescribeClustersCommandInput,
  DescribeClustersCommandOutput,
  ListClustersCommandInput,
  ListClustersCommandOutput,
  PutClusterCapacityProvidersCommandInput,
  PutClusterCapacityProvidersCommandOutput,
} from '@aws-sdk/client-ecs';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { clusterArn, defaultCluster, nameOf, refersTo } from './arns.ts';
import { fargateCapacityProviders } from './capacity-providers.ts';
import { page } from './page.ts';
import type { Tags } from './tags.ts';

export interface ClusterRecord {
  readonly name: string;
  readonly arn: string;
  status: 'ACTIVE' | 'INACTIVE';
  settings: ClusterSetting[];
  capacityProviders: string[];
  defaultCapacityProviderStrategy: NonNullable<Cluster['defaultCapacityProviderStrategy']>;
  readonly configuration: Cluster['configuration'];
}

export interface ClusterLoad {
  readonly activeServices: number;
  readonly runningTasks: number;
  readonly pendingTasks: number;
}

export class Clusters {
  readonly #clusters = new Map<string, ClusterRecord>();
  readonly #tags: Tags;
  readonly #load: (cluster: ClusterRecord) => ClusterLoad;

  constructor(options: { tags: Tags; load: (cluster: ClusterRecord) => ClusterLoad }) {
    this.#tags = options.tags;
    this.#load = options.load;
  }

  /** The cluster that a request names (name or ARN; `default` when it names none), if it is ACTIVE. */
  active(reference: string | undefined): ClusterRecord {
    const cluster = this.#find(reference ?? defaultCluster);
    if (cluster === undefined) throw new AwsError('ClusterNotFoundException', 'Cluster not found.');
    if (cluster.status !== 'ACTIVE')
      throw new AwsError('ClusterNotFoundException', 'The referenced cluster was inactive.');
    return cluster;
  }

  exists(arn: string): boolean {
    return this.#find(arn)?.status === 'ACTIVE';
  }

  #find(reference: string): ClusterRecord | undefined {
    const cluster = this.#clusters.get(nameOf(reference));
    return cluster !== undefined && refersTo(reference, cluster.name, cluster.arn) ? cluster : undefined;
  }

  readonly operations = {
    CreateCluster: (input: CreateClusterCommandInput): Output<CreateClusterCommandOutput> => {
      const name = input.clusterName ?? defaultCluster;
      if (!/^[A-Za-z0-9_-]{1,255}$/.test(name))
        throw new AwsError('InvalidParameterException', 'Cluster name contains invalid characters.');
      if (input.serviceConnectDefaults !== undefined)
        throw new AwsError('InvalidParameterException', 'Service Connect is not part of the embedded ECS.');
      const existing = this.#clusters.get(name);
      if (existing?.status === 'ACTIVE') return { cluster: this.#describe(existing, ['TAGS', 'SETTINGS']) };
      const cluster: ClusterRecord = {
        name,
        arn: clusterArn(name),
        status: 'ACTIVE',
        settings: input.settings ?? [{ name: 'containerInsights', value: 'disabled' }],
        capacityProviders: checkedCapacityProviders(input.capacityProviders),
        defaultCapacityProviderStrategy: input.defaultCapacityProviderStrategy ?? [],
        configuration: input.configuration,
      };
      this.#tags.add(cluster.arn, input.tags);
      this.#clusters.set(name, cluster);
      return { cluster: this.#describe(cluster, ['TAGS', 'SETTINGS']) };
    },

    DeleteCluster: (input: DeleteClusterCommandInput): Output<DeleteClusterCommandOutput> => {
      const cluster = this.active(input.cluster);
      const load = this.#load(cluster);
      if (load.activeServices > 0)
        throw new AwsError(
          'ClusterContainsServicesException',
          'The Cluster cannot be deleted while Services are active.',
        );
      if (load.runningTasks + load.pendingTasks > 0)
        throw new AwsError(
          'ClusterContainsTasksException',
          'The Cluster cannot be deleted while Tasks are active.',
        );
      cluster.status = 'INACTIVE';
      return { cluster: this.#describe(cluster, []) };
    },

    DescribeClusters: (input: DescribeClustersCommandInput): Output<DescribeClustersCommandOutput> => {
      const references = input.clusters?.length ? input.clusters : [defaultCluster];
      if (references.length > 100)
        throw new AwsError('InvalidParameterException', 'Clusters cannot exceed 100 in one request.');
      const found = references.map((reference) => ({ reference, cluster: this.#find(reference) }));
      return {
        clusters: found.flatMap(({ cluster }) =>
          cluster ? [this.#describe(cluster, input.include ?? [])] : [],
        ),
        failures: found.flatMap(({ reference, cluster }) =>
          cluster ? [] : [{ arn: clusterArn(nameOf(reference)), reason: 'MISSING' }],
        ),
      };
    },

    ListClusters: (input: ListClustersCommandInput): Output<ListClustersCommandOutput> => {
      const active = [...this.#clusters.values()].filter((cluster) => cluster.status === 'ACTIVE');
      const { items, ...more } = page(
        active.map((cluster) => cluster.arn),
        input,
      );
      return { clusterArns: items, ...more };
    },

    PutClusterCapacityProviders: (
      input: PutClusterCapacityProvidersCommandInput,
    ): Output<PutClusterCapacityProvidersCommandOutput> => {
      const cluster = this.active(input.cluster);
      cluster.capacityProviders = checkedCapacityProviders(input.capacityProviders);
      cluster.defaultCapacityProviderStrategy = input.defaultCapacityProviderStrategy ?? [];
      return { cluster: this.#describe(cluster, []) };
    },
  } satisfies Operations;

  #describe(cluster: ClusterRecord, include: readonly string[]): Cluster {
    const load = this.#load(cluster);
    return {
      clusterArn: cluster.arn,
      clusterName: cluster.name,
      status: cluster.status,
      registeredContainerInstancesCount: 0,
      runningTasksCount: load.runningTasks,
      pendingTasksCount: load.pendingTasks,
      activeServicesCount: load.activeServices,
      statistics: [],
      tags: include.includes('TAGS') ? this.#tags.of(cluster.arn) : [],
      settings: include.includes('SETTINGS') ? cluster.settings : [],
      capacityProviders: cluster.capacityProviders,
      defaultCapacityProviderStrategy: cluster.defaultCapacityProviderStrategy,
      configuration: include.includes('CONFIGURATIONS') ? cluster.configuration : undefined,
    };
  }
}

function checkedCapacityProviders(names: readonly string[] | undefined): string[] {
  for (const name of names ?? [])
    if (!fargateCapacityProviders.includes(name))
      throw new AwsError('InvalidParameterException', 'The specified capacity provider was not found.');
  return [...(names ?? [])];
}
