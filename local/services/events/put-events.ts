/** PutEvents' entries, checked one by one: what is wrong with one does not keep the others. */
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { AwsEvent } from '../../aws-event.ts';
import { AwsError } from '../../call.ts';
import { DEFAULT_BUS } from './rule.ts';

const MAX_ENTRIES = 10;
/** "The total entry size must be less than 256 KB" (PutEvents). */
const MAX_BYTES = 256 * 1024;

export interface Refusal {
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

export function checkEntries(entries: readonly PutEventsRequestEntry[]): void {
  if (entries.length < 1 || entries.length > MAX_ENTRIES) {
    const constraint = `Member must have length between 1 and ${MAX_ENTRIES}`;
    throw invalid(
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: ${constraint}`,
    );
  }
  if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > MAX_BYTES) {
    throw invalid('Total size of the entries in the request is over the limit.');
  }
}

/** The event and its time, which its sender may set; or why it is refused. */
export function eventOf(entry: PutEventsRequestEntry): { event: AwsEvent; at: Date | undefined } | Refusal {
  const { Source: source, DetailType: detailType, Detail } = entry;
  if (!source) return missing('Source');
  if (!detailType) return missing('DetailType');
  if (!Detail) return missing('Detail');
  if (source.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  const bus = entry.EventBusName?.split('/').at(-1) ?? DEFAULT_BUS;
  if (bus !== DEFAULT_BUS)
    throw new AwsError('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
  const detail = parsedObject(Detail);
  if (detail === undefined) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  return { event: { source, detailType, resources: entry.Resources ?? [], detail }, at: entry.Time };
}

function missing(parameter: string): Refusal {
  const ErrorMessage = `Parameter ${parameter} is not valid. Reason: ${parameter} is a required argument.`;
  return { ErrorCode: 'InvalidArgument', ErrorMessage };
}

function parsedObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** "Calculating PutEvents event entry sizes", user guide: 14 bytes for a time. */
function sizeOf({
  Time,
  Source = '',
  DetailType = '',
  Detail = '',
  Resources = [],
}: PutEventsRequestEntry): number {
  return [Source, DetailType, Detail, ...Resources].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    Time === undefined ? 0 : 14,
  );
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
