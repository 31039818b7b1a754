/** Amazon SQS: standard queues. FIFO queues are refused; queue policies are kept but not enforced. */
import type * as Sdk from '@aws-sdk/client-sqs';
import { accountId } from '../../account.ts';
import { AwsError, type Call, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { page, sortedBy } from '../events/page.ts';
import { batch, sqsBatchErrors } from './batch.ts';
import { attributesDigest, digestOf } from './message-digest.ts';
import { QueueMetrics } from './metrics.ts';
import { Queue, type QueuedMessage } from './queue.ts';
import { changedAttributes, defaultAttributes, type QueueAttributes } from './queue-attributes.ts';
import type { Queues } from './queues.ts';
import { receivedMessage } from './received-message.ts';

/** "You must wait 60 seconds after deleting a queue before you can create another queue with the same name." */
const NAME_REST_MS = 60_000;

export class Sqs implements Queues {
  readonly operations: Operations;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Queue>();
  readonly #deletedAt = new Map<string, number>();
  readonly #metrics: QueueMetrics | undefined;

  constructor({ clock, metrics }: { readonly clock: Clock; readonly metrics?: MetricSink }) {
    this.#clock = clock;
    this.#metrics = metrics && new QueueMetrics(clock, metrics);
    this.operations = {
      CreateQueue: (input: Sdk.CreateQueueCommandInput, call: Call) => this.#create(input, call),
      DeleteQueue: (input: Sdk.DeleteQueueCommandInput) => this.#delete(input),
      GetQueueUrl: (input: Sdk.GetQueueUrlCommandInput, call: Call) => this.#url(input, call),
      ListQueues: (input: Sdk.ListQueuesCommandInput, call: Call) => this.#list(input, call),
      GetQueueAttributes: (input: Sdk.GetQueueAttributesCommandInput) => this.#attributes(input),
      SetQueueAttributes: (input: Sdk.SetQueueAttributesCommandInput) => this.#setAttributes(input),
      SendMessage: (input: Sdk.SendMessageCommandInput) => sent(this.#at(input.QueueUrl), input),
      SendMessageBatch: (input: Sdk.SendMessageBatchCommandInput) => this.#sendBatch(input),
      ReceiveMessage: (input: Sdk.ReceiveMessageCommandInput) => this.#receive(input),
      DeleteMessage: (input: Sdk.DeleteMessageCommandInput) => this.#deleteMessage(input),
      DeleteMessageBatch: (input: Sdk.DeleteMessageBatchCommandInput) => this.#deleteBatch(input),
      ChangeMessageVisibility: (input: Sdk.ChangeMessageVisibilityCommandInput) =>
        this.#changeVisibility(input),
      PurgeQueue: (input: Sdk.PurgeQueueCommandInput) => this.#purge(input),
      TagQueue: (input: Sdk.TagQueueCommandInput) => this.#tag(input),
      UntagQueue: (input: Sdk.UntagQueueCommandInput) => this.#untag(input),
      ListQueueTags: (input: Sdk.ListQueueTagsCommandInput) => this.#listTags(input),
    };
  }

  send(
    queueArn: string,
    body: string,
    attributes: Readonly<Record<string, Sdk.MessageAttributeValue>> = {},
  ): void {
    this.#byArn(queueArn).send({ body, attributes });
  }

  close(): void {
    this.#metrics?.close();
    for (const queue of this.#queues.values()) queue.close();
  }

  #create(input: Sdk.CreateQueueCommandInput, call: Call): Output<Sdk.CreateQueueCommandOutput> {
    const name = input.QueueName!;
    const attributes = checked(input.Attributes);
    checkName(name, attributes);
    const known = this.#queues.get(name);
    if (known !== undefined) {
      const differs = Object.entries(attributes).find(([key, value]) => known.attributes[key] !== value);
      if (differs === undefined) return { QueueUrl: urlOf(name, call) };
      const message = `A queue already exists with the same name and a different value for attribute ${differs[0]}`;
      throw new AwsError('QueueNameExists', message);
    }
    if (this.#clock.now() - (this.#deletedAt.get(name) ?? Number.NEGATIVE_INFINITY) < NAME_REST_MS) {
      throw new AwsError(
        'QueueDeletedRecently',
        'You must wait 60 seconds after deleting a queue before you can create another with the same name.',
      );
    }
    const queue: Queue = new Queue({
      name,
      attributes,
      tags: new Map(Object.entries(input.tags ?? {})),
      clock: this.#clock,
      deadLetter: (queueArn, message) => this.#moveToDeadLetters(queue, queueArn, message),
    });
    this.#queues.set(name, queue);
    this.#metrics?.used(queue);
    return { QueueUrl: urlOf(name, call) };
  }

  /** A dead-letter queue that is gone leaves the message where it was, to be received again. */
  #moveToDeadLetters(source: Queue, queueArn: string, message: QueuedMessage): void {
    const target = this.#queues.get(nameOf(queueArn));
    if (target === undefined) source.adopt({ ...message, receiveCount: 0 }, source.arn);
    else target.adopt(message, source.arn);
  }

  #delete({ QueueUrl }: Sdk.DeleteQueueCommandInput): Output<Sdk.DeleteQueueCommandOutput> {
    const queue = this.#at(QueueUrl);
    queue.close();
    this.#queues.delete(queue.name);
    this.#metrics?.forget(queue);
    this.#deletedAt.set(queue.name, this.#clock.now());
    return {};
  }

  #url({ QueueName }: Sdk.GetQueueUrlCommandInput, call: Call): Output<Sdk.GetQueueUrlCommandOutput> {
    return { QueueUrl: urlOf(this.#at(QueueName).name, call) };
  }

  #list(input: Sdk.ListQueuesCommandInput, call: Call): Output<Sdk.ListQueuesCommandOutput> {
    const found = sortedBy(this.#queues.values(), ({ name }) => name).filter(({ name }) =>
      name.startsWith(input.QueueNamePrefix ?? ''),
    );
    const { entries, token } = page(found, {
      token: input.NextToken,
      limit: input.MaxResults ?? 1000,
      key: ({ name }) => name,
      refusal: () => new AwsError('InvalidParameterValue', 'Invalid or expired next token.'),
    });
    // Only who asks for pages gets a token.
    const next = input.MaxResults !== undefined && token !== undefined ? { NextToken: token } : {};
    return { QueueUrls: entries.map(({ name }) => urlOf(name, call)), ...next };
  }

  #attributes(input: Sdk.GetQueueAttributesCommandInput): Output<Sdk.GetQueueAttributesCommandOutput> {
    const queue = this.#at(input.QueueUrl);
    const { visible, inFlight, delayed } = queue.counts();
    const all: QueueAttributes = {
      ...queue.attributes,
      QueueArn: queue.arn,
      ApproximateNumberOfMessages: String(visible),
      ApproximateNumberOfMessagesNotVisible: String(inFlight),
      ApproximateNumberOfMessagesDelayed: String(delayed),
      CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
      LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1000)),
    };
    const names: readonly string[] = input.AttributeNames ?? [];
    const shown = Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name));
    return shown.length === 0 ? {} : { Attributes: Object.fromEntries(shown) };
  }

  #setAttributes(input: Sdk.SetQueueAttributesCommandInput): Output<Sdk.SetQueueAttributesCommandOutput> {
    this.#at(input.QueueUrl).attributes = checked(input.Attributes);
    return {};
  }

  #sendBatch(input: Sdk.SendMessageBatchCommandInput): Output<Sdk.SendMessageBatchCommandOutput> {
    const queue = this.#at(input.QueueUrl);
    return batch(input.Entries!, sqsBatchErrors, (entry) => ({ Id: entry.Id, ...sent(queue, entry) }));
  }

  async #receive(input: Sdk.ReceiveMessageCommandInput): Promise<Output<Sdk.ReceiveMessageCommandOutput>> {
    const limit = input.MaxNumberOfMessages ?? 1;
    if (limit < 1 || limit > 10) {
      const reason = 'Reason: Must be between 1 and 10, if provided.';
      const message = `Value ${limit} for parameter MaxNumberOfMessages is invalid. ${reason}`;
      throw new AwsError('InvalidParameterValue', message);
    }
    const messages = await this.#at(input.QueueUrl).receive({
      limit,
      ...(input.VisibilityTimeout !== undefined && { visibilityTimeoutSeconds: input.VisibilityTimeout }),
      ...(input.WaitTimeSeconds !== undefined && { waitSeconds: input.WaitTimeSeconds }),
    });
    return messages.length === 0
      ? {}
      : { Messages: messages.map((message) => receivedMessage(message, input)) };
  }

  #deleteMessage(input: Sdk.DeleteMessageCommandInput): Output<Sdk.DeleteMessageCommandOutput> {
    this.#at(input.QueueUrl).delete(input.ReceiptHandle!);
    return {};
  }

  #deleteBatch(input: Sdk.DeleteMessageBatchCommandInput): Output<Sdk.DeleteMessageBatchCommandOutput> {
    const queue = this.#at(input.QueueUrl);
    return batch(input.Entries!, sqsBatchErrors, ({ Id, ReceiptHandle }) => {
      queue.delete(ReceiptHandle!);
      return { Id };
    });
  }

  #changeVisibility(
    input: Sdk.ChangeMessageVisibilityCommandInput,
  ): Output<Sdk.ChangeMessageVisibilityCommandOutput> {
    this.#at(input.QueueUrl).changeVisibility(input.ReceiptHandle!, input.VisibilityTimeout!);
    return {};
  }

  #purge({ QueueUrl }: Sdk.PurgeQueueCommandInput): Output<Sdk.PurgeQueueCommandOutput> {
    this.#at(QueueUrl).purge();
    return {};
  }

  #tag({ QueueUrl, Tags }: Sdk.TagQueueCommandInput): Output<Sdk.TagQueueCommandOutput> {
    const queue = this.#at(QueueUrl);
    queue.tags = new Map([...queue.tags, ...Object.entries(Tags!)]);
    return {};
  }

  #untag({ QueueUrl, TagKeys }: Sdk.UntagQueueCommandInput): Output<Sdk.UntagQueueCommandOutput> {
    const queue = this.#at(QueueUrl);
    queue.tags = new Map([...queue.tags].filter(([key]) => !TagKeys!.includes(key)));
    return {};
  }

  #listTags({ QueueUrl }: Sdk.ListQueueTagsCommandInput): Output<Sdk.ListQueueTagsCommandOutput> {
    return { Tags: Object.fromEntries(this.#at(QueueUrl).tags) };
  }

  /** By URL or name: AWS, too, looks only at the path. */
  #at(urlOrName: string | undefined): Queue {
    const queue = this.#queues.get(urlOrName?.split('/').at(-1) ?? '');
    if (queue !== undefined) {
      this.#metrics?.used(queue);
      return queue;
    }
    throw new AwsError('QueueDoesNotExist', 'The specified queue does not exist.');
  }

  #byArn(queueArn: string): Queue {
    return this.#at(nameOf(queueArn));
  }
}

