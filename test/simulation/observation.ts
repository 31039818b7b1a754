/** What the checker sees of a simulated account: read as its root, in process and in no time. */
import type {
  Action,
  DescribeRulesCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { SlotName } from '../../functions/core/names.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { Weights } from '../../functions/core/traffic/weights.ts';
import type { SimulatedAws } from '../../local/simulated/simulated-aws.ts';
import { fleetOf } from './fleet-of.ts';
import type { Scaling, SimulatedFleet } from './simulated-fleet.ts';

export class Observation {
  readonly settings: ServiceSettings;
  readonly fleet: SimulatedFleet;
  readonly #aws: SimulatedAws;

  constructor(aws: SimulatedAws, settings: ServiceSettings) {
    this.#aws = aws;
    this.settings = settings;
    this.fleet = fleetOf(aws, settings);
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

  /** Tasks or instances that are wanted of the generation at this instant; undefined when it does not run. */
  wanted(name: string): number | undefined {
    return this.fleet.wanted(name);
  }

  /** Undefined when nothing scales the generation. */
  async scaling(of: Pick<Generation, 'name' | 'slot'>): Promise<Scaling | undefined> {
    return this.fleet.scaling(of, this.groupOf(of.slot).split(':')[5] ?? '');
  }

  /** Targets of the slot that are not draining, by their ids. */
  async targets(slot: SlotName): Promise<readonly string[]> {
    const { TargetHealthDescriptions } = (await this.ask('elasticloadbalancing', 'DescribeTargetHealth', {
      TargetGroupArn: this.groupOf(slot),
    })) as DescribeTargetHealthCommandOutput;
    return (TargetHealthDescriptions ?? [])
      .filter(({ TargetHealth }) => TargetHealth?.State !== 'draining')
      .map(({ Target }) => Target?.Id ?? '');
  }

  async execution(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return (await this.ask('states', 'DescribeExecution', {
      executionArn,
    })) as DescribeExecutionCommandOutput;
  }
}
