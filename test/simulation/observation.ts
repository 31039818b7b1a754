/** What the checker sees of a simulated account: read as its root, in process and in no time. */
import type {
  DescribeScalableTargetsCommandOutput,
  DescribeScalingPoliciesCommandOutput,
  DescribeScheduledActionsCommandOutput,
} from '@aws-sdk/client-application-auto-scaling';
import type { DescribeServicesCommandOutput, DescribeTasksCommandOutput } from '@aws-sdk/client-ecs';
import type {
  Action,
  DescribeRulesCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { Generation } from '../../functions/core/generation.ts';
import type { SlotName } from '../../functions/core/names.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { Weights } from '../../functions/core/weights.ts';
import type { SimulatedAws } from '../../local/simulated/simulated-aws.ts';

/** How a generation scales, but for its schedule. */
export interface Scaling {
  readonly minimum: number;
  readonly maximum: number;
  /** Each with what it tracks. */
  readonly policies: readonly string[];
}

const scalingApi = 'application-autoscaling';

export class Observation {
  readonly settings: ServiceSettings;
  readonly #aws: SimulatedAws;

  constructor(aws: SimulatedAws, settings: ServiceSettings) {
    this.#aws = aws;
    this.settings = settings;
  }

  ask(api: string, operation: string, input: object): Promise<unknown> {
    return this.#aws.dispatcher.call(api, operation, input, { kind: 'root' });
  }

  groupOf(slot: SlotName): string {
    return this.settings.traffic.slots.find(({ name }) => name === slot)?.targetGroup ?? '';
  }

  /** Healthy targets of the slot, as the data plane sees them. */
  healthy(slot: SlotName): number {
    return this.#aws.balancer.healthy().get(this.groupOf(slot)) ?? 0;
  }

  /** The share of requests that the data plane sends to the slot. */
  applied(slot: SlotName): number {
    return this.#aws.balancer.applied(this.settings.service).get(this.groupOf(slot)) ?? 0;
  }

  weightsOf(actions: readonly Action[]): Weights {
    const groups = actions[0]?.ForwardConfig?.TargetGroups ?? [];
    const entries = groups.map(({ TargetGroupArn, Weight = 0 }) => {
      const slot = this.settings.traffic.slots.find(({ targetGroup }) => targetGroup === TargetGroupArn);
      return [slot?.name ?? TargetGroupArn ?? '', Weight];
    });
    return Object.fromEntries(entries) as Weights;
  }

  async weights(): Promise<Weights> {
    const input = { RuleArns: [this.settings.traffic.rule] };
    const answer = (await this.ask(
      'elasticloadbalancing',
      'DescribeRules',
      input,
    )) as DescribeRulesCommandOutput;
    return this.weightsOf(answer.Rules?.[0]?.Actions ?? []);
  }

  async service(name: string) {
    const { services } = (await this.ask('ecs', 'DescribeServices', {
      cluster: this.#cluster,
      services: [name],
      include: ['TAGS'],
    })) as DescribeServicesCommandOutput;
    return services?.[0];
  }

  /** Tasks that are wanted of the generation at this instant; undefined when it does not run. */
  wanted(name: string): number | undefined {
    const found = this.#aws.ecs.operations.DescribeServices({ cluster: this.#cluster, services: [name] });
    const service = found.services?.[0];
    return service?.status === 'ACTIVE' ? (service.desiredCount ?? 0) : undefined;
  }

  /** Undefined when nothing scales the generation. */
  async scaling({ name, slot }: Pick<Generation, 'name' | 'slot'>): Promise<Scaling | undefined> {
    const ServiceNamespace = 'ecs';
    const ResourceId = this.#scalable(name);
    const [{ ScalableTargets }, { ScalingPolicies = [] }] = (await Promise.all([
      this.ask(scalingApi, 'DescribeScalableTargets', { ServiceNamespace, ResourceIds: [ResourceId] }),
      this.ask(scalingApi, 'DescribeScalingPolicies', { ServiceNamespace, ResourceId }),
    ])) as [DescribeScalableTargetsCommandOutput, DescribeScalingPoliciesCommandOutput];
    const target = ScalableTargets?.[0];
    if (target === undefined) return undefined;
    const own = this.groupOf(slot).split(':')[5] ?? '';
    const policies = ScalingPolicies.map(
      ({ PolicyName, TargetTrackingScalingPolicyConfiguration: tracking }) => {
        const { PredefinedMetricType, ResourceLabel } = tracking?.PredefinedMetricSpecification ?? {};
        const where = ResourceLabel?.endsWith(own) === true ? 'its slot' : ResourceLabel;
        return `${PolicyName}: ${PredefinedMetricType} ${tracking?.TargetValue} of ${where}`;
      },
    );
    return { minimum: target.MinCapacity ?? 0, maximum: target.MaxCapacity ?? 0, policies };
  }

  /** What scales the generation at which times. */
  async schedule(name: string): Promise<readonly string[]> {
    const { ScheduledActions = [] } = (await this.ask(scalingApi, 'DescribeScheduledActions', {
      ServiceNamespace: 'ecs',
      ResourceId: this.#scalable(name),
    })) as DescribeScheduledActionsCommandOutput;
    return ScheduledActions.map(({ ScheduledActionName, Schedule }) => `${ScheduledActionName}: ${Schedule}`);
  }

  /** Names of the generations that something scales. */
  async scaled(): Promise<readonly string[]> {
    const { ScalableTargets = [] } = (await this.ask(scalingApi, 'DescribeScalableTargets', {
      ServiceNamespace: 'ecs',
    })) as DescribeScalableTargetsCommandOutput;
    return ScalableTargets.map(({ ResourceId = '' }) => ResourceId.split('/').at(-1) ?? ResourceId);
  }

  /** Names of the ECS services that run. */
  async running(): Promise<readonly string[]> {
    const { serviceArns } = (await this.ask('ecs', 'ListServices', {
      cluster: this.#cluster,
      maxResults: 100,
    })) as { serviceArns: string[] };
    const names = serviceArns.map((arn) => arn.split('/').at(-1) ?? arn);
    const found = await Promise.all(names.map((name) => this.service(name)));
    return names.filter((_, index) => found[index]?.status === 'ACTIVE');
  }

  /** Addresses of the generation's tasks. */
  async addresses(generation: string): Promise<readonly string[]> {
    const cluster = this.#cluster;
    const { taskArns } = (await this.ask('ecs', 'ListTasks', { cluster, serviceName: generation })) as {
      taskArns: string[];
    };
    if (taskArns.length === 0) return [];
    const { tasks } = (await this.ask('ecs', 'DescribeTasks', {
      cluster,
      tasks: taskArns,
    })) as DescribeTasksCommandOutput;
    const details = (tasks ?? []).flatMap(({ attachments }) =>
      attachments?.flatMap((each) => each.details ?? []),
    );
    return details.flatMap((each) => (each?.name === 'privateIPv4Address' ? [each.value ?? ''] : []));
  }

  /** Targets of the slot that are not draining, by their addresses. */
  async targets(slot: SlotName): Promise<readonly string[]> {
    const { TargetHealthDescriptions } = (await this.ask('elasticloadbalancing', 'DescribeTargetHealth', {
      TargetGroupArn: this.groupOf(slot),
    })) as DescribeTargetHealthCommandOutput;
    return (TargetHealthDescriptions ?? [])
      .filter(({ TargetHealth }) => TargetHealth?.State !== 'draining')
      .map(({ Target }) => Target?.Id ?? '');
  }

  async image(taskDefinition: string): Promise<string> {
    const { taskDefinition: found } = (await this.ask('ecs', 'DescribeTaskDefinition', {
      taskDefinition,
    })) as { taskDefinition: { containerDefinitions: { image: string }[] } };
    return found.containerDefinitions[0]?.image ?? '';
  }

  async execution(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return (await this.ask('states', 'DescribeExecution', {
      executionArn,
    })) as DescribeExecutionCommandOutput;
  }

  /** `service/main/web-g0042` */
  #scalable(name: string): string {
    return `service/${this.#cluster.split('/').at(-1)}/${name}`;
  }

  get #cluster(): string {
    return String(this.settings.fleet['cluster']);
  }
}
