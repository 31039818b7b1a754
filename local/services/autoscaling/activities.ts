/** What groups did, in AWS's words: the scaling activities, those of deleted groups included. */
import type {
  Activity,
  DescribeScalingActivitiesCommandInput,
  DescribeScalingActivitiesCommandOutput,
  ScalingActivityStatusCode,
} from '@aws-sdk/client-auto-scaling';
import type { Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Chance } from '../ecs/chance.ts';
import { type Group, invalid } from './group.ts';
import { pageOf } from './page.ts';

export interface ActivityRecord {
  readonly id: string;
  /** Of all activities, in the order of their begin. */
  readonly number: number;
  readonly groupName: string;
  readonly groupArn: string;
  readonly cause: string;
  readonly startedAt: Date;
  readonly place: { readonly 'Subnet ID': string; readonly 'Availability Zone': string };
  description: string;
  status: ScalingActivityStatusCode;
  message: string | undefined;
  progress: number;
  endedAt: Date | undefined;
}

export type Ended = Extract<ScalingActivityStatusCode, 'Successful' | 'Failed' | 'Cancelled'>;

/** "Scaling activities … are kept for six weeks" (API_DescribeScalingActivities). */
const keptMs = 42 * 24 * 3_600_000;

export class Activities {
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #groups: ReadonlyMap<string, Group>;
  #all: ActivityRecord[] = [];
  #begun = 0;

  constructor(options: { clock: Clock; chance: Chance; groups: ReadonlyMap<string, Group> }) {
    this.#clock = options.clock;
    this.#chance = options.chance;
    this.#groups = options.groups;
  }

  begin(
    group: Group,
    activity: Pick<ActivityRecord, 'description' | 'cause' | 'status' | 'place'>,
  ): ActivityRecord {
    const record: ActivityRecord = {
      ...activity,
      id: this.#chance.uuid(),
      number: ++this.#begun,
      groupName: group.name,
      groupArn: group.arn,
      startedAt: new Date(this.#clock.now()),
      message: undefined,
      progress: 0,
      endedAt: undefined,
    };
    this.#all = this.#all.filter(({ startedAt }) => startedAt.getTime() > this.#clock.now() - keptMs);
    this.#all.push(record);
    return record;
  }

  end(activity: ActivityRecord, status: Ended, message?: string): void {
    activity.status = status;
    activity.message = message;
    activity.progress = 100;
    activity.endedAt = new Date(this.#clock.now());
    // As users see it: https://github.com/kubernetes/autoscaler/issues/1263
    if (message !== undefined) activity.description += `.  Status Reason: ${message}`;
  }

  /** Whether the group is at something. */
  isActive(group: Group): boolean {
    return this.#all.some((one) => one.groupArn === group.arn && one.endedAt === undefined);
  }

  /** Newest first. */
  describe(input: DescribeScalingActivitiesCommandInput): Output<DescribeScalingActivitiesCommandOutput> {
    const {
      AutoScalingGroupName: name,
      ActivityIds: ids = [],
      IncludeDeletedGroups: deleted = false,
    } = input;
    if ((input.Filters ?? []).length > 0)
      throw invalid('Filters of scaling activities are not modelled by the embedded AWS');
    if (name !== undefined && !deleted && !this.#groups.has(name))
      throw invalid(`AutoScalingGroup name not found - AutoScalingGroup '${name}' not found`);
    const living = new Set([...this.#groups.values()].map(({ arn }) => arn));
    const found = this.#all.filter(
      (record) =>
        (name === undefined || record.groupName === name) &&
        (ids.length === 0 || ids.includes(record.id)) &&
        (deleted || living.has(record.groupArn)),
    );
    const newestFirst = ({ number }: ActivityRecord) => String(1e9 - number);
    const { entries, token } = pageOf(found, newestFirst, 100, { fallback: 100, asked: input });
    return {
      Activities: entries.map((record) => shownIn(record, living)),
      ...(token === undefined ? {} : { NextToken: token }),
    };
  }
}

export function shownActivity(record: ActivityRecord): Activity {
  return {
    ActivityId: record.id,
    AutoScalingGroupName: record.groupName,
    AutoScalingGroupARN: record.groupArn,
    Description: record.description,
    Cause: record.cause,
    StartTime: record.startedAt,
    EndTime: record.endedAt,
    StatusCode: record.status,
    StatusMessage: record.message,
    Progress: record.progress,
    Details: JSON.stringify(record.place),
  };
}

function shownIn(record: ActivityRecord, living: ReadonlySet<string>): Activity {
  const shown = shownActivity(record);
  return living.has(record.groupArn) ? shown : { ...shown, AutoScalingGroupState: 'Deleted' };
}
