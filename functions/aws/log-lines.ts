/** What was logged last to a stream of CloudWatch Logs. */
import { type CloudWatchLogsClient, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { calling, codeOf } from './failures.ts';

/** As many as last words have: `core/messages/last-words.ts`. */
export const mostLines = 20;

/** Of what never came so far as to log there is nothing. */
export async function lastLines(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  logStreamName: string,
): Promise<readonly string[]> {
  return calling(`reading the log ${logGroupName}, ${logStreamName}`, async () => {
    try {
      const { events = [] } = await logs.send(
        new GetLogEventsCommand({ logGroupName, logStreamName, limit: mostLines, startFromHead: false }),
      );
      return events.flatMap(({ message }) => message ?? []);
    } catch (thrown) {
      if (codeOf(thrown) === 'ResourceNotFoundException') return [];
      throw thrown;
    }
  });
}
