/**
 * Scheduled actions of groups: at their time they set bounds and desired capacity
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html). One that runs once is gone
 * when it ran (https://github.com/hashicorp/terraform-provider-aws/issues/19446); so, as assumed, is one whose recurrence ends.
 */
import type {
  BatchDeleteScheduledActionCommandInput,
  BatchDeleteScheduledActionCommandOutput,
  BatchPutScheduledUpdateGroupActionCommandInput,
  BatchPutScheduledUpdateGroupActionCommandOutput,
  DeleteScheduledActionCommandInput,
  DescribeScheduledActionsCommandInput,
  DescribeScheduledActionsCommandOutput,
  FailedScheduledUpdateGroupActionRequest,
  PutScheduledUpdateGroupActionCommandInput,
} from '@aws-sdk/client-auto-scaling';
import { arn } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Chance } from '../ecs/chance.ts';
import { scheduledRuns } from '../events/scheduled-runs.ts';
import type { DesiredCapacity } from './desired-capacity.ts';
import { type Group, invalid, runs } from './group.ts';
import { boundsOf } from './group-settings.ts';
import { pageOf } from './page.ts';
import {
  type ActionRequest,
  described,
  type ScheduledAction,
  scheduleOf,
  wantedOf,
} from './scheduled-action.ts';

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
const mostPerGroup = 125;
const mostPerBatch = 50;

export interface ScheduledActionsOptions {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly all: () => Iterable<Group>;
  readonly group: (name: string | undefined) => Group;
  readonly capacity: DesiredCapacity;
}

export class ScheduledActions {
  readonly #options: ScheduledActionsOptions;

  constructor(options: ScheduledActionsOptions) {
    this.#options = options;
  }

