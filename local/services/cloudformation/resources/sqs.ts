/** AWS::SQS::* */
import type { CreateQueueCommandOutput } from '@aws-sdk/client-sqs';
import { arn } from '../../../account.ts';
import { unlessGone } from '../gone.ts';
import {
  document,
  type Properties,
  type ResourceType,
  required,
  type Scope,
  tagMap,
  textOf,
  texts,
} from '../resource-type.ts';

const service = 'sqs';

/** SQS takes attributes as a map of strings. */
function attributes(properties: Properties): Record<string, string> {
  const { QueueName: _name, Tags: _tags, ...rest } = properties;
  return Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

export const queue: ResourceType = {
  replacedBy: ['QueueName', 'FifoQueue'],
  nameProperty: 'QueueName',
  tagging: {
    service,
    add: 'TagQueue',
    remove: 'UntagQueue',
    map: true,
    target: ({ physicalId }) => ({ QueueUrl: physicalId }),
  },
  async create(scope, properties) {
    const QueueName = textOf(properties, 'QueueName') ?? scope.name({ limit: 80 });
    const { QueueUrl } = await scope.send<CreateQueueCommandOutput>(service, 'CreateQueue', {
      QueueName,
      Attributes: attributes(properties),
      tags: tagMap(properties['Tags']),
    });
    return {
      physicalId: QueueUrl!,
      attributes: { Arn: arn('sqs', QueueName), QueueName, QueueUrl: QueueUrl! },
    };
  },
  async update(scope, properties, current) {
    const removed = Object.keys(attributes(current.properties)).filter(
      (name) => properties[name] === undefined,
    );
    const Attributes = {
      ...Object.fromEntries(removed.map((name) => [name, ''])),
      ...attributes(properties),
    };
    await scope.send(service, 'SetQueueAttributes', { QueueUrl: current.physicalId, Attributes });
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteQueue', { QueueUrl: physicalId }),
};

async function setPolicy(scope: Scope, queues: readonly string[], Policy: string): Promise<void> {
  for (const QueueUrl of queues)
    await scope.send(service, 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } });
}

export const queuePolicy: ResourceType = {
  async create(scope, properties) {
    await setPolicy(scope, texts(properties['Queues']), document(required(properties, 'PolicyDocument'))!);
    return { physicalId: scope.name({ limit: 128 }), attributes: {} };
  },
  async update(scope, properties, current) {
    await setPolicy(scope, texts(properties['Queues']), document(required(properties, 'PolicyDocument'))!);
    return current;
  },
  async delete(scope, { properties }) {
    for (const queueUrl of texts(properties['Queues'])) await unlessGone(setPolicy(scope, [queueUrl], ''));
  },
};
