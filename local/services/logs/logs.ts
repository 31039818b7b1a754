/**
 * CloudWatch Logs: groups, streams, events in bounded memory. The embedded services write through `append`, which
 * creates what is missing, as Lambda and the awslogs driver do.
 */
import type {
  AssociateKmsKeyCommandInput,
  CreateLogGroupCommandInput,
  CreateLogStreamCommandInput,
  DeleteLogGroupCommandInput,
  DeleteLogStreamCommandInput,
  DeleteResourcePolicyCommandInput,
  DeleteRetentionPolicyCommandInput,
  DescribeLogGroupsCommandInput,
  DescribeLogGroupsCommandOutput,
  DescribeLogStreamsCommandInput,
  DescribeLogStreamsCommandOutput,
  DescribeResourcePoliciesCommandInput,
  DescribeResourcePoliciesCommandOutput,
  DisassociateKmsKeyCommandInput,
  ListTagsForResourceCommandInput,
  ListTagsForResourceCommandOutput,
  PutResourcePolicyCommandInput,
  PutResourcePolicyCommandOutput,
  PutRetentionPolicyCommandInput,
  TagResourceCommandInput,
  UntagResourceCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { logEvents } from './events.ts';
import type { LogGroup, LogStreamState } from './log-group.ts';
import { LogGroups, logGroupArn, nameOf } from './log-groups.ts';
import { page } from './paging.ts';

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
const retentions = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]);

interface ResourcePolicy {
  readonly policyName: string;
  readonly policyDocument: string;
  readonly lastUpdatedTime: number;
}

export class Logs {
  readonly operations: Operations;
  readonly #groups: LogGroups;
  readonly #policies = new Map<string, ResourcePolicy>();