function sent(queue: Queue, entry: Sdk.SendMessageBatchRequestEntry | Sdk.SendMessageCommandInput) {
  const attributes = entry.MessageAttributes ?? {};
  const body = entry.MessageBody!;
  if (body === '')
    throw new AwsError('MissingParameter', 'The request must contain the parameter MessageBody.');
  const delaySeconds = entry.DelaySeconds;
  const message = queue.send({ body, attributes, ...(delaySeconds !== undefined && { delaySeconds }) });
  const digest = attributesDigest(attributes);
  return {
    MessageId: message.id,
    MD5OfMessageBody: digestOf(body),
    ...(digest !== undefined && { MD5OfMessageAttributes: digest }),
  };
}

function checkName(name: string, attributes: QueueAttributes): void {
  if (name.endsWith('.fifo') || attributes['FifoQueue'] !== undefined) {
    throw new AwsError('UnsupportedOperation', 'FIFO queues are not modelled by the embedded AWS.');
  }
  changedAttributes(defaultAttributes, attributes);
  if (/^[\w-]{1,80}$/.test(name)) return;
  const message = 'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length';
  throw new AwsError('InvalidParameterValue', message);
}

function checked(attributes: Partial<Record<string, string>> | undefined): QueueAttributes {
  return Object.fromEntries(Object.entries(attributes ?? {}).map(([name, value]) => [name, value ?? '']));
}

function urlOf(name: string, call: Call): string {
  return `${call.endpoint}/${accountId}/${name}`;
}

function nameOf(queueArn: string): string {
  return queueArn.split(':').at(-1) ?? '';
}
