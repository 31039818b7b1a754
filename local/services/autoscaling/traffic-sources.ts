/**
 * Target groups that instances are registered in: attached ones go `Adding` → `Added` (all instances are registered) →
 * `InService` (one of them passed ELB's health checks), detached ones are `Removing` until the last instance has drained
 * (API_TrafficSourceState). A group without instances stays `Added`.
 */
import type {
  AttachTrafficSourcesCommandInput,
  DescribeTrafficSourcesCommandInput,
  DescribeTrafficSourcesCommandOutput,
  DetachTrafficSourcesCommandInput,
  TrafficSourceIdentifier,
} from '@aws-sdk/client-auto-scaling';
import { AwsError, type Output } from '../../call.ts';
import { follow } from '../ecs/platform.ts';
import { type Group, invalid, type Member, type Source, staying } from './group.ts';
import { pageOf } from './page.ts';
import type { Platform } from './platform.ts';

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
const mostPerCall = 10;
const mostPerGroup = 50;

export class TrafficSources {
  readonly #platform: Platform;
  readonly #group: (name: string | undefined) => Group;

  constructor(platform: Platform, group: (name: string | undefined) => Group) {
    this.#platform = platform;
    this.#group = group;
  }

  /** Throws what cannot be attached; answers the ARNs. */
  check(identifiers: readonly TrafficSourceIdentifier[]): string[] {
    return identifiers.map(({ Identifier: arn = '', Type = 'elbv2' }) => {
      if (Type !== 'elbv2')
        throw invalid(`Traffic sources of type '${Type}' are not modelled by the embedded AWS`);
      if (this.#platform.targets.instancePort(arn) === undefined)
        throw invalid('Provided Target Groups may not be valid. Please ensure they exist and try again.');
      return arn;
    });
  }

  attach(group: Group, arns: readonly string[]): void {
    const { clock, chance, delays } = this.#platform;
    const added = new Set(arns.filter((arn) => !isAttached(group, arn)));
    if (attached(group).length + added.size > mostPerGroup)
      throw new AwsError('LimitExceededFault', `Only ${mostPerGroup} target groups are allowed per group.`);
    for (const arn of added) {
      const source: Source = { arn, state: 'Adding', registered: new Set() };
      group.sources.set(arn, source);
      clock.after(chance.within(delays.attaching), () => {
        if (source.state !== 'Adding') return;
        for (const member of staying(group)) if (member.state === 'InService') this.#register(source, member);
        source.state = 'Added';
      });
    }
  }

  /** An instance that comes into service. */
  register(group: Group, member: Member): void {
    for (const source of attached(group)) this.#register(source, member);
  }

  /** Resolves when the instance has drained everywhere; `undefined` when it is nowhere registered. */
  deregister(group: Group, member: Member): Promise<unknown> | undefined {
    const sources = [...group.sources.values()].filter(({ registered }) => registered.has(member.id));
    if (sources.length === 0) return undefined;
    return Promise.all(sources.map((source) => this.#deregister(source, member.id)));
  }

  /** Looks which sources have come into service. */
  refresh(group: Group): void {
    for (const source of attached(group))
      if (source.state === 'Added' && this.#healthOf(source).includes('healthy')) source.state = 'InService';
  }

  /**
   * "If no registered instances pass the health checks …, Amazon EC2 Auto Scaling doesn't terminate and replace the
   * instances" (attach-load-balancer-asg.html): only sources in service count.
   */
  isUnhealthy(group: Group, member: Member): boolean {
    return attached(group).some(
      (source) => source.state === 'InService' && this.#stateOf(source, member.id) === 'unhealthy',
    );
  }

  readonly operations = {
    AttachTrafficSources: (input: AttachTrafficSourcesCommandInput): object => {
      const group = this.#group(input.AutoScalingGroupName);
      const identifiers = fewEnough(input.TrafficSources);
      this.attach(group, this.check(identifiers));
      return {};
    },

    DetachTrafficSources: (input: DetachTrafficSourcesCommandInput): object => {
      const group = this.#group(input.AutoScalingGroupName);
      const arns = fewEnough(input.TrafficSources).map(({ Identifier = '' }) => Identifier);
      if (arns.some((arn) => !isAttached(group, arn)))
        throw invalid('Trying to remove Target Groups that are not part of the group');
      for (const arn of arns) this.#detach(group, group.sources.get(arn)!);
      return {};
    },

    DescribeTrafficSources: (
      input: DescribeTrafficSourcesCommandInput,
    ): Output<DescribeTrafficSourcesCommandOutput> => {
      const group = this.#group(input.AutoScalingGroupName);
      this.refresh(group);
      const wanted = ['elbv2', undefined].includes(input.TrafficSourceType) ? group.sources.values() : [];
      const { entries, token } = pageOf(wanted, ({ arn }) => arn, 50, { fallback: 50, asked: input });
      return {
        TrafficSources: entries.map(({ arn, state }) => ({
          TrafficSource: arn,
          Identifier: arn,
          Type: 'elbv2',
          State: state,
        })),
        ...(token === undefined ? {} : { NextToken: token }),
      };
    },
  };

  #detach(group: Group, source: Source): void {
    source.state = 'Removing';
    const drained = Promise.all([...source.registered].map((id) => this.#deregister(source, id)));
    follow(this.#platform.clock, drained, () => {
      // Attached again meanwhile, it is another one.
      if (group.sources.get(source.arn) === source) group.sources.delete(source.arn);
    });
  }

  #register(source: Source, member: Member): void {
    const { targets } = this.#platform;
    const port = targets.instancePort(source.arn);
    if (port === undefined || member.running === undefined) return;
    source.registered.add(member.id);
    targets.register(source.arn, { id: member.id, port }, member.running.address(port));
  }

  async #deregister(source: Source, id: string): Promise<void> {
    const { targets } = this.#platform;
    const port = targets.instancePort(source.arn);
    // A target group that is deleted has nothing to drain.
    if (port !== undefined) await targets.deregister(source.arn, { id, port });
    source.registered.delete(id);
  }

  #healthOf(source: Source): (string | undefined)[] {
    return [...source.registered].map((id) => this.#stateOf(source, id));
  }

  #stateOf(source: Source, id: string): string | undefined {
    const { targets } = this.#platform;
    const port = targets.instancePort(source.arn);
    return port === undefined ? undefined : targets.health(source.arn, { id, port })?.State;
  }
}

export function attached(group: Group): Source[] {
  return [...group.sources.values()].filter(({ state }) => state !== 'Removing');
}

function isAttached(group: Group, arn: string): boolean {
  return attached(group).some((source) => source.arn === arn);
}

function fewEnough(identifiers: readonly TrafficSourceIdentifier[] = []): readonly TrafficSourceIdentifier[] {
  if (identifiers.length > mostPerCall)
    throw invalid(`At most ${mostPerCall} traffic sources can be given at once`);
  return identifiers;
}
