/** One standard topic: its attributes and its subscriptions. */
import { accountId, arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Subscription } from './subscription.ts';

/** Kept and shown; topic policies are not enforced here. */
const settable = [
  'DisplayName',
  'Policy',
  'DeliveryPolicy',
  'KmsMasterKeyId',
  'SignatureVersion',
  'TracingConfig',
  'ArchivePolicy',
];
const feedback = /^(HTTP|Firehose|Lambda|Application|SQS)(Success|Failure)Feedback(RoleArn|SampleRate)$/;

export class Topic {
  readonly name: string;
  readonly arn: string;
  readonly subscriptions = new Map<string, Subscription>();
  tags: ReadonlyMap<string, string>;
  #attributes: Readonly<Record<string, string>> = {};
  #deleted = 0;

  constructor(name: string, attributes: Readonly<Record<string, string>>, tags: ReadonlyMap<string, string>) {
    if (name.endsWith('.fifo') || attributes['FifoTopic'] === 'true') {
      throw new AwsError(
        'InvalidParameterException',
        'Invalid parameter: FIFO topics are not modelled by the embedded AWS',
      );
    }
    if (!/^[\w-]{1,256}$/.test(name)) {
      throw new AwsError('InvalidParameterException', 'Invalid parameter: Topic Name');
    }
    this.name = name;
    this.arn = arn('sns', name);
    this.tags = tags;
    for (const [attribute, value] of Object.entries(attributes)) {
      if (attribute !== 'FifoTopic') this.set(attribute, value);
    }
  }

  set(attribute: string, value: string): void {
    if (!settable.includes(attribute) && !feedback.test(attribute)) {
      throw new AwsError('InvalidParameterException', `Invalid parameter: AttributeName`);
    }
    this.#attributes = { ...this.#attributes, [attribute]: value };
  }

  /**
   * The policy of AWS's own key, which nobody can change, lets no service use it that publishes in its own name.
   * https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
   */
  refuseServices(): void {
    const key = this.#attributes['KmsMasterKeyId'] ?? '';
    if (!key.endsWith('alias/aws/sns')) return;
    throw new AwsError(
      'KMSAccessDenied',
      'The service does not have authorization to access the SNS topic encryption key.',
    );
  }

  remove(subscription: Subscription): void {
    if (this.subscriptions.delete(subscription.arn)) this.#deleted += 1;
  }

  has(attributes: Readonly<Record<string, string>>): boolean {
    return Object.entries(attributes).every(([name, value]) => this.attributes()[name] === value);
  }

  attributes(): Record<string, string> {
    const confirmed = [...this.subscriptions.values()].filter(({ isConfirmed }) => isConfirmed).length;
    return {
      DisplayName: '',
      Policy: JSON.stringify(defaultPolicy(this.arn)),
      ...this.#attributes,
      TopicArn: this.arn,
      Owner: accountId,
      SubscriptionsConfirmed: String(confirmed),
      SubscriptionsPending: String(this.subscriptions.size - confirmed),
      SubscriptionsDeleted: String(this.#deleted),
    };
  }
}

/** Whoever is of this account may use the topic. */
function defaultPolicy(topicArn: string) {
  const actions = [
    'Publish',
    'Subscribe',
    'GetTopicAttributes',
    'SetTopicAttributes',
    'ListSubscriptionsByTopic',
  ];
  return {
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: actions.map((action) => `SNS:${action}`),
        Resource: topicArn,
        Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
      },
    ],
  };
}
