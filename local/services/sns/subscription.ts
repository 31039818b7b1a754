/** One subscription of a topic. */
import { randomUUID } from 'node:crypto';
import type { Subscription as SubscriptionDescription } from '@aws-sdk/client-sns';
import { accountId, iamArn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import { type FilterPolicy, filterPolicy } from './filter-policy.ts';

export type Protocol = 'sqs' | 'lambda' | 'http' | 'https' | 'email' | 'email-json';

/** Endpoints that must say themselves that they want the messages. */
const confirmed: Readonly<Record<Protocol, boolean>> = {
  sqs: true,
  lambda: true,
  http: false,
  https: false,
  email: false,
  'email-json': false,
};

const endpoints: Readonly<Record<Protocol, RegExp>> = {
  sqs: /^arn:aws:sqs:/,
  lambda: /^arn:aws:lambda:/,
  http: /^http:\/\//,
  https: /^https:\/\//,
  email: /.@./,
  'email-json': /.@./,
};

const settable = [
  'RawMessageDelivery',
  'FilterPolicy',
  'FilterPolicyScope',
  'RedrivePolicy',
  'DeliveryPolicy',
];

export class Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** Where its SubscribeURL and UnsubscribeURL lead. */
  readonly serviceUrl: string;
  /** Confirms it. */
  readonly token = randomUUID().replaceAll('-', '').repeat(4);
  isConfirmed: boolean;
  filter: FilterPolicy;
  #attributes: Readonly<Record<string, string>> = {};

  constructor(options: {
    topicArn: string;
    protocol: string;
    endpoint: string;
    serviceUrl: string;
    attributes: Readonly<Record<string, string>>;
  }) {
    this.protocol = checkedProtocol(options.protocol, options.endpoint);
    this.topicArn = options.topicArn;
    this.endpoint = options.endpoint;
    this.serviceUrl = options.serviceUrl;
    this.arn = `${options.topicArn}:${randomUUID()}`;
    this.isConfirmed = confirmed[this.protocol];
    this.filter = filterPolicy(undefined, undefined);
    this.set(options.attributes);
  }

  get raw(): boolean {
    return this.#attributes['RawMessageDelivery'] === 'true';
  }

  get deadLetterQueue(): string | undefined {
    const policy = this.#attributes['RedrivePolicy'];
    return policy === undefined ? undefined : deadLetterQueueOf(policy);
  }

  set(changes: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(changes)) {
      if (!settable.includes(name)) throw invalid('AttributeName');
      if (name === 'RedrivePolicy' && value !== '') deadLetterQueueOf(value);
    }
    const attributes = { ...this.#attributes, ...changes };
    this.filter = filterPolicy(attributes['FilterPolicy'], attributes['FilterPolicyScope']);
    this.#attributes = Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
  }

  describe(): SubscriptionDescription {
    return {
      SubscriptionArn: this.isConfirmed ? this.arn : 'PendingConfirmation',
      Owner: accountId,
      Protocol: this.protocol,
      Endpoint: this.endpoint,
      TopicArn: this.topicArn,
    };
  }

  attributes(): Record<string, string> {
    const scope =
      this.#attributes['FilterPolicy'] === undefined ? {} : { FilterPolicyScope: 'MessageAttributes' };
    return {
      RawMessageDelivery: 'false',
      ...scope,
      ...this.#attributes,
      SubscriptionArn: this.arn,
      TopicArn: this.topicArn,
      Protocol: this.protocol,
      Endpoint: this.endpoint,
      Owner: accountId,
      SubscriptionPrincipal: iamArn('root'),
      PendingConfirmation: String(!this.isConfirmed),
      ConfirmationWasAuthenticated: String(confirmed[this.protocol]),
    };
  }
}

function checkedProtocol(protocol: string, endpoint: string): Protocol {
  if (!Object.hasOwn(endpoints, protocol))
    throw invalid(`Does not support this protocol string: ${protocol}`);
  if (!endpoints[protocol as Protocol].test(endpoint))
    throw invalid('Endpoint must match the specified protocol');
  if (endpoint.endsWith('.fifo'))
    throw invalid('FIFO SQS Queues can not be subscribed to standard SNS topics');
  return protocol as Protocol;
}

function deadLetterQueueOf(policy: string): string {
  try {
    const { deadLetterTargetArn } = JSON.parse(policy) as { deadLetterTargetArn?: unknown };
    if (typeof deadLetterTargetArn === 'string') return deadLetterTargetArn;
  } catch {
    // Told below, as for any other value that is no policy.
  }
  throw invalid('RedrivePolicy: must contain a deadLetterTargetArn');
}

function invalid(reason: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid parameter: ${reason}`);
}
