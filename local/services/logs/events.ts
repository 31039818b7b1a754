/** PutLogEvents, GetLogEvents and FilterLogEvents. */
import type {
  FilterLogEventsCommandInput,
  FilterLogEventsCommandOutput,
  GetLogEventsCommandInput,
  GetLogEventsCommandOutput,
  PutLogEventsCommandInput,
  PutLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { filterPattern } from './filter-pattern.ts';
import type { LogEvent } from './log-group.ts';
import type { LogGroups } from './log-groups.ts';
import { page } from './paging.ts';

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
const oldestMs = 14 * 86_400_000;
const newestMs = 2 * 3_600_000;
const maxEventsPerAnswer = 10_000;

export function logEvents(groups: LogGroups): Operations {
  return {
    PutLogEvents(input: PutLogEventsCommandInput): Output<PutLogEventsCommandOutput> {
      const group = groups.named(input.logGroupName!);
      const stream = groups.stream(group, input.logStreamName!);
      const now = groups.now();
      const events = (input.logEvents ?? []).map(({ timestamp, message }) => ({
        timestamp: timestamp ?? now,
        message: message ?? '',
      }));
      if (events.some((event, index) => index > 0 && event.timestamp < events[index - 1]!.timestamp)) {
        throw new AwsError(
          'InvalidParameterException',
          'Log events in a single PutLogEvents request must be in chronological order.',
        );
      }
      const oldest = now - Math.min(oldestMs, (group.retentionInDays ?? Infinity) * 86_400_000);
      const tooOld = events.findLastIndex((event) => event.timestamp < oldest);
      const tooNew = events.findIndex((event) => event.timestamp > now + newestMs);
      for (const event of events.slice(tooOld + 1, tooNew === -1 ? undefined : tooNew)) {
        group.append(stream, event.timestamp, event.message, now);
      }
      const rejected = {
        ...(tooOld === -1 ? {} : { tooOldLogEventEndIndex: tooOld + 1 }),
        ...(tooNew === -1 ? {} : { tooNewLogEventStartIndex: tooNew }),
      };
      return Object.keys(rejected).length === 0 ? {} : { rejectedLogEventsInfo: rejected };
    },

    GetLogEvents(input: GetLogEventsCommandInput): Output<GetLogEventsCommandOutput> {
      const group = groups.identified(input.logGroupName, input.logGroupIdentifier);
      groups.stream(group, input.logStreamName!);
      const events = within(group.events(groups.now()), input.startTime, input.endTime).filter(
        (event) => event.stream === input.logStreamName,
      );
      const limit = input.limit ?? maxEventsPerAnswer;
      const taken = window(events, limit, input.startFromHead ?? false, input.nextToken);
      // At the end of the stream the token that came in goes out again: that is how callers know.
      const first = taken.at(0)?.id ?? positionOf(input.nextToken) ?? ''.padStart(56, '0');
      const last = taken.at(-1)?.id ?? positionOf(input.nextToken) ?? ''.padStart(56, '0');
      return {
        events: taken.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
        nextForwardToken: `f/${last}/s`,
        nextBackwardToken: `b/${first}/s`,
      };
    },

    FilterLogEvents(input: FilterLogEventsCommandInput): Output<FilterLogEventsCommandOutput> {
      const group = groups.identified(input.logGroupName, input.logGroupIdentifier);
      if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined) {
        throw new AwsError(
          'InvalidParameterException',
          'Only one of logStreamNames and logStreamNamePrefix may be specified.',
        );
      }
      for (const name of input.logStreamNames ?? []) groups.stream(group, name);
      const matches = filterPattern(input.filterPattern);
      const events = within(group.events(groups.now()), input.startTime, input.endTime).filter(
        (event) =>
          (input.logStreamNames?.includes(event.stream) ?? true) &&
          event.stream.startsWith(input.logStreamNamePrefix ?? '') &&
          matches(event.message),
      );
      const { entries, ...more } = page(events, (event) => event.id, {
        limit: input.limit ?? maxEventsPerAnswer,
        nextToken: input.nextToken,
      });
      return {
        events: entries.map((event) => ({
          logStreamName: event.stream,
          timestamp: event.timestamp,
          message: event.message,
          ingestionTime: event.ingestionTime,
          eventId: event.id,
        })),
        searchedLogStreams: [],
        ...more,
      };
    },
  };
}

/** Start inclusive, end exclusive, as the API has them. */
function within(events: readonly LogEvent[], start: number | undefined, end: number | undefined): LogEvent[] {
  return events.filter((event) => event.timestamp >= (start ?? 0) && event.timestamp < (end ?? Infinity));
}

function positionOf(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const position = /^[fb]\/(\d{56})\/s$/.exec(token)?.[1];
  if (position === undefined) {
    throw new AwsError('InvalidParameterException', 'The specified nextToken is invalid.');
  }
  return position;
}

function window(events: LogEvent[], limit: number, fromHead: boolean, token: string | undefined): LogEvent[] {
  const position = positionOf(token);
  if (position === undefined) return fromHead ? events.slice(0, limit) : events.slice(-limit);
  if (token!.startsWith('f')) return events.filter((event) => event.id > position).slice(0, limit);
  return events.filter((event) => event.id < position).slice(-limit);
}
