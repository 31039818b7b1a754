/** What the checker sees of a simulated account: read as its root, in process and in no time. */
import type { DescribeServicesCommandOutput, DescribeTasksCommandOutput } from '@aws-sdk/client-ecs';
import type {
  Action,
  DescribeRulesCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { SlotName } from '../../functions/core/names.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { Weights } from '../../functions/core/weights.ts';
import type { SimulatedAws } from '../../local/simulated/simulated-aws.ts';

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

  get #cluster(): string {
    return String(this.settings.fleet['cluster']);
  }
}