  /** `maxEventsPerGroup`: the newest events that are kept of each group. */
  constructor(options: { clock: Clock; maxEventsPerGroup?: number }) {
    this.#groups = new LogGroups({
      clock: options.clock,
      maxEventsPerGroup: options.maxEventsPerGroup ?? 10_000,
    });
    this.operations = {
      ...this.#groupOperations(),
      ...this.#streamOperations(),
      ...logEvents(this.#groups),
      ...this.#tagOperations(),
      ...this.#policyOperations(),
    };
  }

  has(groupName: string): boolean {
    return this.#groups.find(groupName) !== undefined;
  }

  /** Adds one event at the time of the clock, creating group and stream when they are missing. */
  append(groupName: string, streamName: string, line: string): void {
    const group = this.#groups.find(groupName) ?? this.#groups.create(groupName);
    const now = this.#groups.now();
    group.append(group.streams.get(streamName) ?? group.createStream(streamName, now), now, line, now);
  }

  #groupOperations(): Operations {
    const groups = this.#groups;
    return {
      CreateLogGroup(input: CreateLogGroupCommandInput) {
        const group = groups.create(input.logGroupName!);
        group.kmsKeyId = input.kmsKeyId;
        for (const [key, value] of Object.entries(input.tags ?? {})) group.tags.set(key, value);
        return {};
      },
      DeleteLogGroup(input: DeleteLogGroupCommandInput) {
        groups.delete(input.logGroupName!);
        return {};
      },
      DescribeLogGroups(input: DescribeLogGroupsCommandInput): Output<DescribeLogGroupsCommandOutput> {
        const named = groups
          .all()
          .filter(
            (group) =>
              group.name.startsWith(input.logGroupNamePrefix ?? '') &&
              group.name.includes(input.logGroupNamePattern ?? '') &&
              (input.logGroupIdentifiers?.map(nameOf).includes(group.name) ?? true),
          );
        const { entries, ...more } = page(named, (group) => group.name, {
          limit: input.limit ?? 50,
          nextToken: input.nextToken,
        });
        return { ...more, logGroups: entries.map(describeGroup) };
      },
      PutRetentionPolicy(input: PutRetentionPolicyCommandInput) {
        if (!retentions.has(input.retentionInDays!)) {
          throw new AwsError(
            'InvalidParameterException',
            `1 validation error detected: Value '${input.retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${[...retentions].join(', ')}]`,
          );
        }
        groups.named(input.logGroupName!).retentionInDays = input.retentionInDays;
        return {};
      },
      DeleteRetentionPolicy(input: DeleteRetentionPolicyCommandInput) {
        groups.named(input.logGroupName!).retentionInDays = undefined;
        return {};
      },
      AssociateKmsKey(input: AssociateKmsKeyCommandInput) {
        groups.identified(input.logGroupName, input.resourceIdentifier).kmsKeyId = input.kmsKeyId;
        return {};
      },
      DisassociateKmsKey(input: DisassociateKmsKeyCommandInput) {
        groups.identified(input.logGroupName, input.resourceIdentifier).kmsKeyId = undefined;
        return {};
      },
    };
  }

  #streamOperations(): Operations {
    const groups = this.#groups;
    return {
      CreateLogStream(input: CreateLogStreamCommandInput) {
        const group = groups.named(input.logGroupName!);
        if (group.streams.has(input.logStreamName!)) {
          throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
        }
        group.createStream(input.logStreamName!, groups.now());
        return {};
      },
      DeleteLogStream(input: DeleteLogStreamCommandInput) {
        const group = groups.named(input.logGroupName!);
        group.deleteStream(groups.stream(group, input.logStreamName!).name);
        return {};
      },
      DescribeLogStreams(input: DescribeLogStreamsCommandInput): Output<DescribeLogStreamsCommandOutput> {
        const group = groups.identified(input.logGroupName, input.logGroupIdentifier);
        if (input.orderBy === 'LastEventTime' && input.logStreamNamePrefix !== undefined) {
          throw new AwsError(
            'InvalidParameterException',
            'Cannot order by LastEventTime with a logStreamNamePrefix.',
          );
        }
        const streams = [...group.streams.values()]
          .filter((stream) => stream.name.startsWith(input.logStreamNamePrefix ?? ''))
          .sort(
            (a, b) =>
              (input.orderBy === 'LastEventTime'
                ? (a.lastEventTimestamp ?? 0) - (b.lastEventTimestamp ?? 0)
                : 0) || (a.name < b.name ? -1 : 1),
          );
        if (input.descending === true) streams.reverse();
        const { entries, ...more } = page(streams, (stream) => stream.name, {
          limit: input.limit ?? 50,
          nextToken: input.nextToken,
        });
        return { ...more, logStreams: entries.map((stream) => describeStream(group, stream)) };
      },
    };
  }

  #tagOperations(): Operations {
    const groups = this.#groups;
    return {
      TagResource(input: TagResourceCommandInput) {
        const { tags } = groups.named(nameOf(input.resourceArn!));
        for (const [key, value] of Object.entries(input.tags ?? {})) tags.set(key, value);
        return {};
      },
      UntagResource(input: UntagResourceCommandInput) {
        const { tags } = groups.named(nameOf(input.resourceArn!));
        for (const key of input.tagKeys ?? []) tags.delete(key);
        return {};
      },
      ListTagsForResource(input: ListTagsForResourceCommandInput): Output<ListTagsForResourceCommandOutput> {
        return { tags: Object.fromEntries(groups.named(nameOf(input.resourceArn!)).tags) };
      },
    };
  }

  #policyOperations(): Operations {
    const groups = this.#groups;
    const policies = this.#policies;
    return {
      PutResourcePolicy(input: PutResourcePolicyCommandInput): Output<PutResourcePolicyCommandOutput> {
        const { policyName, policyDocument } = input;
        if (policyName === undefined || policyDocument === undefined) {
          throw new AwsError('InvalidParameterException', 'policyName and policyDocument are required.');
        }
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
        if (!policies.has(policyName) && policies.size >= 10) {
          throw new AwsError('LimitExceededException', 'Resource limit exceeded.');
        }
        const resourcePolicy = { policyName, policyDocument, lastUpdatedTime: groups.now() };
        policies.set(policyName, resourcePolicy);
        return { resourcePolicy };
      },
      DescribeResourcePolicies(
        input: DescribeResourcePoliciesCommandInput,
      ): Output<DescribeResourcePoliciesCommandOutput> {
        const { entries, ...more } = page([...policies.values()], (policy) => policy.policyName, {
          limit: input.limit ?? 50,
          nextToken: input.nextToken,
        });
        return { ...more, resourcePolicies: entries };
      },
      DeleteResourcePolicy(input: DeleteResourcePolicyCommandInput) {
        if (!policies.delete(input.policyName!)) {
          throw new AwsError('ResourceNotFoundException', 'Policy with that name does not exist.');
        }
        return {};
      },
    };
  }
}

function describeGroup(group: LogGroup) {
  return {
    logGroupName: group.name,
    arn: `${logGroupArn(group.name)}:*`,
    logGroupArn: logGroupArn(group.name),
    creationTime: group.creationTime,
    metricFilterCount: 0,
    storedBytes: group.storedBytes,
    logGroupClass: 'STANDARD' as const,
    ...(group.retentionInDays === undefined ? {} : { retentionInDays: group.retentionInDays }),
    ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
  };
}

function describeStream(group: LogGroup, stream: LogStreamState) {
  const { name, ...times } = stream;
  return {
    logStreamName: name,
    arn: `${logGroupArn(group.name)}:log-stream:${name}`,
    storedBytes: 0,
    ...times,
  };
}
