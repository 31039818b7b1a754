/** A message as ReceiveMessage shows it: with the attributes that were asked for. */
import type { Message, ReceiveMessageCommandInput } from '@aws-sdk/client-sqs';
import { attributesDigest, digestOf } from './message-digest.ts';
import type { QueuedMessage } from './queue.ts';

export function receivedMessage(message: QueuedMessage, input: ReceiveMessageCommandInput): Message {
  const system = systemAttributes(message, [
    ...(input.MessageSystemAttributeNames ?? []),
    ...(input.AttributeNames ?? []),
  ]);
  const named = input.MessageAttributeNames ?? [];
  const attributes = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) => named.some((pattern) => isNamed(name, pattern))),
  );
  const digest = attributesDigest(attributes);
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: digestOf(message.body),
    Body: message.body,
    ...(Object.keys(system).length > 0 && { Attributes: system }),
    ...(digest !== undefined && { MD5OfMessageAttributes: digest, MessageAttributes: attributes }),
  };
}

function systemAttributes(message: QueuedMessage, names: readonly string[]): Record<string, string> {
  const all = {
    SenderId: message.senderId,
    SentTimestamp: String(Math.round(message.sentAt)),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(Math.round(message.firstReceivedAt ?? 0)),
    ...(message.deadLetterSource && { DeadLetterQueueSourceArn: message.deadLetterSource }),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name)),
  );
}

/** `All`, `.*`, a prefix (`order.*`) or a name. */
function isNamed(name: string, pattern: string): boolean {
  if (pattern === 'All' || pattern === '.*' || pattern === name) return true;
  return pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -2));
}
