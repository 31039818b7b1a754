/** One scheduled action: what a request makes of it, when it runs, and how it is shown. */
import type {
  PutScheduledUpdateGroupActionCommandInput,
  ScheduledUpdateGroupAction,
  ScheduledUpdateGroupActionRequest,
} from '@aws-sdk/client-auto-scaling';
import type { Schedule } from '../events/cron.ts';
import type { ScheduledRuns } from '../events/scheduled-runs.ts';
import { timeZone } from '../events/time-zone.ts';
import { parseUnixCron } from '../events/unix-cron.ts';
import { type Group, invalid } from './group.ts';

export type ActionRequest = ScheduledUpdateGroupActionRequest &
  Pick<PutScheduledUpdateGroupActionCommandInput, 'Time'>;

type Wanted = Omit<ActionRequest, 'ScheduledActionName' | 'Time'>;

export interface ScheduledAction {
  readonly name: string;
  readonly arn: string;
  readonly wanted: Wanted;
  readonly runs: ScheduledRuns;
}

/**
 * "If you leave a parameter unspecified when updating a scheduled scaling action, the corresponding value remains unchanged", as
 * former editions of the reference say. Words: https://github.com/hashicorp/terraform-provider-aws/pull/3033 has those of the past,
 * https://github.com/buildkite/terraform-buildkite-elastic-ci-stack-for-aws/pull/146 those of sizes that cross; others are assumed.
 */
export function wantedOf(input: ActionRequest, known: Wanted | undefined, now: number): Wanted {
  const { ScheduledActionName: _name, Time, ...given } = input;
  const wanted: Wanted = { ...known, ...said({ ...given, StartTime: given.StartTime ?? Time }) };
  checkTimes(wanted, given.StartTime ?? Time, now);
  checkSizes(wanted);
  return wanted;
}

/** By its recurrence; one that has none runs at its start alone. */
export function scheduleOf({ Recurrence, TimeZone = 'UTC' }: Wanted): Schedule {
  const zone = timeZone(TimeZone);
  if (zone === undefined) throw invalid(`Invalid time zone: ${TimeZone}`);
  if (Recurrence === undefined) return () => undefined;
  try {
    return zone.zoned(parseUnixCron(Recurrence));
  } catch (thrown) {
    throw invalid(`Invalid recurrence: ${Recurrence}. ${thrown instanceof Error ? thrown.message : ''}`);
  }
}

/** The start of one that repeats is shown as its next (https://github.com/pulumi/pulumi-aws/issues/2473: AWS computes it). */
export function described({ name: groupName }: Group, action: ScheduledAction): ScheduledUpdateGroupAction {
  const next = action.runs.next();
  const start = next === undefined ? action.wanted.StartTime : new Date(next);
  return {
    AutoScalingGroupName: groupName,
    ScheduledActionName: action.name,
    ScheduledActionARN: action.arn,
    ...action.wanted,
    StartTime: start,
    Time: start,
  };
}

/** Without what is undefined. */
function said(wanted: Wanted): Wanted {
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
}

function checkTimes({ StartTime, EndTime, Recurrence }: Wanted, start: Date | undefined, now: number): void {
  if (start !== undefined && start.getTime() < now) throw invalid('Given start time is in the past');
  if (StartTime === undefined && Recurrence === undefined)
    throw invalid('Either a start time or a recurrence is required');
  if (EndTime !== undefined && EndTime.getTime() < (StartTime?.getTime() ?? now))
    throw invalid('End time must be after the start time');
}

function checkSizes({ MinSize, MaxSize, DesiredCapacity }: Wanted): void {
  if (MinSize === undefined && MaxSize === undefined && DesiredCapacity === undefined)
    throw invalid('At least one of MinSize, MaxSize and DesiredCapacity must be specified');
  const [least = 0, most = Number.POSITIVE_INFINITY] = [MinSize, MaxSize];
  if (least < 0 || most < 0 || (DesiredCapacity ?? 0) < 0) throw invalid('Sizes must not be negative');
  if (least > most) throw invalid('Max size must be greater than or equal to min size');
  if (DesiredCapacity === undefined) return;
  if (DesiredCapacity < least) throw invalid('Desired capacity must be greater than or equal to min size');
  if (DesiredCapacity > most) throw invalid('Desired capacity must be less than or equal to max size');
}
