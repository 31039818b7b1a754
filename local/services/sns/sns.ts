/** Amazon SNS: standard topics. FIFO topics are refused; topic policies are kept but not enforced. */
import type * as Sdk from '@aws-sdk/client-sns';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { page, sortedBy } from '../events/page.ts';
import type { Invoker } from '../lambda/invoker.ts';
import { type BatchErrors, batch } from '../sqs/batch.ts';
import type { Queues } from '../sqs/queues.ts';
import { Deliveries } from './deliveries.ts';
import type { Links } from './links.ts';
import { type PublishRequest, publication } from './publication.ts';
import { Subscription } from './subscription.ts';
import { Topic } from './topic.ts';
import type { Publishing, Topics } from './topics.ts';

const DEFAULT_DELIVERY_MS = 50;
/** "Each call returns a limited list, up to 100." */
const PAGE = 100;

const batchErrors: BatchErrors = {
  empty: 'EmptyBatchRequestException',
  tooMany: 'TooManyEntriesInBatchRequestException',
  notDistinct: 'BatchEntryIdsNotDistinctException',
};

export interface SnsOptions {
  readonly clock: Clock;
  readonly queues: Queues;
  readonly invoker: Invoker;
  /** A message that neither its endpoint nor a dead-letter queue got. */
  readonly onFailure: (failure: Error) => void;
  /** From the publication of a message to its delivery. */
  readonly deliveryMs?: number;
}

export class Sns implements Topics, Links {
  readonly operations: Operations;
  readonly #clock: Clock;
  readonly #deliveries: Deliveries;
  readonly #topics = new Map<string, Topic>();

  constructor(options: SnsOptions) {
    this.#clock = options.clock;
    this.#deliveries = new Deliveries({ ...options, deliveryMs: options.deliveryMs ?? DEFAULT_DELIVERY_MS });
    this.operations = {
      CreateTopic: (input: Sdk.CreateTopicCommandInput) => this.#create(input),
      DeleteTopic: (input: Sdk.DeleteTopicCommandInput) => this.#delete(input),
      GetTopicAttributes: (input: Sdk.GetTopicAttributesCommandInput) => this.#attributes(input),
      SetTopicAttributes: (input: Sdk.SetTopicAttributesCommandInput) => this.#setAttributes(input),
      ListTopics: (input: Sdk.ListTopicsCommandInput) => this.#list(input),
      Subscribe: (input: Sdk.SubscribeCommandInput, call: Call) => this.#subscribe(input, call),
      ConfirmSubscription: (input: Sdk.ConfirmSubscriptionCommandInput) => this.#confirm(input),
      Unsubscribe: (input: Sdk.UnsubscribeCommandInput) => this.#unsubscribe(input),
      ListSubscriptions: (input: Sdk.ListSubscriptionsCommandInput) => this.#listSubscriptions(input),
      ListSubscriptionsByTopic: (input: Sdk.ListSubscriptionsByTopicCommandInput) =>
        subscriptionPage([...this.#at(input.TopicArn).subscriptions.values()], input.NextToken),
      GetSubscriptionAttributes: (input: Sdk.GetSubscriptionAttributesCommandInput) =>
        this.#subscriptionAttributes(input),
      SetSubscriptionAttributes: (input: Sdk.SetSubscriptionAttributesCommandInput) =>
        this.#setSubscriptionAttributes(input),
      Publish: (input: Sdk.PublishCommandInput) => this.#publishOne(input),
      PublishBatch: (input: Sdk.PublishBatchCommandInput) => this.#publishBatch(input),
      TagResource: (input: Sdk.TagResourceCommandInput) => this.#tag(input),
      UntagResource: (input: Sdk.UntagResourceCommandInput) => this.#untag(input),
      ListTagsForResource: (input: Sdk.ListTagsForResourceCommandInput) => this.#listTags(input),
    };
  }

  publish(topicArn: string, message: string, { subject, byRole = false }: Publishing = {}): void {
    if (!byRole) this.#at(topicArn).refuseServices();
    this.#publish(topicArn, { Message: message, Subject: subject });
  }

  #publish(topicArn: string, request: PublishRequest): string {
    const topic = this.#at(topicArn);
    const message = publication(request, topic.arn, this.#clock.now());
    for (const subscription of topic.subscriptions.values()) {
      const isWanted = subscription.isConfirmed && subscription.filter.wants(message, subscription.protocol);
      if (isWanted) this.#deliveries.deliver(message, subscription);
    }
    return message.id;
  }

  #publishOne(input: Sdk.PublishCommandInput): Output<Sdk.PublishCommandOutput> {
    const topicArn = input.TopicArn ?? input.TargetArn;
    if (topicArn === undefined)
      throw invalid('TopicArn or TargetArn Reason: no value for required parameter');
    return { MessageId: this.#publish(topicArn, input) };
  }

  #publishBatch(input: Sdk.PublishBatchCommandInput): Output<Sdk.PublishBatchCommandOutput> {
    const topic = this.#at(input.TopicArn);
    return batch(input.PublishBatchRequestEntries!, batchErrors, (entry) => ({
      Id: entry.Id,
      MessageId: this.#publish(topic.arn, entry),
    }));
  }

  /** Repeats answer the same topic; other attributes are refused. */
  #create(input: Sdk.CreateTopicCommandInput): Output<Sdk.CreateTopicCommandOutput> {
    const attributes = input.Attributes ?? {};
    const tags = new Map(input.Tags?.map(({ Key, Value }) => [Key!, Value!]));
    const topic = new Topic(input.Name!, attributes, tags);
    const known = this.#topics.get(topic.arn);
    if (known === undefined) {
      this.#topics.set(topic.arn, topic);
    } else if (!known.has(attributes)) {
      throw invalid('Attributes Reason: Topic already exists with different attributes');
    } else if ([...tags].some(([key, value]) => known.tags.get(key) !== value)) {
      throw invalid('Tags Reason: Topic already exists with different tags');
    }
    return { TopicArn: topic.arn };
  }

