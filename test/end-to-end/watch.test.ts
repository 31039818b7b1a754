/** What must never happen is told when it does, through the alarms and the topic of the template. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ListQueuesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { until, World } from './world.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html */
const notification = z.object({
  Message: z
    .string()
    .transform((text) =>
      z.object({ AlarmDescription: z.string(), NewStateValue: z.string() }).parse(JSON.parse(text)),
    ),
});

let world: World;
let alarmed: () => Promise<readonly unknown[]>;
beforeAll(async () => {
  world = await World.create();
  alarmed = await world.receive('pager', world.output('AlarmsTopicArn'));
}, 60_000);
afterAll(() => world?.close());

describe('whoever watches over Cutover', () => {
  it.each([
    [
      'an event that nothing could handle',
      /could not handle wait in its dead-letter queue/,
      async () => {
        const { QueueUrls } = await world.sqs.send(new ListQueuesCommand({}));
        const QueueUrl = QueueUrls?.find((url) => url.includes('DeadLetters'));
        await world.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{}' }));
      },
    ],
    [
      'a recovery that failed',
      /the failed execution of the recover machine says which/,
      async () => {
        const stateMachineArn = await world.machineNamed('Recover');
        await world.sfn.send(
          new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ service: 'No Service' }) }),
        );
      },
    ],
  ])('hears of %s', async (_, words, happens) => {
    const told = async () =>
      (await alarmed())
        .map((body) => notification.parse(body).Message)
        .find(({ AlarmDescription }) => words.test(AlarmDescription));
    expect(await told()).toBeUndefined();
    await happens();
    expect(await until('the alarm', told)).toMatchObject({ NewStateValue: 'ALARM' });
  });
});