  readonly operations = {
    PutScheduledUpdateGroupAction: (input: PutScheduledUpdateGroupActionCommandInput): object => {
      this.#put(this.#options.group(input.AutoScalingGroupName), input);
      return {};
    },

    BatchPutScheduledUpdateGroupAction: (
      input: BatchPutScheduledUpdateGroupActionCommandInput,
    ): Output<BatchPutScheduledUpdateGroupActionCommandOutput> => {
      const group = this.#options.group(input.AutoScalingGroupName);
      const actions = fewEnough(input.ScheduledUpdateGroupActions);
      return {
        FailedScheduledUpdateGroupActions: failed(
          actions,
          ({ ScheduledActionName }) => ScheduledActionName,
          (action) => this.#put(group, action),
        ),
      };
    },

    DescribeScheduledActions: (
      input: DescribeScheduledActionsCommandInput,
    ): Output<DescribeScheduledActionsCommandOutput> => {
      const { AutoScalingGroupName: name, ScheduledActionNames: names = [], StartTime, EndTime } = input;
      const groups = name === undefined ? this.#options.all() : [this.#options.group(name)];
      const found = [...groups]
        .flatMap((group) => [...group.actions.values()].map((action) => described(group, action)))
        .filter(({ ScheduledActionName = '', StartTime: at }) =>
          names.length > 0
            ? names.includes(ScheduledActionName)
            : // "If scheduled action names are provided, this property is ignored."
              (StartTime === undefined || Number(at) >= StartTime.getTime()) &&
              (EndTime === undefined || Number(at) <= EndTime.getTime()),
        );
      const { entries, token } = pageOf(
        found,
        (action) => `${action.AutoScalingGroupName} ${action.ScheduledActionName}`,
        100,
        { fallback: 50, asked: input },
      );
      return { ScheduledUpdateGroupActions: entries, ...(token === undefined ? {} : { NextToken: token }) };
    },

    DeleteScheduledAction: (input: DeleteScheduledActionCommandInput): object => {
      drop(this.#options.group(input.AutoScalingGroupName), input.ScheduledActionName);
      return {};
    },

    BatchDeleteScheduledAction: (
      input: BatchDeleteScheduledActionCommandInput,
    ): Output<BatchDeleteScheduledActionCommandOutput> => {
      const group = this.#options.group(input.AutoScalingGroupName);
      const names = fewEnough(input.ScheduledActionNames);
      return {
        FailedScheduledActions: failed(
          names,
          (name) => name,
          (name) => drop(group, name),
        ),
      };
    },
  } satisfies Operations;

  /** They go with their group. */
  forget(group: Group): void {
    for (const { runs: pending } of group.actions.values()) pending.cancel();
    group.actions.clear();
  }

  #put(group: Group, request: ActionRequest): void {
    const { clock, chance } = this.#options;
    const name = request.ScheduledActionName ?? '';
    const known = group.actions.get(name);
    const wanted = wantedOf(request, known?.wanted, clock.now());
    const schedule = scheduleOf(wanted);
    if (known === undefined && group.actions.size >= mostPerGroup)
      throw new AwsError(
        'LimitExceededFault',
        `Only ${mostPerGroup} scheduled actions are allowed per group.`,
      );
    const { StartTime: start, EndTime: end } = wanted;
    const pending = scheduledRuns({ clock, schedule, start, end, run: () => this.#run(group, action) });
    const action: ScheduledAction = {
      name,
      arn:
        known?.arn ??
        arn(
          'autoscaling',
          `scheduledUpdateGroupAction:${chance.uuid()}:autoScalingGroupName/${group.name}:scheduledActionName/${name}`,
        ),
      wanted,
      runs: pending,
    };
    try {
      checkTime(group, action);
    } catch (thrown) {
      pending.cancel();
      throw thrown;
    }
    known?.runs.cancel();
    group.actions.set(name, action);
  }

  /**
   * Bounds that would leave the desired capacity outside are refused as in an update: AWS does not say what becomes of such
   * an action; here nothing. One that comes due while it is suspended is lost (as-suspend-resume-processes.html).
   */
  #run(group: Group, action: ScheduledAction): void {
    if (action.runs.next() === undefined) group.actions.delete(action.name);
    if (group.deleting || !runs(group, 'ScheduledActions')) return;
    try {
      const { capacity } = this.#options;
      capacity.constrain(group, boundsOf(action.wanted, group.settings), 'a scheduled action');
    } catch (thrown) {
      if (!(thrown instanceof AwsError)) throw thrown;
    }
  }
}

/** "A scheduled action must have a unique time value"; else the call fails, as "one with this scheduled start time already exists". */
function checkTime(group: Group, action: ScheduledAction): void {
  const next = action.runs.next();
  const rival = [...group.actions.values()].find(
    ({ name, runs: pending }) => name !== action.name && pending.next() === next && next !== undefined,
  );
  if (rival !== undefined)
    throw new AwsError(
      'AlreadyExistsFault',
      `A scheduled action with this scheduled start time already exists: ${rival.name}`,
    );
}

function drop(group: Group, name = ''): void {
  const action = group.actions.get(name);
  // In AWS's words: https://github.com/hashicorp/terraform-provider-aws/issues/19446
  if (action === undefined) throw invalid('Scheduled action name not found');
  action.runs.cancel();
  group.actions.delete(name);
}

/** What of a batch could not be done. */
function failed<T>(
  all: readonly T[],
  name: (each: T) => string | undefined,
  act: (each: T) => void,
): FailedScheduledUpdateGroupActionRequest[] {
  return all.flatMap((each) => {
    try {
      act(each);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof AwsError)) throw thrown;
      return [
        {
          ScheduledActionName: name(each),
          ErrorCode: codes[thrown.code] ?? thrown.code,
          ErrorMessage: thrown.message,
        },
      ];
    }
  });
}

/** As the query protocol names them. */
const codes: Readonly<Record<string, string>> = {
  ValidationException: 'ValidationError',
  LimitExceededFault: 'LimitExceeded',
  AlreadyExistsFault: 'AlreadyExists',
};

function fewEnough<T>(all: readonly T[] = []): readonly T[] {
  if (all.length > mostPerBatch)
    throw invalid(`At most ${mostPerBatch} scheduled actions can be given at once`);
  return all;
}
