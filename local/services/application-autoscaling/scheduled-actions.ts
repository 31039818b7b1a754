/** Scheduled actions: at their time they set a target's bounds, and its count is moved into them. */
import { randomUUID } from 'node:crypto';
import type {
  DeleteScheduledActionCommandInput,
  DescribeScheduledActionsCommandInput,
  DescribeScheduledActionsCommandOutput,
  PutScheduledActionCommandInput,
  ScheduledAction,
} from '@aws-sdk/client-application-auto-scaling';
import { arn } from '../../account.ts';
import { AwsError, type Call, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { scheduledRuns } from '../events/scheduled-runs.ts';
import { actionSchedule } from './action-schedule.ts';
import { checkFilter, invalid, inWords, limitExceeded, naming, placeOf } from './identity.ts';
import { pageOf } from './page.ts';
import type { Permissions } from './permissions.ts';
import { checkCapacities, type ScalableTargets } from './scalable-targets.ts';
import type { Action, Target } from './target.ts';

/** https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html */
const mostActions = 200;
const mostPerPage = 50;

export class ScheduledActions {
  readonly #clock: Clock;
  readonly #targets: ScalableTargets;
  readonly #permissions: Permissions;

  constructor(options: { clock: Clock; targets: ScalableTargets; permissions: Permissions }) {
    this.#clock = options.clock;
    this.#targets = options.targets;
    this.#permissions = options.permissions;
  }

  put(input: PutScheduledActionCommandInput, { principal }: Call): Record<string, never> {
    const place = placeOf(input);
    const target = this.#targets.registered(input);
    const name = input.ScheduledActionName ?? '';
    const known = target.actions.get(name);
    const changes = changesOf(input, known?.description);
    if (known === undefined && target.actions.size >= mostActions)
      throw limitExceeded(`Scheduled actions of a scalable target are limited to ${mostActions}`);
    this.#permissions.check(principal, place);
    known?.timer?.cancel();
    const action: Action = {
      description: {
        ScheduledActionName: name,
        ScheduledActionARN: known?.description.ScheduledActionARN ?? actionArn(target, name),
        ...naming(target.resourceId),
        ...changes,
        CreationTime: known?.description.CreationTime ?? new Date(this.#clock.now()),
      },
      timer: undefined,
    };
    target.actions.set(name, action);
    this.#begin(target, action);
    return {};
  }

  delete(input: DeleteScheduledActionCommandInput): Record<string, never> {
    placeOf(input);
    const target = this.#targets.all().find(({ resourceId }) => resourceId === input.ResourceId);
    const action = target?.actions.get(input.ScheduledActionName ?? '');
    if (target === undefined || action === undefined)
      throw new AwsError('ObjectNotFoundException', `No scheduled action found for ${inWords(input)}`);
    action.timer?.cancel();
    target.actions.delete(input.ScheduledActionName ?? '');
    return {};
  }

  describe(input: DescribeScheduledActionsCommandInput): Output<DescribeScheduledActionsCommandOutput> {
    checkFilter(input);
    const names = input.ScheduledActionNames ?? [];
    const asked = this.#targets
      .all()
      .filter(({ resourceId }) => input.ResourceId === undefined || resourceId === input.ResourceId)
      .flatMap(({ actions }) => [...actions.values()])
      .map(({ description }) => description)
      .filter(({ ScheduledActionName = '' }) => names.length === 0 || names.includes(ScheduledActionName));
    const key = ({ ResourceId, ScheduledActionName }: ScheduledAction) =>
      `${ResourceId} ${ScheduledActionName}`;
    const { entries, token } = pageOf(asked, key, mostPerPage, input);
    return { ScheduledActions: entries, ...(token && { NextToken: token }) };
  }

  close(): void {
    for (const { actions } of this.#targets.all()) for (const { timer } of actions.values()) timer?.cancel();
  }

  /**
   * "If you specify a start time, Application Auto Scaling performs the action at that time, and then performs the action
   * based on the specified recurrence":
   * https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
   */
  #begin(target: Target, action: Action): void {
    const { StartTime, EndTime, Schedule = '', Timezone } = action.description;
    action.timer = scheduledRuns({
      clock: this.#clock,
      schedule: actionSchedule(Schedule, Timezone),
      start: Schedule.startsWith('at') ? undefined : StartTime,
      end: EndTime,
      run: () => this.#run(target, action),
    });
  }

  /** One that was suspended meanwhile is lost: "Scheduled actions … will not run during the suspension". */
  #run(target: Target, { description: { ScalableTargetAction } }: Action): void {
    if (target.suspended.ScheduledScalingSuspended || !this.#targets.all().includes(target)) return;
    const minimum = ScalableTargetAction?.MinCapacity ?? target.minimum;
    const maximum = ScalableTargetAction?.MaxCapacity ?? target.maximum;
    // AWS does not say what becomes of one that would cross the other bound: here it fails, as a registration would.
    if (maximum < minimum) return;
    target.minimum = minimum;
    target.maximum = maximum;
    this.#targets.clamp(target);
  }
}

/** What is not said stays as it was, but for the times: "If you don't specify start and end times, the old values are deleted". */
function changesOf(input: PutScheduledActionCommandInput, known: ScheduledAction | undefined) {
  const Schedule = input.Schedule ?? known?.Schedule;
  if (Schedule === undefined) throw invalid('Schedule is required for a new scheduled action');
  const Timezone = input.Timezone ?? known?.Timezone;
  actionSchedule(Schedule, Timezone);
  const { MinCapacity, MaxCapacity } = input.ScalableTargetAction ?? known?.ScalableTargetAction ?? {};
  // In AWS's words: https://github.com/aws-cloudformation/community-registry-extensions/issues/255
  if (MinCapacity === undefined && MaxCapacity === undefined)
    throw invalid('At least one of minimum capacity and maximum capacity should be provided');
  checkCapacities(MinCapacity ?? 0, MaxCapacity ?? Number.POSITIVE_INFINITY);
  return {
    Schedule,
    ...(Timezone !== undefined && { Timezone }),
    ...(input.StartTime && { StartTime: input.StartTime }),
    ...(input.EndTime && { EndTime: input.EndTime }),
    ScalableTargetAction: {
      ...(MinCapacity !== undefined && { MinCapacity }),
      ...(MaxCapacity !== undefined && { MaxCapacity }),
    },
  };
}

function actionArn(target: Target, name: string): string {
  return arn(
    'autoscaling',
    `scheduledAction:${randomUUID()}:resource/ecs/${target.resourceId}:scheduledActionName/${name}`,
  );
}
