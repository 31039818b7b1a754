/** A message in the forms in which queues, functions and HTTP endpoints get it. */
import { randomUUID } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { region } from '../../account.ts';
import type { Publication } from './publication.ts';
import type { Subscription } from './subscription.ts';

/** No key signs here: whoever verifies signatures against AWS's certificate will refuse these messages. */
const signature = {
  SignatureVersion: '1',
  Signature: 'UNSIGNED',
  SigningCertURL: `https://sns.${region}.amazonaws.com/SimpleNotificationService-0000000000000000000000000000000.pem`,
};

export function notificationBody(publication: Publication, subscription: Subscription): string {
  const attributes = shownAttributes(publication.attributes);
  return JSON.stringify({
    Type: 'Notification',
    MessageId: publication.id,
    TopicArn: publication.topicArn,
    ...(publication.subject !== undefined && { Subject: publication.subject }),
    Message: publication.messageFor(subscription.protocol),
    Timestamp: new Date(publication.at).toISOString(),
    ...signature,
    UnsubscribeURL: unsubscribeUrl(subscription),
    ...(Object.keys(attributes).length > 0 && { MessageAttributes: attributes }),
  });
}

/** The event of a function that is subscribed. */
export function lambdaEvent(publication: Publication, subscription: Subscription): string {
  const { SignatureVersion, Signature, SigningCertURL } = signature;
  const Sns = {
    Type: 'Notification',
    MessageId: publication.id,
    TopicArn: publication.topicArn,
    Subject: publication.subject ?? null,
    Message: publication.messageFor('lambda'),
    Timestamp: new Date(publication.at).toISOString(),
    SignatureVersion,
    Signature,
    SigningCertUrl: SigningCertURL,
    UnsubscribeUrl: unsubscribeUrl(subscription),
    MessageAttributes: shownAttributes(publication.attributes),
  };
  const record = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: subscription.arn, Sns };
  return JSON.stringify({ Records: [record] });
}

export interface Confirmation {
  readonly id: string;
  readonly body: string;
}

/** Asks an HTTP endpoint to visit the SubscribeURL if it wants the messages. */
export function subscriptionConfirmation(subscription: Subscription, at: number): Confirmation {
  const { topicArn, token, serviceUrl } = subscription;
  const id = randomUUID();
  const query = new URLSearchParams({ Action: 'ConfirmSubscription', TopicArn: topicArn, Token: token });
  const body = JSON.stringify({
    Type: 'SubscriptionConfirmation',
    MessageId: id,
    Token: token,
    TopicArn: topicArn,
    Message: `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
    SubscribeURL: `${serviceUrl}/?${query.toString()}`,
    Timestamp: new Date(at).toISOString(),
    ...signature,
  });
  return { id, body };
}

function unsubscribeUrl({ serviceUrl, arn }: Subscription): string {
  return `${serviceUrl}/?${new URLSearchParams({ Action: 'Unsubscribe', SubscriptionArn: arn }).toString()}`;
}

function shownAttributes(attributes: Readonly<Record<string, MessageAttributeValue>>) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        Type: DataType,
        Value: BinaryValue === undefined ? StringValue : Buffer.from(BinaryValue).toString('base64'),
      },
    ]),
  );
}
