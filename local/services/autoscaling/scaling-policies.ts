/**
 * Scaling policies of groups (https://docs.aws.amazon.com/autoscaling/ec2/userguide/scaling-overview.html): those of target
 * tracking come with their alarms, those of steps and of simple scaling act by alarms of their owner, predictive ones are kept
 * alone. One that is disabled keeps its alarms and does not act, which is assumed.
 */
import { isDeepStrictEqual } from 'node:util';
import type {
  DeletePolicyCommandInput,
  DescribePoliciesCommandInput,
  DescribePoliciesCommandOutput,
  ExecutePolicyCommandInput,
  PutScalingPolicyCommandInput,
  PutScalingPolicyCommandOutput,
  ScalingPolicy,
  TargetTrackingConfiguration,
} from '@aws-sdk/client-auto-scaling';
import { arn } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Monitoring } from '../cloudwatch/monitoring.ts';
import type { Chance } from '../ecs/chance.ts';
import { EachMinute } from '../target-tracking/each-minute.ts';
import { Tracker } from '../target-tracking/tracker.ts';
import type { Tracking } from '../target-tracking/tracking.ts';
import { alarmsOf, TrackingAlarms } from '../target-tracking/tracking-alarms.ts';
import { causeOf, type DesiredCapacity } from './desired-capacity.ts';
import { type Group, invalid, runs } from './group.ts';
import { groupMetric } from './group-metric.ts';
import { pageOf } from './page.ts';
import { check, type Policy, typeOf } from './policy.ts';
import { PolicyAlarms } from './policy-alarms.ts';
import { PolicyExecution } from './policy-execution.ts';
import { trackedGroup } from './tracked-group.ts';

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
const mostPerGroup = 50;

export interface ScalingPoliciesOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly cloudwatch: Operations;
  readonly all: () => Iterable<Group>;
  readonly group: (name: string | undefined) => Group;
  readonly capacity: DesiredCapacity;
}

export class ScalingPolicies {
  readonly #options: ScalingPoliciesOptions;
  readonly #tracking: TrackingAlarms;
  readonly #alarms: PolicyAlarms;
  readonly #execution: PolicyExecution;
  readonly #tracker: Tracker;
  readonly #minutes: EachMinute;

