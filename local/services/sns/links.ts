/**
 * The SubscribeURL and UnsubscribeURL of messages: links that anybody may follow, without a signature. Meant for the
 * requests of the port that are no signed AWS calls.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../../call.ts';

export interface Links {
  /** Returns the ARN of the subscription. */
  confirm(topicArn: string, token: string): string;
  unsubscribe(subscriptionArn: string): void;
}

/** Answers the request if it is one of these links; else leaves it alone and returns false. */
export function followLink(links: Links, request: IncomingMessage, response: ServerResponse): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sns');
  const action = searchParams.get('Action');
  if (request.method !== 'GET' || pathname !== '/') return false;
  if (action !== 'ConfirmSubscription' && action !== 'Unsubscribe') return false;
  try {
    const result =
      action === 'Unsubscribe' ? unsubscribed(links, searchParams) : confirmed(links, searchParams);
    answer(
      response,
      200,
      `<${action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${result}${metadata()}</${action}Response>`,
    );
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // Codes and messages of SNS that can come here need no escaping.
    const detail = `<Error><Type>Sender</Type><Code>${error.code}</Code><Message>${error.message}</Message></Error>`;
    answer(
      response,
      error.status,
      `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${detail}</ErrorResponse>`,
    );
  }
  return true;
}

function confirmed(links: Links, query: URLSearchParams): string {
  const subscriptionArn = links.confirm(query.get('TopicArn') ?? '', query.get('Token') ?? '');
  return `<ConfirmSubscriptionResult><SubscriptionArn>${subscriptionArn}</SubscriptionArn></ConfirmSubscriptionResult>`;
}

function unsubscribed(links: Links, query: URLSearchParams): string {
  links.unsubscribe(query.get('SubscriptionArn') ?? '');
  return '';
}

function metadata(): string {
  return `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>`;
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}
