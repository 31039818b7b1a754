/** What happened to alarms, as DescribeAlarmHistory tells it. */
import type {
  AlarmHistoryItem,
  DescribeAlarmHistoryCommandInput,
  DescribeAlarmHistoryCommandOutput,
  HistoryItemType,
} from '@aws-sdk/client-cloudwatch';
import { AwsError, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { page } from '../events/page.ts';
import type { Alarm, AlarmState } from './alarm.ts';

/** "CloudWatch preserves alarm history for 30 days." */
const RETENTION_MS = 30 * 86_400_000;

interface Entry {
  /** Rises with each entry. */
  readonly key: string;
  readonly at: number;
  readonly item: AlarmHistoryItem;
}

export class AlarmHistory {
  readonly #clock: Clock;
  #entries: Entry[] = [];
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  configured(alarm: Alarm, change: 'created' | 'updated' | 'deleted'): void {
    const type = { created: 'Create', updated: 'Update', deleted: 'Delete' }[change];
    this.#add(alarm, 'ConfigurationUpdate', `Alarm "${alarm.name}" ${change}`, { type });
  }

  stateUpdated(alarm: Alarm, previous: AlarmState): void {
    const summary = `Alarm updated from ${previous.value} to ${alarm.state.value}`;
    this.#add(alarm, 'StateUpdate', summary, {
      oldState: historyState(previous),
      newState: historyState(alarm.state),
    });
  }

  acted(alarm: Alarm, action: string, failure?: unknown): void {
    const error = failure instanceof Error ? failure.message : failure;
    const summary =
      failure === undefined
        ? `Successfully executed action ${action}`
        : `Failed to execute action ${action}. Received error: "${String(error)}"`;
    const actionState = failure === undefined ? 'Succeeded' : 'Failed';
    const stateUpdateTimestamp = new Date(alarm.state.at).toISOString();
    this.#add(alarm, 'Action', summary, { actionState, stateUpdateTimestamp, notificationResource: action });
  }

  describe(input: DescribeAlarmHistoryCommandInput): Output<DescribeAlarmHistoryCommandOutput> {
    const { AlarmName, HistoryItemType, StartDate, EndDate } = input;
    const found = this.#entries.filter(
      ({ at, item }) =>
        (AlarmName === undefined || item.AlarmName === AlarmName) &&
        (HistoryItemType === undefined || item.HistoryItemType === HistoryItemType) &&
        (StartDate === undefined || at >= StartDate.getTime()) &&
        (EndDate === undefined || at <= EndDate.getTime()),
    );
    const newestFirst = input.ScanBy !== 'TimestampAscending';
    const order = ({ key }: Entry) => (newestFirst ? String(Number.MAX_SAFE_INTEGER - Number(key)) : key);
    const { entries, token } = page(newestFirst ? found.toReversed() : found, {
      token: input.NextToken,
      limit: input.MaxRecords ?? 100,
      key: order,
      refusal: () => new AwsError('InvalidNextToken', 'The next token specified is invalid.'),
    });
    return { AlarmHistoryItems: entries.map(({ item }) => item), ...(token && { NextToken: token }) };
  }

  #add(alarm: Alarm, type: HistoryItemType, summary: string, content: Record<string, unknown>): void {
    const at = this.#clock.now();
    this.#count += 1;
    const item: AlarmHistoryItem = {
      AlarmName: alarm.name,
      AlarmType: 'MetricAlarm',
      Timestamp: new Date(at),
      HistoryItemType: type,
      HistorySummary: summary,
      HistoryData: JSON.stringify({ version: '1.0', ...content }),
    };
    this.#entries.push({ key: String(this.#count).padStart(16, '0'), at, item });
    while (this.#entries[0]!.at < at - RETENTION_MS) this.#entries.shift();
  }
}

function historyState({ value, reason, reasonData }: AlarmState): Record<string, unknown> {
  const stateReasonData: unknown = reasonData === undefined ? undefined : JSON.parse(reasonData);
  return { stateValue: value, stateReason: reason, ...(reasonData !== undefined && { stateReasonData }) };
}
