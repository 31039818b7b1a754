/** Generations as scalable targets of Application Auto Scaling: each ECS service is one, with policies and a schedule of its own. */
import {
  type ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DeleteScheduledActionCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
  type ScalableTarget,
  type ScheduledAction,
  type ScalingPolicy as StandingPolicy,
  type SuspendedState,
} from '@aws-sdk/client-application-auto-scaling';
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import { type Bounds, sameBounds } from '../core/fleet/scaling.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Scaling } from '../ports/scaling.ts';
import { clusterOf, readEcs } from './ecs-settings.ts';
import { calling, codeOf } from './failures.ts';
import { sameContent, superfluous } from './scaling-content.ts';
import {
  type ActionContent,
  actionContent,
  carriedPolicy,
  declaredAction,
  declaredPolicy,
  isAhead,
  type PolicyContent,
  policyContent,
} from './scaling-policies.ts';

const namespace = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;

/** How `to` shall scale. */
interface Wanted {
  readonly suspended: SuspendedState | undefined;
  readonly policies: readonly PolicyContent[];
}

export class ApplicationAutoScaling implements Scaling {
  readonly #client: ApplicationAutoScalingClient;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch, which tell what of a schedule lies behind. */
  constructor(client: ApplicationAutoScalingClient, now: () => number = Date.now) {
    this.#client = client;
    this.#now = now;
  }

  async bounds(settings: ServiceSettings, generation: Generation | null): Promise<Bounds | undefined> {
    if (generation !== null) return boundsOf(await this.#target(settings, generation));
    const { scaling } = readEcs(settings);
    return scaling === null ? undefined : { minimum: scaling.minimum, maximum: scaling.maximum };
  }

  async bound(settings: ServiceSettings, generation: Generation, bounds: Bounds): Promise<void> {
    await this.#register(settings, generation, bounds, undefined);
  }

  async carry(
    settings: ServiceSettings,
    from: Generation | null,
    to: Generation,
    bounds: Bounds,
  ): Promise<void> {
    const wanted = await this.#wanted(settings, from, to);
    if (wanted === undefined) return;
    const target = await this.#target(settings, to);
    const standing = boundsOf(target);
    const equal =
      standing !== undefined &&
      sameBounds(standing, bounds) &&
      (wanted.suspended === undefined || sameContent(target?.SuspendedState, wanted.suspended));
    if (!equal) await this.#register(settings, to, bounds, wanted.suspended);
    await this.#carryPolicies(settings, to, wanted.policies);
  }

  async carrySchedule(settings: ServiceSettings, from: Generation | null, to: Generation): Promise<void> {
    // Whose schedule went with its scaling meanwhile has none to give; what `to` has stays.
    if (from !== null && (await this.#target(settings, from)) === undefined) return;
    const now = this.#now();
    const source: readonly ActionContent[] =
      from === null
        ? (readEcs(settings).scaling?.schedule ?? []).map(declaredAction)
        : (await this.#actions(settings, from)).map((action) => actionContent(action, now));
    const wanted = source.filter((action) => isAhead(action, now));
    const standing = (await this.#actions(settings, to)).map((action) => actionContent(action, now));
    const target = targetOf(settings, to);
    for (const ScheduledActionName of superfluous(standing, wanted, (each) => each.ScheduledActionName)) {
      await this.#calling(`deleting the scheduled action ${ScheduledActionName} of ${to.name}`, () =>
        this.#client.send(new DeleteScheduledActionCommand({ ...target, ScheduledActionName })),
      );
    }
    for (const action of wanted.filter((each) => !standing.some((other) => sameContent(each, other)))) {
      await this.#calling(`writing the scheduled action ${action.ScheduledActionName} of ${to.name}`, () =>
        this.#client.send(new PutScheduledActionCommand({ ...target, ...action })),
      );
    }
  }

  async release(settings: ServiceSettings, generation: Generation): Promise<void> {
    await this.#calling(`ending the scaling of ${generation.name}`, async () => {
      try {
        await this.#client.send(new DeregisterScalableTargetCommand(targetOf(settings, generation)));
      } catch (thrown) {
        if (codeOf(thrown) !== 'ObjectNotFoundException') throw thrown;
      }
    });
  }

  async #wanted(
    settings: ServiceSettings,
    from: Generation | null,
    to: Generation,
  ): Promise<Wanted | undefined> {
    if (from === null) {
      const { scaling } = readEcs(settings);
      if (scaling === null) return undefined;
      const policies = scaling.policies.map((policy) => declaredPolicy(settings, to, policy));
      return { suspended: undefined, policies };
    }
    const source = await this.#target(settings, from);
    if (source === undefined) return undefined;
    const policies = (await this.#policies(settings, from)).map((policy) =>
      carriedPolicy(settings, from, to, policy),
    );
    return { suspended: source.SuspendedState, policies };
  }

