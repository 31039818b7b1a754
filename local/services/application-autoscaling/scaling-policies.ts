/** Scaling policies of a target: target tracking, with the alarms that come with it, and step scaling, which is kept. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type {
  DeleteScalingPolicyCommandInput,
  DescribeScalingPoliciesCommandInput,
  DescribeScalingPoliciesCommandOutput,
  PolicyType,
  PutScalingPolicyCommandInput,
  PutScalingPolicyCommandOutput,
  ScalingPolicy,
  TargetTrackingScalingPolicyConfiguration,
} from '@aws-sdk/client-application-auto-scaling';
import { arn } from '../../account.ts';
import { AwsError, type Call, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Tracking } from '../target-tracking/tracking.ts';
import { alarmsOf, type TrackingAlarms } from '../target-tracking/tracking-alarms.ts';
import { checkFilter, invalid, inWords, limitExceeded, naming, placeOf } from './identity.ts';
import { pageOf } from './page.ts';
import type { Permissions } from './permissions.ts';
import type { ScalableTargets } from './scalable-targets.ts';
import type { Policy, Target } from './target.ts';
import { trackedMetric } from './tracked-metric.ts';

/** https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html */
const mostPolicies = 50;
const mostSteps = 20;
/** "This value can be between 1 and 10. The default value is 10" (API reference, DescribeScalingPolicies). */
const mostPerPage = 10;

export class ScalingPolicies {
  readonly #clock: Clock;
  readonly #targets: ScalableTargets;
  readonly #alarms: TrackingAlarms;
  readonly #permissions: Permissions;
  readonly #onPut: () => void;

  constructor(options: {
    clock: Clock;
    targets: ScalableTargets;
    alarms: TrackingAlarms;
    permissions: Permissions;
    onPut: () => void;
  }) {
    this.#clock = options.clock;
    this.#targets = options.targets;
    this.#alarms = options.alarms;
    this.#permissions = options.permissions;
    this.#onPut = options.onPut;
  }

  put(input: PutScalingPolicyCommandInput, { principal }: Call): Output<PutScalingPolicyCommandOutput> {
    const place = placeOf(input);
    const target = this.#targets.registered(input);
    const name = input.PolicyName ?? '';
    const known = target.policies.get(name);
    // "The default is StepScaling" for a new one; an update need not say it.
    const type = input.PolicyType ?? known?.description.PolicyType ?? 'StepScaling';
    if (known !== undefined && known.description.PolicyType !== type)
      throw invalid(`The policy type of ${name} cannot be changed`);
    if (known === undefined && target.policies.size >= mostPolicies)
      throw limitExceeded(`Scaling policies of a scalable target are limited to ${mostPolicies}`);
    const configuration = configurationOf(input, type);
    const policyArn = known?.description.PolicyARN ?? newArn(target, name);
    const tracking = this.#tracking(
      target,
      { name, policyArn },
      configuration.TargetTrackingScalingPolicyConfiguration,
    );
    this.#permissions.check(principal, place);
    const description: ScalingPolicy = {
      PolicyARN: policyArn,
      PolicyName: name,
      ...naming(target.resourceId),
      PolicyType: type,
      ...configuration,
      Alarms: alarmsOf(tracking),
      CreationTime: known?.description.CreationTime ?? new Date(this.#clock.now()),
    };
    target.policies.set(name, { description, tracking });
    if (tracking !== undefined) {
      this.#alarms.put(tracking, known?.tracking);
      this.#onPut();
    }
    return { PolicyARN: description.PolicyARN, Alarms: description.Alarms };
  }

  delete(input: DeleteScalingPolicyCommandInput): Record<string, never> {
    placeOf(input);
    const target = this.#targets.all().find(({ resourceId }) => resourceId === input.ResourceId);
    const policy = target?.policies.get(input.PolicyName ?? '');
    if (target === undefined || policy === undefined)
      throw new AwsError('ObjectNotFoundException', `No scaling policy found for ${inWords(input)}`);
    target.policies.delete(input.PolicyName ?? '');
    this.forget(policy);
    return {};
  }

  describe(input: DescribeScalingPoliciesCommandInput): Output<DescribeScalingPoliciesCommandOutput> {
    checkFilter(input);
    const asked = this.#targets
      .all()
      .filter(({ resourceId }) => input.ResourceId === undefined || resourceId === input.ResourceId)
      .flatMap(({ policies }) => [...policies.values()])
      .map(({ description }) => description)
      .filter(({ PolicyName = '' }) => !input.PolicyNames?.length || input.PolicyNames.includes(PolicyName));
    const key = ({ ResourceId, PolicyName }: ScalingPolicy) => `${ResourceId} ${PolicyName}`;
    const { entries, token } = pageOf(asked, key, mostPerPage, input);
    return { ScalingPolicies: entries, ...(token && { NextToken: token }) };
  }

  /** Its alarms go with it. */
  forget(policy: Policy): void {
    this.#alarms.forget(policy.tracking);
  }

  #tracking(
    target: Target,
    { name, policyArn }: { name: string; policyArn: string },
    configuration: TargetTrackingScalingPolicyConfiguration | undefined,
  ): Tracking | undefined {
    if (configuration === undefined) return undefined;
    if (configuration.CustomizedMetricSpecification !== undefined)
      throw invalid('Customized metrics of target tracking are not modelled by the embedded AWS');
    const specification = configuration.PredefinedMetricSpecification;
    if (specification === undefined)
      throw invalid('Exactly one of predefined and customized metric specification must be specified');
    if ((configuration.TargetValue ?? 0) <= 0) throw invalid('Target value must be greater than 0');
    const metric = trackedMetric(specification, target.place);
    const rival = [...target.policies.values()].find(
      ({ description, tracking }) =>
        description.PolicyName !== name && isDeepStrictEqual(tracking?.metric, metric),
    );
    // In AWS's words, which terraform and CloudFormation show.
    if (rival !== undefined)
      throw invalid('Only one TargetTrackingScaling policy for a given metric specification is allowed.');
    const known = target.policies.get(name)?.tracking;
    const scalesIn = configuration.DisableScaleIn !== true;
    return {
      policyName: name,
      policyArn,
      metric,
      target: configuration.TargetValue ?? 0,
      ...this.#alarms.names(target.resourceId, { scalesIn, known }),
    };
  }
}

function configurationOf(input: PutScalingPolicyCommandInput, type: PolicyType) {
  if (type === 'PredictiveScaling') throw invalid('Predictive scaling is not modelled by the embedded AWS');
  const { TargetTrackingScalingPolicyConfiguration, StepScalingPolicyConfiguration } = input;
  if (type === 'TargetTrackingScaling') {
    if (
      TargetTrackingScalingPolicyConfiguration === undefined ||
      StepScalingPolicyConfiguration !== undefined
    )
      throw invalid('TargetTrackingScaling needs TargetTrackingScalingPolicyConfiguration, and no other');
    return { TargetTrackingScalingPolicyConfiguration };
  }
  const steps = StepScalingPolicyConfiguration?.StepAdjustments ?? [];
  if (TargetTrackingScalingPolicyConfiguration !== undefined || steps.length === 0)
    throw invalid('StepScaling needs StepScalingPolicyConfiguration with at least one step adjustment');
  if (steps.length > mostSteps)
    throw limitExceeded(`Step adjustments of a scaling policy are limited to ${mostSteps}`);
  return { StepScalingPolicyConfiguration };
}

function newArn(target: Target, name: string): string {
  return arn(
    'autoscaling',
    `scalingPolicy:${randomUUID()}:resource/ecs/${target.resourceId}:policyName/${name}`,
  );
}
