/** What can be told of the production rule, the slots and the balancer's limits before a launch: three calls, all at once. */
import {
  DescribeAccountLimitsCommand,
  DescribeTargetGroupsCommand,
  type ElasticLoadBalancingV2Client,
  type TargetGroup,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { CutoverError, type ErrorName } from '../core/errors.ts';
import type { TrafficSurvey } from '../core/preflight/preflight.ts';
import type { TargetLimits } from '../core/preflight/room.ts';
import type { SlotState, TargetGroupState } from '../core/preflight/slot-state.ts';
import { type Reading, reading } from '../core/reading.ts';
import type { TrafficSettings } from '../core/service-settings.ts';
import type { TrafficSurveyor } from '../ports/preflight.ts';
import type { Traffic } from '../ports/traffic.ts';
import { calling, codeOf } from './failures.ts';

/** What trying again would not change. */
const refusals: ReadonlySet<string> = new Set<ErrorName>(['Cutover.AwsRefused', 'Cutover.RuleNotOurs']);

export class AlbSurvey implements TrafficSurveyor {
  readonly #client: ElasticLoadBalancingV2Client;
  readonly #traffic: Pick<Traffic, 'weights'>;

  constructor(client: ElasticLoadBalancingV2Client, traffic: Pick<Traffic, 'weights'>) {
    this.#client = client;
    this.#traffic = traffic;
  }

  async survey(settings: TrafficSettings): Promise<TrafficSurvey> {
    const [rule, slots, limits] = await Promise.all([
      answered(() => this.#traffic.weights(settings)),
      answered(() => this.#slots(settings)),
      reading(() => this.#limits()),
    ]);
    return { rule, balancer: balancerOf(settings.rule), slots, limits };
  }

  async #slots({ slots }: TrafficSettings): Promise<readonly SlotState[]> {
    const groups = await this.#groups(slots.map(({ targetGroup }) => targetGroup));
    return slots.map(({ name, targetGroup }) => {
      const found = groups.find(({ TargetGroupArn }) => TargetGroupArn === targetGroup);
      return { name, targetGroup, group: found === undefined ? null : stateOf(found) };
    });
  }

  /** When one does not exist none is described: then each is asked for by itself. */
  async #groups(arns: readonly string[]): Promise<readonly TargetGroup[]> {
    return calling(`reading the target groups ${arns.join(', ')}`, async () => {
      try {
        const answer = await this.#client.send(
          new DescribeTargetGroupsCommand({ TargetGroupArns: [...arns] }),
        );
        return answer.TargetGroups ?? [];
      } catch (thrown) {
        if (codeOf(thrown) !== 'TargetGroupNotFoundException') throw thrown;
        if (arns.length === 1) return [];
        return (await Promise.all(arns.map((arn) => this.#groups([arn])))).flat();
      }
    });
  }

  /** Names as in https://docs.aws.amazon.com/code-library/latest/ug/elastic-load-balancing-v2_example_elastic-load-balancing-v2_DescribeAccountLimits_section.html */
  async #limits(): Promise<TargetLimits> {
    const { Limits = [] } = await calling('reading the limits of load balancers', () =>
      this.#client.send(new DescribeAccountLimitsCommand({})),
    );
    const limit = (name: string): number | undefined => {
      const most = Number(Limits.find(({ Name }) => Name === name)?.Max);
      return Number.isNaN(most) ? undefined : most;
    };
    return {
      ofBalancer: limit('targets-per-application-load-balancer'),
      ofSlot: limit('targets-per-target-group'),
    };
  }
}

/** That AWS does not answer is thrown: the step is tried again, and the push is not refused for it. */
async function answered<T>(read: () => Promise<T>): Promise<Reading<T>> {
  try {
    return { value: await read() };
  } catch (failure) {
    if (!(failure instanceof CutoverError) || !refusals.has(failure.name)) throw failure;
    return { unread: failure.message };
  }
}

function stateOf({
  TargetType,
  Protocol,
  HealthCheckEnabled,
  LoadBalancerArns = [],
}: TargetGroup): TargetGroupState {
  return {
    targetType: TargetType ?? 'nothing',
    protocol: Protocol ?? 'nothing',
    healthChecked: HealthCheckEnabled ?? false,
    balancers: LoadBalancerArns.map((arn) => arn.replace(/^.*:loadbalancer\//, '')),
  };
}

/** `app/main/50dc6c495c0c9188`: the ARN of a rule holds its balancer, its listener and its own id. */
function balancerOf(rule: string): string {
  return rule
    .replace(/^.*:listener-rule\//, '')
    .split('/')
    .slice(0, 3)
    .join('/');
}
