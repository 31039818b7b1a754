/** Scalable targets: registered with bounds that the count is moved into at once, and gone with their service. */
import { randomUUID } from 'node:crypto';
import type {
  DeregisterScalableTargetCommandInput,
  DescribeScalableTargetsCommandInput,
  DescribeScalableTargetsCommandOutput,
  RegisterScalableTargetCommandInput,
  RegisterScalableTargetCommandOutput,
  ScalableTarget,
} from '@aws-sdk/client-application-auto-scaling';
import { arn } from '../../account.ts';
import { AwsError, type Call, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import {
  checkFilter,
  invalid,
  inWords,
  limitExceeded,
  type Named,
  naming,
  notRegistered,
  placeOf,
} from './identity.ts';
import { pageOf } from './page.ts';
import { linkedRole, type Permissions } from './permissions.ts';
import type { ScaledServices } from './scaled-services.ts';
import { type Target, within } from './target.ts';

/** https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html, of ECS */
const mostTargets = 3_000;
const mostPerPage = 50;

const awake = {
  DynamicScalingInSuspended: false,
  DynamicScalingOutSuspended: false,
  ScheduledScalingSuspended: false,
};

export class ScalableTargets {
  readonly #clock: Clock;
  readonly #services: ScaledServices;
  readonly #permissions: Permissions;
  readonly #onGone: (target: Target) => void;
  readonly #targets = new Map<string, Target>();

  /** `onGone`: told of a target that is deregistered, by whomever. */
  constructor(options: {
    clock: Clock;
    services: ScaledServices;
    permissions: Permissions;
    onGone: (target: Target) => void;
  }) {
    this.#clock = options.clock;
    this.#services = options.services;
    this.#permissions = options.permissions;
    this.#onGone = options.onGone;
  }

  /**
   * Those whose service stands: a service that is deleted takes its target along, and a DeregisterScalableTarget after
   * DeleteService finds nothing (https://github.com/eagletmt/hako/pull/69,
   * https://github.com/hashicorp/terraform-provider-aws/issues/10432 and 14254). How soon is not known: here at once.
   */
  all(): Target[] {
    for (const target of this.#targets.values())
      if (this.#services.find(target.place) === undefined) this.#drop(target);
    return [...this.#targets.values()];
  }

  /** For policies and scheduled actions. */
  registered(named: Named): Target {
    placeOf(named);
    const target = this.all().find(({ resourceId }) => resourceId === named.ResourceId);
    if (target === undefined) throw notRegistered(named);
    return target;
  }

  /** Moves the service's count into the bounds. */
  clamp(target: Target): void {
    const desired = this.#services.find(target.place)?.desired;
    if (desired === undefined || desired === within(target, desired)) return;
    this.#services.scale(target.place, within(target, desired));
  }

  register(
    input: RegisterScalableTargetCommandInput,
    { principal }: Call,
  ): Output<RegisterScalableTargetCommandOutput> {
    const place = placeOf(input);
    if (Object.keys(input.Tags ?? {}).length > 0)
      throw invalid('Tags of scalable targets are not modelled by the embedded AWS');
    const known = this.all().find(({ resourceId }) => resourceId === input.ResourceId);
    const minimum = input.MinCapacity ?? known?.minimum;
    const maximum = input.MaxCapacity ?? known?.maximum;
    if (minimum === undefined || maximum === undefined)
      throw invalid('Minimum capacity and maximum capacity are required to register a scalable target');
    checkCapacities(minimum, maximum);
    this.#permissions.check(principal, place);
    // In AWS's words; also of a service that was made a moment before (https://github.com/spinnaker/spinnaker/issues/4371).
    if (this.#services.find(place) === undefined)
      throw invalid(`ECS service doesn't exist: ${input.ResourceId}`);
    if (known === undefined && this.#targets.size >= mostTargets)
      throw limitExceeded(`Scalable targets of ecs are limited to ${mostTargets}`);
    this.#permissions.makeRole(principal);
    const target = known ?? this.#made(input.ResourceId ?? '', place, minimum, maximum);
    target.minimum = minimum;
    target.maximum = maximum;
    target.suspended = { ...target.suspended, ...input.SuspendedState };
    this.clamp(target);
    return { ScalableTargetARN: target.arn };
  }

  deregister(input: DeregisterScalableTargetCommandInput): Record<string, never> {
    placeOf(input);
    const target = this.all().find(({ resourceId }) => resourceId === input.ResourceId);
    if (target === undefined)
      throw new AwsError('ObjectNotFoundException', `No scalable target found for ${inWords(input)}`);
    this.#drop(target);
    return {};
  }

  describe(input: DescribeScalableTargetsCommandInput): Output<DescribeScalableTargetsCommandOutput> {
    checkFilter({ ...input, ResourceId: input.ResourceIds?.[0] });
    const asked = this.all().filter(
      ({ resourceId }) => !input.ResourceIds?.length || input.ResourceIds.includes(resourceId),
    );
    const { entries, token } = pageOf(asked, ({ resourceId }) => resourceId, mostPerPage, input);
    return { ScalableTargets: entries.map(described), ...(token && { NextToken: token }) };
  }

  #made(resourceId: string, place: Target['place'], minimum: number, maximum: number): Target {
    const target: Target = {
      place,
      resourceId,
      arn: arn('application-autoscaling', `scalable-target/${randomUUID().replaceAll('-', '')}`),
      createdAt: new Date(this.#clock.now()),
      minimum,
      maximum,
      suspended: awake,
      policies: new Map(),
      actions: new Map(),
      out: undefined,
      in: undefined,
    };
    this.#targets.set(resourceId, target);
    return target;
  }

  #drop(target: Target): void {
    this.#targets.delete(target.resourceId);
    this.#onGone(target);
  }
}

export function checkCapacities(minimum: number, maximum: number): void {
  if (minimum < 0) throw invalid('Minimum capacity cannot be less than 0');
  if (maximum < minimum) throw invalid('Maximum capacity cannot be less than minimum capacity');
}

function described(target: Target): ScalableTarget {
  return {
    ...naming(target.resourceId),
    MinCapacity: target.minimum,
    MaxCapacity: target.maximum,
    RoleARN: linkedRole,
    CreationTime: target.createdAt,
    SuspendedState: target.suspended,
    ScalableTargetARN: target.arn,
  };
}