  constructor(options: ScalingPoliciesOptions) {
    this.#options = options;
    const monitoring = new Monitoring({ ...options, service: 'autoscaling' });
    this.#tracking = new TrackingAlarms(monitoring);
    this.#alarms = new PolicyAlarms(monitoring);
    this.#execution = new PolicyExecution(options);
    this.#tracker = new Tracker({
      ...options,
      alarms: this.#tracking,
      all: () => [...options.all()].map((group) => trackedGroup(group, options)),
    });
    this.#minutes = new EachMinute({ ...options, look: () => this.#look() });
  }

  readonly operations = {
    PutScalingPolicy: (input: PutScalingPolicyCommandInput): Output<PutScalingPolicyCommandOutput> => {
      const group = this.#options.group(input.AutoScalingGroupName);
      const known = group.policies.get(input.PolicyName ?? '');
      if (known === undefined && group.policies.size >= mostPerGroup)
        throw new AwsError(
          'LimitExceededFault',
          `Only ${mostPerGroup} scaling policies are allowed per group.`,
        );
      const policy = this.#policy(group, input, known);
      if (policy.tracking === undefined) this.#tracking.forget(known?.tracking);
      else this.#tracking.put(policy.tracking, known?.tracking);
      group.policies.set(policy.name, policy);
      this.#tracker.wake();
      this.#minutes.wake();
      return { PolicyARN: policy.arn, Alarms: alarmsOf(policy.tracking) };
    },

    /** "If you specify an unknown policy name, it is ignored with no error." */
    DescribePolicies: (input: DescribePoliciesCommandInput): Output<DescribePoliciesCommandOutput> => {
      const { AutoScalingGroupName: name, PolicyNames: names = [], PolicyTypes: types = [] } = input;
      const groups = name === undefined ? this.#options.all() : [this.#options.group(name)];
      const found = [...groups]
        .flatMap(({ policies }) => [...policies.values()])
        .filter(
          (policy) =>
            (names.length === 0 || names.includes(policy.name) || names.includes(policy.arn)) &&
            (types.length === 0 || types.includes(policy.type)),
        );
      const key = ({ shown, name: policyName }: Policy) => `${shown.AutoScalingGroupName} ${policyName}`;
      const { entries, token } = pageOf(found, key, 100, { fallback: 50, asked: input });
      return {
        ScalingPolicies: entries.map((policy) => this.#described(policy)),
        ...(token === undefined ? {} : { NextToken: token }),
      };
    },

    /** The alarms of target tracking go along; those of its owner stay, even without an action (API_DeletePolicy). */
    DeletePolicy: (input: DeletePolicyCommandInput): object => {
      const { group, policy } = this.#named(input);
      group.policies.delete(policy.name);
      this.#tracking.forget(policy.tracking);
      return {};
    },

    ExecutePolicy: (input: ExecutePolicyCommandInput): object => {
      const { group, policy } = this.#named(input);
      const { MetricValue: value, BreachThreshold: threshold, HonorCooldown: honorsCooldown = false } = input;
      checkExecution(policy, input);
      this.#execution.run(group, policy, {
        beyond: value === undefined || threshold === undefined ? undefined : value - threshold,
        honorsCooldown,
        by: `a user request executed policy ${policy.name}`,
      });
      return {};
    },
  } satisfies Operations;

  /** They go with their group, and their alarms with them. */
  forget(group: Group): void {
    for (const policy of group.policies.values()) {
      this.#tracking.forget(policy.tracking);
      this.#alarms.forget(policy.arn);
    }
    group.policies.clear();
  }

  close(): void {
    this.#tracker.close();
    this.#minutes.close();
  }

  #policy(group: Group, input: PutScalingPolicyCommandInput, known: Policy | undefined): Policy {
    const { AutoScalingGroupName, PolicyName: name = '', Enabled = true, ...given } = input;
    const type = typeOf(input);
    check(input, type);
    const policyArn =
      known?.arn ??
      arn(
        'autoscaling',
        `scalingPolicy:${this.#options.chance.uuid()}:autoScalingGroupName/${group.name}:policyName/${name}`,
      );
    const aggregation = type === 'StepScaling' ? { MetricAggregationType: 'Average' } : {};
    return {
      name,
      arn: policyArn,
      type,
      tracking: this.#trackingOf(group, { name, policyArn, known }, input.TargetTrackingConfiguration),
      shown: {
        AutoScalingGroupName,
        PolicyName: name,
        PolicyARN: policyArn,
        StepAdjustments: [],
        ...aggregation,
        ...given,
        PolicyType: type,
        Enabled,
      },
    };
  }

  #trackingOf(
    group: Group,
    { name, policyArn, known }: { name: string; policyArn: string; known: Policy | undefined },
    configuration: TargetTrackingConfiguration | undefined,
  ): Tracking | undefined {
    if (configuration === undefined) return undefined;
    const metric = groupMetric(group.name, configuration);
    const target = configuration.TargetValue ?? 0;
    if (target <= 0) throw invalid('Target value must be greater than 0');
    const rivals = [...group.policies.values()].filter((policy) => policy.name !== name);
    // In AWS's words, which terraform and CloudFormation show.
    if (rivals.some(({ tracking }) => isDeepStrictEqual(tracking?.metric, metric)))
      throw invalid('Only one TargetTrackingScaling policy for a given metric specification is allowed.');
    const scalesIn = configuration.DisableScaleIn !== true;
    const alarms = this.#tracking.names(group.name, { scalesIn, known: known?.tracking });
    return { policyName: name, policyArn, metric, target, ...alarms };
  }

  /** By name in its group, or by ARN. Words are assumed. */
  #named({ AutoScalingGroupName, PolicyName = '' }: DeletePolicyCommandInput): {
    group: Group;
    policy: Policy;
  } {
    const groups =
      AutoScalingGroupName === undefined ? this.#options.all() : [this.#options.group(AutoScalingGroupName)];
    for (const group of groups)
      for (const policy of group.policies.values())
        if (policy.arn === PolicyName || (AutoScalingGroupName !== undefined && policy.name === PolicyName))
          return { group, policy };
    throw invalid(`PolicyName: ${PolicyName} not found`);
  }

  #described({ shown, tracking, type, arn: policyArn }: Policy): ScalingPolicy {
    const ofOwner = () =>
      this.#alarms.of(policyArn).map(({ AlarmName, AlarmArn: AlarmARN }) => ({ AlarmName, AlarmARN }));
    return { ...shown, Alarms: type === 'TargetTrackingScaling' ? alarmsOf(tracking) : ofOwner() };
  }

  /** At the alarms of owners; whether there are policies that they could trigger. */
  #look(): boolean {
    const policies = [...this.#options.all()].flatMap((group) =>
      [...group.policies.values()].filter(isTriggered).map((policy) => ({ group, policy })),
    );
    for (const { group, policy } of policies) {
      if (group.deleting || policy.shown.Enabled !== true || !runs(group, 'AlarmNotification')) continue;
      for (const { alarm, beyond } of this.#alarms.breached(policy.arn))
        this.#trigger(group, policy, { alarm, beyond });
    }
    return policies.length > 0;
  }

  /** What a policy refuses, such as for its cooldown, AWS tells in the alarm's history alone. */
  #trigger(group: Group, policy: Policy, { alarm, beyond }: { alarm: string; beyond: number }): void {
    try {
      const by = causeOf(policy.name, alarm);
      this.#execution.run(group, policy, { beyond, honorsCooldown: true, by });
    } catch (thrown) {
      if (!(thrown instanceof AwsError)) throw thrown;
    }
  }
}

function isTriggered({ type }: Policy): boolean {
  return type === 'StepScaling' || type === 'SimpleScaling';
}

/** API_ExecutePolicy; words are assumed. */
function checkExecution(policy: Policy, input: ExecutePolicyCommandInput): void {
  if (!isTriggered(policy)) throw invalid(`Policies of type ${policy.type} cannot be executed`);
  const isStep = policy.type === 'StepScaling';
  if (isStep && (input.MetricValue === undefined || input.BreachThreshold === undefined))
    throw invalid('MetricValue and BreachThreshold are required for a StepScaling policy');
  if (!isStep && (input.MetricValue !== undefined || input.BreachThreshold !== undefined))
    throw invalid('MetricValue and BreachThreshold are not supported for a SimpleScaling policy');
  if (isStep && input.HonorCooldown === true)
    throw invalid('HonorCooldown is not supported for a StepScaling policy');
}
