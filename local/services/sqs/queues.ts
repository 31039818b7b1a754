/** How other embedded services (EventBridge, SNS) put messages into queues. */
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';

export interface Queues {
  /** SendMessage. Throws `AwsError('QueueDoesNotExist', …)` when there is no such queue. */
  send(queueArn: string, body: string, attributes?: Readonly<Record<string, MessageAttributeValue>>): void;
}
