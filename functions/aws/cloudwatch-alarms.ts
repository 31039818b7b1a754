/** Alarms of CloudWatch, metric and composite ones. */
import { type CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { AlarmState } from '../core/gates/alarms.ts';
import type { Alarms } from '../ports/alarms.ts';
import { calling } from './failures.ts';

export class CloudWatchAlarms implements Alarms {
  readonly #client: CloudWatchClient;

  constructor(client: CloudWatchClient) {
    this.#client = client;
  }

  async states(names: readonly string[]): Promise<readonly AlarmState[]> {
    if (names.length === 0) return [];
    // One call answers for 100 names at most; a service may have no more.
    const answer = await calling(`reading the alarms ${names.join(', ')}`, () =>
      this.#client.send(
        new DescribeAlarmsCommand({
          AlarmNames: [...names],
          AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
          MaxRecords: 100,
        }),
      ),
    );
    const found = [...(answer.MetricAlarms ?? []), ...(answer.CompositeAlarms ?? [])];
    return names.map((name) => {
      const alarm = found.find(({ AlarmName }) => AlarmName === name);
      return {
        name,
        state: alarm?.StateValue ?? 'missing',
        reason: alarm?.StateReason ?? '',
        // When it last came to another state; StateUpdatedTimestamp moves with each new reason, too
        // (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html).
        since: alarm?.StateTransitionedTimestamp?.getTime() ?? null,
      };
    });
  }
}