  async #carryPolicies(
    settings: ServiceSettings,
    to: Generation,
    wanted: readonly PolicyContent[],
  ): Promise<void> {
    const standing = (await this.#policies(settings, to)).map(policyContent);
    const target = targetOf(settings, to);
    // First, since two policies of one target must not track the same metric.
    for (const PolicyName of superfluous(standing, wanted, (each) => each.PolicyName)) {
      await this.#calling(`deleting the scaling policy ${PolicyName} of ${to.name}`, () =>
        this.#client.send(new DeleteScalingPolicyCommand({ ...target, PolicyName })),
      );
    }
    for (const policy of wanted.filter((each) => !standing.some((other) => sameContent(each, other)))) {
      await this.#calling(`writing the scaling policy ${policy.PolicyName} of ${to.name}`, () =>
        this.#client.send(new PutScalingPolicyCommand({ ...target, ...policy })),
      );
    }
  }

  async #register(
    settings: ServiceSettings,
    generation: Generation,
    { minimum, maximum }: Bounds,
    SuspendedState: SuspendedState | undefined,
  ): Promise<void> {
    await this.#calling(`letting ${generation.name} scale between ${minimum} and ${maximum}`, () =>
      this.#client.send(
        new RegisterScalableTargetCommand({
          ...targetOf(settings, generation),
          MinCapacity: minimum,
          MaxCapacity: maximum,
          ...(SuspendedState && { SuspendedState }),
        }),
      ),
    );
  }

  async #target(settings: ServiceSettings, generation: Generation): Promise<ScalableTarget | undefined> {
    const { ResourceId, ...of } = targetOf(settings, generation);
    const { ScalableTargets } = await calling(`reading how ${generation.name} scales`, () =>
      this.#client.send(new DescribeScalableTargetsCommand({ ...of, ResourceIds: [ResourceId] })),
    );
    return ScalableTargets?.find((target) => target.ResourceId === ResourceId);
  }

  async #policies(settings: ServiceSettings, generation: Generation): Promise<readonly StandingPolicy[]> {
    const target = targetOf(settings, generation);
    return this.#all(`reading the scaling policies of ${generation.name}`, async (NextToken) => {
      const page = await this.#client.send(
        new DescribeScalingPoliciesCommand({ ...target, ...(NextToken && { NextToken }) }),
      );
      return { found: page.ScalingPolicies, next: page.NextToken };
    });
  }

  async #actions(settings: ServiceSettings, generation: Generation): Promise<readonly ScheduledAction[]> {
    const target = targetOf(settings, generation);
    return this.#all(`reading the scheduled actions of ${generation.name}`, async (NextToken) => {
      const page = await this.#client.send(
        new DescribeScheduledActionsCommand({ ...target, ...(NextToken && { NextToken }) }),
      );
      return { found: page.ScheduledActions, next: page.NextToken };
    });
  }

  async #all<T>(
    doing: string,
    page: (token: string | undefined) => Promise<{ found: T[] | undefined; next: string | undefined }>,
  ): Promise<readonly T[]> {
    return calling(doing, async () => {
      const all: T[] = [];
      let token: string | undefined;
      do {
        const { found = [], next } = await page(token);
        all.push(...found);
        token = next;
      } while (token !== undefined);
      return all;
    });
  }

  /** What was made a moment ago is not known everywhere yet (https://github.com/spinnaker/spinnaker/issues/4371). */
  async #calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
    return calling(doing, async () => {
      try {
        return await call();
      } catch (thrown) {
        const message = thrown instanceof Error ? thrown.message : '';
        const unknownYet =
          (codeOf(thrown) === 'ValidationException' && message.startsWith("ECS service doesn't exist")) ||
          codeOf(thrown) === 'ObjectNotFoundException';
        if (!unknownYet) throw thrown;
        throw new CutoverError(
          'Cutover.AwsUnavailable',
          `Application Auto Scaling does not know yet what was made, while ${doing} (${message}); if it stays so, somebody deleted it`,
          { cause: thrown },
        );
      }
    });
  }
}

/** `service/main/web-g0042` */
function targetOf(settings: ServiceSettings, generation: Generation) {
  const cluster = clusterOf(settings, generation);
  const name = cluster.slice(cluster.lastIndexOf('/') + 1);
  return { ...namespace, ResourceId: `service/${name}/${generation.name}` };
}

function boundsOf(target: ScalableTarget | undefined): Bounds | undefined {
  if (target?.MinCapacity === undefined || target.MaxCapacity === undefined) return undefined;
  return { minimum: target.MinCapacity, maximum: target.MaxCapacity };
}
