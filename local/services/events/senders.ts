/** How each kind of target is reached. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import type { Invoker } from '../lambda/invoker.ts';
import type { Topics } from '../sns/topics.ts';
import type { Queues } from '../sqs/queues.ts';
import type { Executions } from '../states/executions.ts';
import { invokeAsynchronously } from './asynchronous-invocation.ts';
import type { Delivery } from './delivery.ts';
import { InvalidInput } from './delivery-error.ts';
import { type TargetKind, targetKind } from './target.ts';

export interface SendersOptions {
  readonly clock: Clock;
  readonly executions: Executions;
  readonly invoker: Invoker;
  readonly queues: Queues;
  readonly topics: Topics;
  readonly authorizer: Authorizer;
  readonly onFailure: (failure: Error) => void;
}

export type Send = (delivery: Delivery, input: string) => void | Promise<void>;

/** Functions, queues and topics grant EventBridge by their resource policies, which are not checked here. */
export function senderTo(options: SendersOptions): Send {
  const senders: Readonly<Record<TargetKind, Send>> = {
    states: ({ event, target }, input) => {
      checkJson(input);
      const machineArn = target.Arn!;
      options.authorizer.authorize({
        principal: { kind: 'role', roleArn: target.RoleArn!, session: `AWSEvents_${target.Id}` },
        action: 'states:StartExecution',
        resources: [machineArn],
      });
      // AWS names it after the event too; a second delivery of the same event starts a second execution.
      options.executions.start(machineArn, { name: executionName(event.id), input });
    },
    lambda: ({ target }, input) => {
      checkJson(input);
      return invokeAsynchronously(options, target.Arn!, input);
    },
    sqs: ({ target }, input) => options.queues.send(target.Arn!, input),
    sns: ({ target }, input) => options.topics.publish(target.Arn!, input),
  };
  return (delivery, input) => senders[targetKind(delivery.target)](delivery, input);
}

/** Of at most 80 characters. */
function executionName(eventId: string): string {
  return `${eventId.replaceAll(/[^\w-]/g, '-').slice(0, 43)}_${randomUUID()}`;
}

function checkJson(input: string): void {
  try {
    JSON.parse(input);
  } catch (error) {
    throw new InvalidInput(`The target's input is not valid JSON: ${input}`, { cause: error });
  }
}
