/** Generations as Auto Scaling groups. */
import type {
  AutoScalingGroup,
  DescribeAutoScalingGroupsCommandOutput,
  DescribePoliciesCommandOutput,
  DescribeScheduledActionsCommandOutput,
} from '@aws-sdk/client-auto-scaling';
import type { DescribeLaunchTemplateVersionsCommandOutput } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import type { scalingSettings } from '../../functions/core/fleet/scaling.ts';
import type { SimulatedAws } from '../../local/simulated/simulated-aws.ts';
import {
  type Effect,
  policyInWords,
  type Running,
  type Scaling,
  type SimulatedFleet,
} from './simulated-fleet.ts';

export class AsgFleet implements SimulatedFleet {
  readonly services = ['autoscaling', 'ec2'];
  readonly #aws: SimulatedAws;

  constructor(aws: SimulatedAws) {
    this.#aws = aws;
  }

  effectOf(service: string, operation: string, input: object): Effect | undefined {
    if (service !== 'autoscaling') return undefined;
    const asked = input as {
      AutoScalingGroupName?: string;
      DesiredCapacity?: number;
      MinSize?: number;
      MaxSize?: number;
      LaunchTemplate?: { LaunchTemplateName?: string };
    };
    const name = asked.AutoScalingGroupName ?? '';
    switch (operation) {
      case 'CreateAutoScalingGroup':
        return { kind: 'making', name, source: asked.LaunchTemplate?.LaunchTemplateName ?? '' };
      case 'UpdateAutoScalingGroup':
      case 'SetDesiredCapacity':
        return asked.MaxSize === 0
          ? { kind: 'ending', name }
          : { kind: 'sizing', name, desired: this.#sized(asked) };
      default:
        return undefined;
    }
  }

  async find(name: string): Promise<Running | undefined> {
    const found = this.#group(name);
    if (found === undefined) return undefined;
    const { DesiredCapacity = 0, Instances = [], Tags = [] } = found;
    const tags = Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
    const running = Instances.filter(({ LifecycleState }) => LifecycleState === 'InService').length;
    return { desired: DesiredCapacity, running, tags };
  }

  wanted(name: string): number | undefined {
    const found = this.#group(name);
    // One that is told to end is there until its last instance is gone.
    return found?.MaxSize === 0 ? undefined : found?.DesiredCapacity;
  }

  async running(): Promise<readonly string[]> {
    return this.#groups({}).flatMap(({ AutoScalingGroupName, MaxSize }) =>
      MaxSize === 0 ? [] : (AutoScalingGroupName ?? []),
    );
  }