  /** Deleting what is not there is no error. */
  #delete({ TopicArn }: Sdk.DeleteTopicCommandInput): Output<Sdk.DeleteTopicCommandOutput> {
    this.#topics.delete(TopicArn!);
    return {};
  }

  #attributes({ TopicArn }: Sdk.GetTopicAttributesCommandInput): Output<Sdk.GetTopicAttributesCommandOutput> {
    return { Attributes: this.#at(TopicArn).attributes() };
  }

  #setAttributes(input: Sdk.SetTopicAttributesCommandInput): Output<Sdk.SetTopicAttributesCommandOutput> {
    this.#at(input.TopicArn).set(input.AttributeName!, input.AttributeValue ?? '');
    return {};
  }

  #list({ NextToken }: Sdk.ListTopicsCommandInput): Output<Sdk.ListTopicsCommandOutput> {
    const key = ({ arn }: Topic) => arn;
    const { entries, token } = page(sortedBy(this.#topics.values(), key), {
      token: NextToken,
      limit: PAGE,
      key,
    });
    return { Topics: entries.map(({ arn }) => ({ TopicArn: arn })), ...(token && { NextToken: token }) };
  }

  #subscribe(input: Sdk.SubscribeCommandInput, call: Call): Output<Sdk.SubscribeCommandOutput> {
    const topic = this.#at(input.TopicArn);
    const subscription = new Subscription({
      topicArn: topic.arn,
      protocol: input.Protocol!,
      endpoint: input.Endpoint ?? '',
      serviceUrl: call.endpoint,
      attributes: input.Attributes ?? {},
    });
    const known = [...topic.subscriptions.values()].find(
      ({ protocol, endpoint }) => protocol === subscription.protocol && endpoint === subscription.endpoint,
    );
    const current = known ?? subscription;
    topic.subscriptions.set(current.arn, current);
    if (!current.isConfirmed && current.protocol.startsWith('http')) this.#deliveries.confirm(current);
    const isShown = current.isConfirmed || input.ReturnSubscriptionArn === true;
    return { SubscriptionArn: isShown ? current.arn : 'pending confirmation' };
  }

  confirm(topicArn: string, token: string): string {
    const subscription = [...this.#at(topicArn).subscriptions.values()].find(
      (candidate) => candidate.token === token,
    );
    if (subscription === undefined) throw invalid('Token');
    subscription.isConfirmed = true;
    return subscription.arn;
  }

  unsubscribe(subscriptionArn: string): void {
    const subscription = this.#subscription(subscriptionArn);
    this.#at(subscription.topicArn).remove(subscription);
  }

  #confirm(input: Sdk.ConfirmSubscriptionCommandInput): Output<Sdk.ConfirmSubscriptionCommandOutput> {
    return { SubscriptionArn: this.confirm(input.TopicArn!, input.Token!) };
  }

  #unsubscribe({ SubscriptionArn }: Sdk.UnsubscribeCommandInput): Output<Sdk.UnsubscribeCommandOutput> {
    this.unsubscribe(SubscriptionArn!);
    return {};
  }

  #listSubscriptions({
    NextToken,
  }: Sdk.ListSubscriptionsCommandInput): Output<Sdk.ListSubscriptionsCommandOutput> {
    return subscriptionPage(this.#subscriptions(), NextToken);
  }

  #subscriptionAttributes(
    input: Sdk.GetSubscriptionAttributesCommandInput,
  ): Output<Sdk.GetSubscriptionAttributesCommandOutput> {
    return { Attributes: this.#subscription(input.SubscriptionArn).attributes() };
  }

  #setSubscriptionAttributes(
    input: Sdk.SetSubscriptionAttributesCommandInput,
  ): Output<Sdk.SetSubscriptionAttributesCommandOutput> {
    this.#subscription(input.SubscriptionArn).set({ [input.AttributeName!]: input.AttributeValue ?? '' });
    return {};
  }

  #tag({ ResourceArn, Tags }: Sdk.TagResourceCommandInput): Output<Sdk.TagResourceCommandOutput> {
    const topic = this.#tagged(ResourceArn);
    topic.tags = new Map([...topic.tags, ...Tags!.map(({ Key, Value }) => [Key!, Value!] as const)]);
    return {};
  }

  #untag({ ResourceArn, TagKeys }: Sdk.UntagResourceCommandInput): Output<Sdk.UntagResourceCommandOutput> {
    const topic = this.#tagged(ResourceArn);
    topic.tags = new Map([...topic.tags].filter(([key]) => !TagKeys!.includes(key)));
    return {};
  }

  #listTags({
    ResourceArn,
  }: Sdk.ListTagsForResourceCommandInput): Output<Sdk.ListTagsForResourceCommandOutput> {
    return { Tags: [...this.#tagged(ResourceArn).tags].map(([Key, Value]) => ({ Key, Value })) };
  }

  #subscriptions(): Subscription[] {
    return [...this.#topics.values()].flatMap(({ subscriptions }) => [...subscriptions.values()]);
  }

  #subscription(subscriptionArn: string | undefined): Subscription {
    const subscription = this.#subscriptions().find(({ arn }) => arn === subscriptionArn);
    if (subscription !== undefined) return subscription;
    throw new AwsError('NotFoundException', 'Subscription does not exist');
  }

  #at(topicArn: string | undefined): Topic {
    const topic = this.#topics.get(topicArn ?? '');
    if (topic !== undefined) return topic;
    throw new AwsError('NotFoundException', 'Topic does not exist');
  }

  #tagged(resourceArn: string | undefined): Topic {
    const topic = this.#topics.get(resourceArn ?? '');
    if (topic !== undefined) return topic;
    throw new AwsError('ResourceNotFoundException', 'Resource does not exist');
  }
}

function subscriptionPage(subscriptions: readonly Subscription[], token: string | undefined) {
  const key = ({ arn }: Subscription) => arn;
  const found = page(sortedBy(subscriptions, key), { token, limit: PAGE, key, refusal: invalidToken });
  return {
    Subscriptions: found.entries.map((subscription) => subscription.describe()),
    ...(found.token && { NextToken: found.token }),
  };
}

function invalidToken(): AwsError {
  return invalid('NextToken');
}

function invalid(reason: string): AwsError {
  return new AwsError('InvalidParameterException', `Invalid parameter: ${reason}`);
}
