/** Generations as ECS services. */
import type {
  DescribeScalableTargetsCommandOutput,
  DescribeScalingPoliciesCommandOutput,
  DescribeScheduledActionsCommandOutput,
} from '@aws-sdk/client-application-auto-scaling';
import type { DescribeServicesCommandOutput, DescribeTasksCommandOutput } from '@aws-sdk/client-ecs';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { SimulatedAws } from '../../local/simulated/simulated-aws.ts';
import {
  type Effect,
  policyInWords,
  type Running,
  type Scaling,
  type SimulatedFleet,
} from './simulated-fleet.ts';

const scalingApi = 'application-autoscaling';
const ServiceNamespace = 'ecs';

export class EcsFleet implements SimulatedFleet {
  readonly services = ['ecs'];
  readonly #aws: SimulatedAws;
  readonly #cluster: string;

  constructor(aws: SimulatedAws, { fleet }: ServiceSettings) {
    this.#aws = aws;
    this.#cluster = String(fleet['cluster']);
  }

  effectOf(service: string, operation: string, input: object): Effect | undefined {
    const asked = input as {
      service?: string;
      serviceName?: string;
      desiredCount?: number;
      taskDefinition?: string;
    };
    switch (`${service}:${operation}`) {
      case 'ecs:CreateService':
        return { kind: 'making', name: asked.serviceName ?? '', source: asked.taskDefinition ?? '' };
      case 'ecs:UpdateService':
        return { kind: 'sizing', name: asked.service ?? '', desired: asked.desiredCount };
      case 'ecs:DeleteService':
        return { kind: 'ending', name: asked.service ?? '' };
      default:
        return undefined;
    }
  }

  async find(name: string): Promise<Running | undefined> {
    const { services } = (await this.#ask('ecs', 'DescribeServices', {
      cluster: this.#cluster,
      services: [name],
      include: ['TAGS'],
    })) as DescribeServicesCommandOutput;
    const [found] = services ?? [];
    if (found?.status !== 'ACTIVE') return undefined;
    const tags = Object.fromEntries((found.tags ?? []).map(({ key = '', value = '' }) => [key, value]));
    return { desired: found.desiredCount ?? 0, running: found.runningCount ?? 0, tags };
  }

  wanted(name: string): number | undefined {
    const found = this.#aws.ecs.operations.DescribeServices({ cluster: this.#cluster, services: [name] });
    const service = found.services?.[0];
    return service?.status === 'ACTIVE' ? (service.desiredCount ?? 0) : undefined;
  }

  async running(): Promise<readonly string[]> {
    const { serviceArns } = (await this.#ask('ecs', 'ListServices', {
      cluster: this.#cluster,
      maxResults: 100,
    })) as { serviceArns: string[] };
    const names = serviceArns.map((arn) => arn.split('/').at(-1) ?? arn);
    return names.filter((name) => this.wanted(name) !== undefined);
  }

  async targets(name: string): Promise<readonly string[]> {
    const cluster = this.#cluster;
    const { taskArns } = (await this.#ask('ecs', 'ListTasks', { cluster, serviceName: name })) as {
      taskArns: string[];
    };
    if (taskArns.length === 0) return [];
    const { tasks } = (await this.#ask('ecs', 'DescribeTasks', {
      cluster,
      tasks: taskArns,
    })) as DescribeTasksCommandOutput;
    const details = (tasks ?? []).flatMap(({ attachments }) =>
      attachments?.flatMap((each) => each.details ?? []),
    );
    return details.flatMap((each) => (each?.name === 'privateIPv4Address' ? [each.value ?? ''] : []));
  }

  async image(taskDefinition: string): Promise<string> {
    const { taskDefinition: found } = (await this.#ask('ecs', 'DescribeTaskDefinition', {
      taskDefinition,
    })) as { taskDefinition: { containerDefinitions: { image: string }[] } };
    return found.containerDefinitions[0]?.image ?? '';
  }

  async scaling({ name }: { readonly name: string }, own: string): Promise<Scaling | undefined> {
    const ResourceId = this.#scalable(name);
    const [{ ScalableTargets }, { ScalingPolicies = [] }] = (await Promise.all([
      this.#ask(scalingApi, 'DescribeScalableTargets', { ServiceNamespace, ResourceIds: [ResourceId] }),
      this.#ask(scalingApi, 'DescribeScalingPolicies', { ServiceNamespace, ResourceId }),
    ])) as [DescribeScalableTargetsCommandOutput, DescribeScalingPoliciesCommandOutput];
    const target = ScalableTargets?.[0];
    if (target === undefined) return undefined;
    const policies = ScalingPolicies.map(({ PolicyName, TargetTrackingScalingPolicyConfiguration }) =>
      policyInWords(PolicyName, TargetTrackingScalingPolicyConfiguration, own),
    );
    return { minimum: target.MinCapacity ?? 0, maximum: target.MaxCapacity ?? 0, policies };
  }

  async schedule(name: string): Promise<readonly string[]> {
    const { ScheduledActions = [] } = (await this.#ask(scalingApi, 'DescribeScheduledActions', {
      ServiceNamespace,
      ResourceId: this.#scalable(name),
    })) as DescribeScheduledActionsCommandOutput;
    return ScheduledActions.map(({ ScheduledActionName, Schedule }) => `${ScheduledActionName}: ${Schedule}`);
  }

  async scaled(): Promise<readonly string[]> {
    const { ScalableTargets = [] } = (await this.#ask(scalingApi, 'DescribeScalableTargets', {
      ServiceNamespace,
    })) as DescribeScalableTargetsCommandOutput;
    return ScalableTargets.map(({ ResourceId = '' }) => ResourceId.split('/').at(-1) ?? ResourceId);
  }

  declared(scaling: object): object {
    return scaling;
  }

  async resize(name: string, count: number): Promise<void> {
    await this.#ask('ecs', 'UpdateService', { cluster: this.#cluster, service: name, desiredCount: count });
  }

  async delete(name: string): Promise<void> {
    await this.#ask('ecs', 'DeleteService', { cluster: this.#cluster, service: name, force: true });
  }

  /** `service/main/web-g0042` */
  #scalable(name: string): string {
    return `service/${this.#cluster.split('/').at(-1)}/${name}`;
  }

  #ask(api: string, operation: string, input: object): Promise<unknown> {
    return this.#aws.dispatcher.call(api, operation, input, { kind: 'root' });
  }
}