  async targets(name: string): Promise<readonly string[]> {
    return (this.#group(name)?.Instances ?? []).flatMap(({ InstanceId }) => InstanceId ?? []);
  }

  async image(LaunchTemplateName: string): Promise<string> {
    const { LaunchTemplateVersions } = (await this.#ask('ec2', 'DescribeLaunchTemplateVersions', {
      LaunchTemplateName,
      Versions: ['1'],
    })) as DescribeLaunchTemplateVersionsCommandOutput;
    const { UserData = '', ImageId = '' } = LaunchTemplateVersions?.[0]?.LaunchTemplateData ?? {};
    const text = Buffer.from(UserData, 'base64').toString('latin1');
    return /\S+@sha256:[0-9a-f]{64}/.exec(text)?.[0] ?? ImageId;
  }

  async scaling({ name }: { readonly name: string }, own: string): Promise<Scaling | undefined> {
    const found = this.#group(name);
    if (found === undefined) return undefined;
    const { MinSize: minimum = 0, MaxSize: maximum = 0 } = found;
    const { ScalingPolicies = [] } = (await this.#ask('autoscaling', 'DescribePolicies', {
      AutoScalingGroupName: name,
    })) as DescribePoliciesCommandOutput;
    const policies = ScalingPolicies.map(({ PolicyName, TargetTrackingConfiguration }) =>
      policyInWords(PolicyName, TargetTrackingConfiguration, own),
    );
    return minimum === maximum && policies.length === 0 ? undefined : { minimum, maximum, policies };
  }

  async schedule(name: string): Promise<readonly string[]> {
    const { ScheduledUpdateGroupActions = [] } = (await this.#ask('autoscaling', 'DescribeScheduledActions', {
      AutoScalingGroupName: name,
    })) as DescribeScheduledActionsCommandOutput;
    return ScheduledUpdateGroupActions.map(
      ({ ScheduledActionName, Recurrence }) => `${ScheduledActionName}: ${Recurrence}`,
    );
  }

  async scaled(): Promise<readonly string[]> {
    const names = await this.running();
    const found = await Promise.all(names.map((name) => this.scaling({ name }, '')));
    return names.filter((_, index) => found[index] !== undefined);
  }

  /** Policies of groups have no cooldowns, and schedules are Unix's. */
  declared({ minimum, maximum, policies = [], schedule = [] }: z.input<typeof scalingSettings>): object {
    return {
      minimum,
      maximum,
      policies: policies.map(({ name, metric, target }) => ({ name, metric, target })),
      schedule: schedule.map(({ expression, ...each }) => ({ ...each, recurrence: unixCron(expression) })),
    };
  }

  async resize(AutoScalingGroupName: string, count: number): Promise<void> {
    const { MinSize = 0, MaxSize = 0 } = this.#group(AutoScalingGroupName) ?? {};
    await this.#ask('autoscaling', 'UpdateAutoScalingGroup', {
      AutoScalingGroupName,
      MinSize: Math.min(MinSize, count),
      MaxSize: Math.max(MaxSize, count),
      DesiredCapacity: count,
    });
  }

  async delete(AutoScalingGroupName: string): Promise<void> {
    await this.#ask('autoscaling', 'DeleteAutoScalingGroup', { AutoScalingGroupName, ForceDelete: true });
  }

  /** What comes of bounds that move the size: API_UpdateAutoScalingGroup. */
  #sized(asked: {
    AutoScalingGroupName?: string;
    DesiredCapacity?: number;
    MinSize?: number;
    MaxSize?: number;
  }): number | undefined {
    if (asked.DesiredCapacity !== undefined) return asked.DesiredCapacity;
    const now = this.#group(asked.AutoScalingGroupName ?? '')?.DesiredCapacity;
    return now === undefined
      ? undefined
      : Math.min(Math.max(now, asked.MinSize ?? 0), asked.MaxSize ?? Number.POSITIVE_INFINITY);
  }

  #group(name: string): AutoScalingGroup | undefined {
    return this.#groups({ AutoScalingGroupNames: [name] })[0];
  }

  /** Without those that are being deleted. */
  #groups(input: object): readonly AutoScalingGroup[] {
    const describe = this.#aws.autoscaling.operations['DescribeAutoScalingGroups'];
    if (describe === undefined) throw new Error('EC2 Auto Scaling does not describe groups');
    const call = { principal: { kind: 'root' as const }, requestId: 'observation', endpoint: '' };
    const { AutoScalingGroups = [] } = describe(
      input as never,
      call,
    ) as DescribeAutoScalingGroupsCommandOutput;
    return AutoScalingGroups.filter(({ Status }) => Status === undefined);
  }

  #ask(api: string, operation: string, input: object): Promise<unknown> {
    return this.#aws.dispatcher.call(api, operation, input, { kind: 'root' });
  }
}

/** `cron(0 22 * * ? *)` as `0 22 * * *` */
function unixCron(expression: string): string {
  const [minute, hour, day, month, weekday] = /^cron\((.+)\)$/.exec(expression)?.[1]?.split(' ') ?? [];
  return [minute, hour, day, month, weekday].map((field) => (field === '?' ? '*' : field)).join(' ');
}
