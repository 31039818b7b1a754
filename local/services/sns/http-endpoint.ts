/** POSTs to HTTP and HTTPS endpoints, with the headers that SNS sends. */
import type { Clock } from '../../clock.ts';
import { EndpointError } from './endpoint-error.ts';
import type { Subscription } from './subscription.ts';

/** "Amazon SNS considers a delivery attempt failed when the endpoint does not answer within 15 seconds." */
const TIMEOUT_MS = 15_000;

export interface HttpMessage {
  readonly type: 'Notification' | 'SubscriptionConfirmation';
  readonly id: string;
  readonly body: string;
}

/** Resolves when the endpoint has taken the message; rejects with an EndpointError when it has not. */
export async function post(clock: Clock, subscription: Subscription, message: HttpMessage): Promise<void> {
  const timeout = new AbortController();
  const timer = clock.after(TIMEOUT_MS, () =>
    timeout.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
  );
  try {
    const response = await fetch(subscription.endpoint, {
      method: 'POST',
      body: message.body,
      headers: headersFor(subscription, message),
      signal: timeout.signal,
      redirect: 'manual',
    });
    await response.body?.cancel();
    if (response.ok) return;
    const retryable = response.status >= 500 || response.status === 429;
    throw new EndpointError(`${subscription.endpoint} answered ${response.status}`, { retryable });
  } catch (cause) {
    if (cause instanceof EndpointError) throw cause;
    throw new EndpointError(`${subscription.endpoint} could not be reached: ${String(cause)}`, {
      retryable: true,
      cause,
    });
  } finally {
    timer.cancel();
  }
}

function headersFor(subscription: Subscription, message: HttpMessage): Record<string, string> {
  const isNotification = message.type === 'Notification';
  return {
    'x-amz-sns-message-type': message.type,
    'x-amz-sns-message-id': message.id,
    'x-amz-sns-topic-arn': subscription.topicArn,
    ...(isNotification && { 'x-amz-sns-subscription-arn': subscription.arn }),
    ...(isNotification && subscription.raw && { 'x-amz-sns-rawdelivery': 'true' }),
    'content-type': 'text/plain; charset=UTF-8',
    'user-agent': 'Amazon Simple Notification Service Agent',
  };
}
