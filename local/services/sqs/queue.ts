/** One standard queue: messages that can be seen, are in flight or delayed, and those who wait for them. */
import { randomUUID } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { accountId, arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import {
  changedAttributes,
  defaultAttributes,
  type QueueAttributes,
  redrivePolicy,
} from './queue-attributes.ts';

export interface QueuedMessage {
  readonly id: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly sentAt: number;
  readonly senderId: string;
  readonly deadLetterSource?: string;
  visibleAt: number;
  receiveCount: number;
  firstReceivedAt?: number;
  /** Of the last receive; earlier ones still delete the message, as on AWS. */
  receiptHandle?: string;
}

export interface Sending {
  readonly body: string;
  readonly attributes?: Readonly<Record<string, MessageAttributeValue>>;
  readonly delaySeconds?: number;
  readonly senderId?: string;
}

export interface Receiving {
  readonly limit: number;
  readonly visibilityTimeoutSeconds?: number;
  readonly waitSeconds?: number;
}

interface Waiter {
  readonly receiving: Receiving;
  readonly answer: (messages: QueuedMessage[]) => void;
  readonly timer: Timer;
}

export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  tags: ReadonlyMap<string, string>;
  modifiedAt: number;
  #attributes: QueueAttributes;
  readonly #clock: Clock;
  readonly #deadLetter: (queueArn: string, message: QueuedMessage) => void;
  #messages: QueuedMessage[] = [];
  #waiters: Waiter[] = [];
  #wake: Timer | undefined;
  #purgedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    name: string;
    attributes: QueueAttributes;
    tags: ReadonlyMap<string, string>;
    clock: Clock;
    /** Moves a message that was received too often. */
    deadLetter: (queueArn: string, message: QueuedMessage) => void;
  }) {
    this.name = options.name;
    this.arn = arn('sqs', options.name);
    this.tags = options.tags;
    this.#attributes = changedAttributes(defaultAttributes, options.attributes);
    this.#clock = options.clock;
    this.#deadLetter = options.deadLetter;
    this.createdAt = this.modifiedAt = options.clock.now();
  }

  get attributes(): QueueAttributes {
    return this.#attributes;
  }

  set attributes(changes: QueueAttributes) {
    this.#attributes = changedAttributes(this.#attributes, changes);
    this.modifiedAt = this.#clock.now();
  }

  counts(): { visible: number; inFlight: number; delayed: number } {
    this.#expire();
    const now = this.#clock.now();
    const hidden = this.#messages.filter((message) => message.visibleAt > now);
    const inFlight = hidden.filter((message) => message.receiveCount > 0).length;
    return { visible: this.#messages.length - hidden.length, inFlight, delayed: hidden.length - inFlight };
  }

  send(sending: Sending): QueuedMessage {
    const size = Buffer.byteLength(sending.body);
    const limit = Number(this.#attributes['MaximumMessageSize']);
    if (size > limit) {
      const message = `One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`;
      throw new AwsError('InvalidParameterValue', message);
    }
    const now = this.#clock.now();
    const delaySeconds = sending.delaySeconds ?? Number(this.#attributes['DelaySeconds']);
    return this.#add({
      id: randomUUID(),
      body: sending.body,
      attributes: sending.attributes ?? {},
      sentAt: now,
      senderId: sending.senderId ?? accountId,
      visibleAt: now + delaySeconds * 1000,
      receiveCount: 0,
    });
  }

  /** Takes over a message from the queue that gave up on it; it keeps its id and its age. */
  adopt(message: QueuedMessage, sourceArn: string): void {
    const { receiptHandle: _, ...rest } = message;
    this.#add({ ...rest, deadLetterSource: sourceArn, visibleAt: this.#clock.now() });
  }

  /** At once if there is something to receive, else when something comes or the wait is over. */
  receive(receiving: Receiving): Promise<QueuedMessage[]> {
    const ready = this.#take(receiving);
    const waitMs =
      1000 * (receiving.waitSeconds ?? Number(this.#attributes['ReceiveMessageWaitTimeSeconds']));
    if (ready.length > 0 || waitMs === 0) return Promise.resolve(ready);
    return new Promise((answer) => {
      const timer = this.#clock.after(waitMs, () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        answer([]);
      });
      const waiter = { receiving, answer, timer };
      this.#waiters.push(waiter);
      this.#serve();
    });
  }

  /** Deleting what is gone already is no error. */
  delete(receiptHandle: string): void {
    const id = messageIdOf(receiptHandle);
    this.#messages = this.#messages.filter((message) => message.id !== id);
  }

  changeVisibility(receiptHandle: string, seconds: number): void {
    const id = messageIdOf(receiptHandle);
    const now = this.#clock.now();
    const message = this.#messages.find((candidate) => candidate.id === id);
    if (message === undefined || message.visibleAt <= now) {
      throw new AwsError(
        'MessageNotInflight',
        `Value ${receiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
      );
    }
    message.visibleAt = now + seconds * 1000;
    this.#serve();
  }

  purge(): void {
    const now = this.#clock.now();
    if (now - this.#purgedAt < 60_000) {
      const message = `Only one PurgeQueue operation on ${this.name} is allowed every 60 seconds.`;
      throw new AwsError('PurgeQueueInProgress', message);
    }
    this.#purgedAt = now;
    this.#messages = [];
  }

  close(): void {
    this.#wake?.cancel();
    for (const { timer, answer } of this.#waiters) {
      timer.cancel();
      answer([]);
    }
    this.#waiters = [];
  }

  #add(message: QueuedMessage): QueuedMessage {
    this.#messages.push(message);
    this.#serve();
    return message;
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      const messages = this.#take(waiter.receiving);
      if (messages.length === 0) break;
      waiter.timer.cancel();
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      waiter.answer(messages);
    }
    this.#wake?.cancel();
    if (this.#waiters.length === 0 || this.#messages.length === 0) return;
    const next = Math.min(...this.#messages.map((message) => message.visibleAt));
    this.#wake = this.#clock.after(next - this.#clock.now(), () => this.#serve());
  }

  #take({ limit, visibilityTimeoutSeconds }: Receiving): QueuedMessage[] {
    this.#expire();
    const now = this.#clock.now();
    const redrive = redrivePolicy(this.#attributes);
    const timeoutMs = 1000 * (visibilityTimeoutSeconds ?? Number(this.#attributes['VisibilityTimeout']));
    const taken: QueuedMessage[] = [];
    for (const message of this.#messages) {
      if (taken.length === limit) break;
      if (message.visibleAt > now) continue;
      if (redrive !== undefined && message.receiveCount >= redrive.maxReceiveCount) {
        this.#messages = this.#messages.filter((other) => other !== message);
        this.#deadLetter(redrive.deadLetterTargetArn, message);
        continue;
      }
      message.receiveCount += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + timeoutMs;
      message.receiptHandle = Buffer.from(`${message.id} ${randomUUID()}`).toString('base64');
      taken.push(message);
    }
    return taken;
  }

  #expire(): void {
    const oldest = this.#clock.now() - 1000 * Number(this.#attributes['MessageRetentionPeriod']);
    if (this.#messages.some((message) => message.sentAt < oldest)) {
      this.#messages = this.#messages.filter((message) => message.sentAt >= oldest);
    }
  }
}

function messageIdOf(receiptHandle: string): string {
  const [id, receipt] = Buffer.from(receiptHandle, 'base64').toString().split(' ');
  if (id !== undefined && receipt !== undefined) return id;
  throw new AwsError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`,
  );
}
