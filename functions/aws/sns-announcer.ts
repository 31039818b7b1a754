/** Messages to an SNS topic: text for people, JSON for programs, one publication for both. */
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import type { Chapter } from '../core/messages/chapter.ts';
import type { Message } from '../core/messages/message.ts';
import type { Announcer } from '../ports/announcer.ts';
import { calling } from './failures.ts';

export class SnsAnnouncer implements Announcer {
  readonly #client: SNSClient;
  readonly #topicArn: string;

  constructor(client: SNSClient, topicArn: string) {
    this.#client = client;
    this.#topicArn = topicArn;
  }

  async publish(message: Message, chapter: Chapter): Promise<void> {
    const body = JSON.stringify({ schema: 1, ...chapter, text: message.text });
    const byProtocol = { default: message.text, sqs: body, lambda: body, http: body, https: body };
    await calling(`publishing ${message.id}`, () =>
      this.#client.send(
        new PublishCommand({
          TopicArn: this.#topicArn,
          Subject: message.subject,
          MessageStructure: 'json',
          Message: JSON.stringify(byProtocol),
          MessageAttributes: {
            id: { DataType: 'String', StringValue: message.id },
            kind: { DataType: 'String', StringValue: chapter.kind },
            service: { DataType: 'String', StringValue: chapter.service },
          },
        }),
      ),
    );
  }
}
