/**
 * How Auto Scaling groups scale by themselves: their bounds, policies and scheduled actions. A group always has bounds; one
 * whose bounds are equal, and that has neither policy nor schedule, is scaled by nothing.
 */
import {
  type AutoScalingClient,
  DeletePolicyCommand,
  DeleteScheduledActionCommand,
  DescribePoliciesCommand,
  DescribeScheduledActionsCommand,
  PutScalingPolicyCommand,
  PutScheduledUpdateGroupActionCommand,
  ResumeProcessesCommand,
  type ScalingPolicy,
  type ScheduledUpdateGroupAction,
  SuspendProcessesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { readAsg } from '../core/fleet/asg-settings.ts';
import type { Generation } from '../core/fleet/generation.ts';
import { type Bounds, sameBounds } from '../core/fleet/scaling.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { Scaling } from '../ports/scaling.ts';
import { AsgGroups, isUnknownGroup, knowing, refuseStranger } from './asg-group.ts';
import {
  type AsgActionContent,
  type AsgPolicyContent,
  actionContent,
  carriedPolicy,
  declaredAction,
  declaredPolicy,
  isAhead,
  policyContent,
  sameAction,
} from './asg-policies.ts';
import { calling, codeOf } from './failures.ts';
import { sameContent, superfluous } from './scaling-content.ts';

/** What of a group's suspended processes is about its scaling; the others are somebody's repair of that one group. */
const scalingProcesses = ['AlarmNotification', 'ScheduledActions'] as const;

export class AsgScaling implements Scaling {
  readonly #client: AutoScalingClient;
  readonly #groups: AsgGroups;
  readonly #now: () => number;

  /** `now`: milliseconds since the epoch, which tell what of a schedule lies behind. */
  constructor(client: AutoScalingClient, now: () => number = Date.now) {
    this.#client = client;
    this.#groups = new AsgGroups(client);
    this.#now = now;
  }

  async bounds(
    settings: ServiceSettings,
    generation: Generation | null,
    known: readonly Bounds[] = [],
  ): Promise<Bounds | undefined> {
    if (generation === null) {
      const { scaling } = readAsg(settings);
      return scaling === null ? undefined : { minimum: scaling.minimum, maximum: scaling.maximum };
    }
    const group = await this.#groups.find(generation);
    if (group === undefined) return undefined;
    const bounds = { minimum: group.MinSize ?? 0, maximum: group.MaxSize ?? 0 };
    const isKnown = bounds.minimum < bounds.maximum || known.some((each) => sameBounds(each, bounds));
    return isKnown || (await this.#isScaled(generation)) ? bounds : undefined;
  }

  async bound(_: ServiceSettings, generation: Generation, { minimum, maximum }: Bounds): Promise<void> {
    await knowing(`letting ${generation.name} scale between ${minimum} and ${maximum}`, () =>
      this.#client.send(
        new UpdateAutoScalingGroupCommand({
          AutoScalingGroupName: generation.name,
          MinSize: minimum,
          MaxSize: maximum,
        }),
      ),
    );
  }

  async carry(
    settings: ServiceSettings,
    from: Generation | null,
    to: Generation,
    bounds: Bounds,
    known?: readonly Bounds[],
  ): Promise<void> {
    const wanted = await this.#wanted(settings, from, to, known);
    if (wanted === undefined) return;
    const group = await this.#groups.find(to);
    const standing = { minimum: group?.MinSize ?? 0, maximum: group?.MaxSize ?? 0 };
    if (!sameBounds(standing, bounds)) await this.bound(settings, to, bounds);
    if (from !== null) await this.#carrySuspensions(from, to);
    await this.#carryPolicies(to, wanted);
  }

  async carrySchedule(settings: ServiceSettings, from: Generation | null, to: Generation): Promise<void> {
    // Whose schedule went with its scaling meanwhile has none to give; what `to` has stays.
    if (from !== null && (await this.bounds(settings, from)) === undefined) return;
    const now = this.#now();
    const source =
      from === null
        ? (readAsg(settings).scaling?.schedule ?? []).map(declaredAction)
        : (await this.#actions(from)).map((action) => actionContent(action, now));
    const wanted: readonly AsgActionContent[] = source.filter((action) => isAhead(action, now));
    const standing = (await this.#actions(to)).map((action) => actionContent(action, now));
    // First, since two actions of one group must not have the same time, and what an update does not say stays as it was.
    for (const { ScheduledActionName = '' } of standing.filter(
      (each) => !wanted.some((other) => sameAction(other, each)),
    ))
      await this.#deleteAction(to, ScheduledActionName);
    for (const action of wanted.filter((each) => !standing.some((other) => sameAction(each, other)))) {
      await knowing(`writing the scheduled action ${action.ScheduledActionName} of ${to.name}`, () =>
        this.#client.send(
          new PutScheduledUpdateGroupActionCommand({ AutoScalingGroupName: to.name, ...action }),
        ),
      );
    }
  }

  async release(settings: ServiceSettings, generation: Generation): Promise<void> {
    const group = await this.#groups.find(generation);
    if (group === undefined) return;
    refuseStranger(group, settings, generation);
    for (const { PolicyName = '' } of await this.#policies(generation))
      await this.#deletePolicy(generation, PolicyName);
    for (const { ScheduledActionName = '' } of await this.#actions(generation))
      await this.#deleteAction(generation, ScheduledActionName);
    // As it is by now: until its last policy went, it may have been scaled.
    const { MinSize, MaxSize, DesiredCapacity = 0 } = (await this.#groups.find(generation)) ?? {};
    if (MinSize === MaxSize) return;
    await this.bound(settings, generation, { minimum: DesiredCapacity, maximum: DesiredCapacity });
  }

  async #isScaled(generation: Generation): Promise<boolean> {
    const [policies, actions] = await Promise.all([this.#policies(generation), this.#actions(generation)]);
    return policies.length > 0 || actions.length > 0;
  }

  async #wanted(
    settings: ServiceSettings,
    from: Generation | null,
    to: Generation,
    known: readonly Bounds[] | undefined,
  ): Promise<readonly AsgPolicyContent[] | undefined> {
    if (from !== null) {
      if ((await this.bounds(settings, from, known)) === undefined) return undefined;
      return (await this.#policies(from)).map((policy) => carriedPolicy(settings, from, to, policy));
    }
    const { scaling } = readAsg(settings);
    return scaling?.policies.map((policy) => declaredPolicy(settings, to, policy));
  }

  async #carrySuspensions(from: Generation, to: Generation): Promise<void> {
    const [before, now] = await Promise.all([this.#suspended(from), this.#suspended(to)]);
    const suspend = before.filter((process) => !now.includes(process));
    const resume = now.filter((process) => !before.includes(process));
    const AutoScalingGroupName = to.name;
    if (suspend.length > 0)
      await knowing(`suspending ${suspend.join(', ')} of ${to.name}, as of ${from.name}`, () =>
        this.#client.send(new SuspendProcessesCommand({ AutoScalingGroupName, ScalingProcesses: suspend })),
      );
    if (resume.length > 0)
      await knowing(`resuming ${resume.join(', ')} of ${to.name}, as of ${from.name}`, () =>
        this.#client.send(new ResumeProcessesCommand({ AutoScalingGroupName, ScalingProcesses: resume })),
      );
  }

  async #suspended(generation: Generation): Promise<string[]> {
    const group = await this.#groups.find(generation);
    const suspended = (group?.SuspendedProcesses ?? []).map(({ ProcessName }) => ProcessName);
    return scalingProcesses.filter((process) => suspended.includes(process));
  }

  async #carryPolicies(to: Generation, wanted: readonly AsgPolicyContent[]): Promise<void> {
    const standing = (await this.#policies(to)).map(policyContent);
    // First, since two policies of one group must not track the same metric.
    for (const name of superfluous(standing, wanted, (each) => each.PolicyName))
      await this.#deletePolicy(to, name);
    for (const policy of wanted.filter((each) => !standing.some((other) => sameContent(each, other)))) {
      await knowing(`writing the scaling policy ${policy.PolicyName} of ${to.name}`, () =>
        this.#client.send(new PutScalingPolicyCommand({ AutoScalingGroupName: to.name, ...policy })),
      );
    }
  }

  async #deletePolicy({ name }: Generation, PolicyName: string): Promise<void> {
    await this.#deleting(`deleting the scaling policy ${PolicyName} of ${name}`, () =>
      this.#client.send(new DeletePolicyCommand({ AutoScalingGroupName: name, PolicyName })),
    );
  }

  async #deleteAction({ name }: Generation, ScheduledActionName: string): Promise<void> {
    await this.#deleting(`deleting the scheduled action ${ScheduledActionName} of ${name}`, () =>
      this.#client.send(
        new DeleteScheduledActionCommand({ AutoScalingGroupName: name, ScheduledActionName }),
      ),
    );
  }

  async #policies({ name }: Generation): Promise<readonly ScalingPolicy[]> {
    return this.#all(`reading the scaling policies of ${name}`, async (NextToken) => {
      const page = await this.#client.send(
        new DescribePoliciesCommand({ AutoScalingGroupName: name, ...(NextToken && { NextToken }) }),
      );
      return { found: page.ScalingPolicies, next: page.NextToken };
    });
  }

  async #actions({ name }: Generation): Promise<readonly ScheduledUpdateGroupAction[]> {
    return this.#all(`reading the scheduled actions of ${name}`, async (NextToken) => {
      const page = await this.#client.send(
        new DescribeScheduledActionsCommand({ AutoScalingGroupName: name, ...(NextToken && { NextToken }) }),
      );
      return { found: page.ScheduledUpdateGroupActions, next: page.NextToken };
    });
  }

  /** Of a group that is gone there is nothing. */
  async #all<T>(
    doing: string,
    page: (token: string | undefined) => Promise<{ found: T[] | undefined; next: string | undefined }>,
  ): Promise<readonly T[]> {
    return calling(doing, async () => {
      const all: T[] = [];
      let token: string | undefined;
      try {
        do {
          const { found = [], next } = await page(token);
          all.push(...found);
          token = next;
        } while (token !== undefined);
      } catch (thrown) {
        if (!isUnknownGroup(thrown)) throw thrown;
      }
      return all;
    });
  }

  /** Another try may have deleted it meanwhile, or it ran for the only time. */
  async #deleting(doing: string, call: () => Promise<unknown>): Promise<void> {
    await calling(doing, async () => {
      try {
        await call();
      } catch (thrown) {
        if (codeOf(thrown) !== 'ValidationError' || !/ not found/i.test(messageOf(thrown))) throw thrown;
      }
    });
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : '';
}
