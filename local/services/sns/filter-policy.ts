/** Filter policies: which of a topic's messages a subscription wants, by their attributes or their body. */
import { AwsError } from '../../call.ts';
import { type EventPattern, parseEventPattern } from '../events/event-pattern.ts';
import type { Publication } from './publication.ts';

export interface FilterPolicy {
  wants(publication: Publication, protocol: string): boolean;
}

/** Wants everything. */
const noFilter: FilterPolicy = { wants: () => true };

export function filterPolicy(text: string | undefined, scope: string | undefined): FilterPolicy {
  if (scope !== undefined && scope !== 'MessageAttributes' && scope !== 'MessageBody') {
    throw invalid(
      `FilterPolicyScope: Invalid value [${scope}]. Please use either MessageBody or MessageAttributes`,
    );
  }
  if (text === undefined || text === '{}' || text === '') return noFilter;
  const pattern = checked(text);
  if (scope === 'MessageBody') {
    return { wants: (publication, protocol) => pattern(bodyOf(publication.messageFor(protocol))) };
  }
  return { wants: (publication) => pattern(attributesOf(publication)) };
}

function checked(text: string): EventPattern {
  try {
    return parseEventPattern(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw invalid(`FilterPolicy: ${error.message}`);
  }
}

/** What is no JSON matches nothing. */
function bodyOf(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}

/** Attributes as values to be matched, by their data type. */
function attributesOf({ attributes }: Publication): Record<string, unknown> {
  const values = Object.entries(attributes).map(([name, { DataType = '', StringValue = '' }]) => {
    if (DataType === 'String.Array') return [name, bodyOf(StringValue)];
    if (DataType === 'Number' || DataType.startsWith('Number.')) return [name, Number(StringValue)];
    return [name, DataType.startsWith('Binary') ? undefined : StringValue];
  });
  return Object.fromEntries(values) as Record<string, unknown>;
}

function invalid(reason: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid parameter: ${reason}`);
}
