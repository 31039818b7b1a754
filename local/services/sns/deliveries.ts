/**
 * The way of a message to one subscription: sent after a short while, retried by the protocol's policy, and in the end put
 * into the subscription's dead-letter queue ("Amazon SNS message delivery retries", developer guide).
 */
import type { MessageAttributeValue } from '@aws-sdk/client-sns';
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { invokeAsynchronously } from '../events/asynchronous-invocation.ts';
import type { Invoker } from '../lambda/invoker.ts';
import type { Queues } from '../sqs/queues.ts';
import { EndpointError } from './endpoint-error.ts';
import { post } from './http-endpoint.ts';
import { lambdaEvent, notificationBody, subscriptionConfirmation } from './notification.ts';
import type { Publication } from './publication.ts';
import type { Protocol, Subscription } from './subscription.ts';

const seconds = (count: number, each: number) => Array.from({ length: count }, () => each * 1000);

/** Customer-managed endpoints: "3 retries", 20 s apart. */
const HTTP_PAUSES_MS = seconds(3, 20);
/**
 * AWS-managed endpoints: 3 at once, 2 after 1 s, 10 with back-off from 1 to 20 s; of the 100,000 further retries 20 s
 * apart, over 23 days, the first hour's are made.
 */
const AWS_PAUSES_MS = [
  ...seconds(3, 0),
  ...seconds(2, 1),
  ...[1, 1.4, 1.9, 2.7, 3.8, 5.3, 7.4, 10.3, 14.4, 20].map((pause) => pause * 1000),
  ...seconds(180, 20),
];

export interface DeliveriesOptions {
  readonly clock: Clock;
  readonly queues: Queues;
  readonly invoker: Invoker;
  readonly deliveryMs: number;
  /** A message that neither its endpoint nor a dead-letter queue got. */
  readonly onFailure: (failure: Error) => void;
}

type Send = () => void | Promise<void>;

export class Deliveries {
  readonly #options: DeliveriesOptions;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
  }

  deliver(publication: Publication, subscription: Subscription): void {
    this.#after(
      this.#options.deliveryMs,
      subscription,
      () => this.#send(publication, subscription),
      0,
      publication,
    );
  }

  confirm(subscription: Subscription): void {
    const { clock, deliveryMs } = this.#options;
    const message = {
      type: 'SubscriptionConfirmation' as const,
      ...subscriptionConfirmation(subscription, clock.now()),
    };
    this.#after(deliveryMs, subscription, () => post(clock, subscription, message), 0);
  }

  #after(
    ms: number,
    subscription: Subscription,
    send: Send,
    retries: number,
    publication?: Publication,
  ): void {
    const { clock } = this.#options;
    clock.after(ms, () =>
      clock.busy(async () => {
        try {
          await send();
        } catch (error) {
          if (!(error instanceof AwsError) && !(error instanceof EndpointError)) throw error;
          const pauseMs = isRetryable(error) ? pausesFor(subscription.protocol)[retries] : undefined;
          if (pauseMs === undefined) this.#giveUp(subscription, error, publication);
          else this.#after(pauseMs, subscription, send, retries + 1, publication);
        }
      }),
    );
  }

  #send(publication: Publication, subscription: Subscription): void | Promise<void> {
    const { clock, queues } = this.#options;
    const { protocol, endpoint, raw } = subscription;
    switch (protocol) {
      case 'sqs':
        if (raw)
          queues.send(endpoint, publication.messageFor('sqs'), queueAttributes(publication.attributes));
        else queues.send(endpoint, notificationBody(publication, subscription));
        return;
      case 'lambda':
        return invokeAsynchronously(this.#options, endpoint, lambdaEvent(publication, subscription));
      case 'http':
      case 'https': {
        const body = raw ? publication.messageFor(protocol) : notificationBody(publication, subscription);
        return post(clock, subscription, { type: 'Notification', id: publication.id, body });
      }
      case 'email':
      case 'email-json':
        // Never confirmed: nobody reads the mail of the embedded AWS.
        return;
    }
  }

  #giveUp(subscription: Subscription, error: Error, publication: Publication | undefined): void {
    const { queues, onFailure } = this.#options;
    const what = publication === undefined ? 'The request to confirm' : `Message ${publication.id} to`;
    const lost = new Error(`${what} subscription ${subscription.arn} was not delivered: ${error.message}`, {
      cause: error,
    });
    const queueArn = subscription.deadLetterQueue;
    if (queueArn === undefined || publication === undefined) return onFailure(lost);
    try {
      queues.send(
        queueArn,
        notificationBody(publication, subscription),
        queueAttributes(publication.attributes),
      );
    } catch (failure) {
      if (!(failure instanceof AwsError)) throw failure;
      onFailure(lost);
    }
  }
}

function pausesFor(protocol: Protocol): readonly number[] {
  return protocol === 'http' || protocol === 'https' ? HTTP_PAUSES_MS : AWS_PAUSES_MS;
}

/** "Client-side errors", such as a deleted endpoint or missing permissions, "are not retried". */
function isRetryable(error: AwsError | EndpointError): boolean {
  if (error instanceof EndpointError) return error.retryable;
  return error.status >= 500 || /Throttl|TooManyRequests/i.test(error.code);
}

function queueAttributes(attributes: Readonly<Record<string, MessageAttributeValue>>) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { DataType, ...(BinaryValue === undefined ? { StringValue } : { BinaryValue }) },
    ]),
  );
}
