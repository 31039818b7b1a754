/** What Publish and PublishBatch ask for, checked: one message, perhaps in different words for each protocol. */
import { randomUUID } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { AwsError } from '../../call.ts';

/** "Messages must be at most 256 KB" (Publish, API reference). */
const MAX_BYTES = 262_144;
const MAX_SUBJECT = 100;

export interface Publication {
  readonly id: string;
  readonly topicArn: string;
  readonly subject?: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  /** Milliseconds. */
  readonly at: number;
  messageFor(protocol: string): string;
}

export interface PublishRequest {
  readonly Message?: string | undefined;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: Record<string, MessageAttributeValue> | undefined;
}

export function publication(request: PublishRequest, topicArn: string, at: number): Publication {
  const { Message: message = '', Subject: subject, MessageAttributes: attributes = {} } = request;
  if (message === '') throw invalid('Empty message');
  if (sizeOf(message, attributes) > MAX_BYTES) throw invalid('Message too long');
  if (subject !== undefined) checkSubject(subject);
  const messages = request.MessageStructure === 'json' ? structured(message) : undefined;
  return {
    id: randomUUID(),
    topicArn,
    ...(subject !== undefined && { subject }),
    attributes,
    at,
    messageFor: (protocol) => messages?.[protocol] ?? messages?.['default'] ?? message,
  };
}

function checkSubject(subject: string): void {
  if (subject.length === 0 || subject.length > MAX_SUBJECT || /\p{Cc}/u.test(subject))
    throw invalid('Subject');
}

function structured(message: string): Record<string, string> {
  let messages: unknown;
  try {
    messages = JSON.parse(message);
  } catch {
    throw invalid('Message Structure - JSON message body failed to parse');
  }
  const entries = Object.entries(messages ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const byProtocol = Object.fromEntries(entries);
  if (byProtocol['default'] === undefined) {
    throw invalid('Message Structure - No default entry in JSON message body');
  }
  return byProtocol;
}

function sizeOf(message: string, attributes: Readonly<Record<string, MessageAttributeValue>>): number {
  return Object.entries(attributes).reduce(
    (sum, [name, { DataType = '', StringValue = '', BinaryValue }]) =>
      sum + Buffer.byteLength(name + DataType + StringValue) + (BinaryValue?.length ?? 0),
    Buffer.byteLength(message),
  );
}

function invalid(reason: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid parameter: ${reason}`);
}
