/** AWS::SNS::* */
import type { CreateTopicCommandOutput, SubscribeCommandOutput } from '@aws-sdk/client-sns';
import { same } from '../changes.ts';
import type { Json } from '../json.ts';
import {
  document,
  mutable,
  objects,
  type Properties,
  type ResourceType,
  required,
  requiredText,
  type Scope,
  textOf,
  texts,
} from '../resource-type.ts';

const service = 'sns';

/** SNS takes attributes as a map of strings. */
function attributes(properties: Properties): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

async function subscribe(scope: Scope, TopicArn: string, subscription: Properties): Promise<string> {
  const { Protocol, Endpoint, TopicArn: _topic, Region: _region, ...rest } = subscription;
  const { SubscriptionArn } = await scope.send<SubscribeCommandOutput>(service, 'Subscribe', {
    TopicArn,
    Protocol,
    Endpoint,
    Attributes: attributes(rest),
    ReturnSubscriptionArn: true,
  });
  return SubscriptionArn!;
}

async function setAttributes(
  scope: Scope,
  target: Properties,
  operation: string,
  before: Properties,
  after: Properties,
): Promise<void> {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (same(before[name], after[name])) continue;
    const value: Json = attributes(after)[name] ?? '';
    await scope.send(service, operation, { ...target, AttributeName: name, AttributeValue: value });
  }
}

function ownAttributes(properties: Properties): Properties {
  const {
    TopicName: _name,
    Subscription: _subscription,
    Tags: _tags,
    DataProtectionPolicy: _policy,
    ...rest
  } = properties;
  return rest;
}

export const topic: ResourceType = {
  // Inline subscriptions are not changed in place here.
  replacedBy: ['TopicName', 'FifoTopic', 'Subscription'],
  nameProperty: 'TopicName',
  tagging: {
    service,
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ physicalId }) => ({ ResourceArn: physicalId }),
  },
  async create(scope, properties) {
    const TopicName = textOf(properties, 'TopicName') ?? scope.name({ limit: 256 });
    const created = await scope.send<CreateTopicCommandOutput>(service, 'CreateTopic', {
      Name: TopicName,
      Attributes: attributes(ownAttributes(properties)),
      Tags: properties['Tags'],
    });
    const TopicArn = created.TopicArn!;
    scope.exists(TopicArn);
    for (const subscription of objects(properties['Subscription']))
      await subscribe(scope, TopicArn, subscription);
    return { physicalId: TopicArn, attributes: { TopicArn, TopicName } };
  },
  async update(scope, properties, current) {
    const [before, after] = [ownAttributes(current.properties), ownAttributes(properties)];
    await setAttributes(scope, { TopicArn: current.physicalId }, 'SetTopicAttributes', before, after);
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteTopic', { TopicArn: physicalId }),
};

async function setPolicy(scope: Scope, properties: Properties): Promise<void> {
  for (const TopicArn of texts(properties['Topics'])) {
    await scope.send(service, 'SetTopicAttributes', {
      TopicArn,
      AttributeName: 'Policy',
      AttributeValue: document(required(properties, 'PolicyDocument')),
    });
  }
}

/** Deleting the policy leaves it on the topic: SNS has none to go back to but its default, and the topic goes with it. */
export const topicPolicy: ResourceType = {
  async create(scope, properties) {
    await setPolicy(scope, properties);
    return { physicalId: scope.name({ limit: 256 }), attributes: {} };
  },
  async update(scope, properties, current) {
    await setPolicy(scope, properties);
    return current;
  },
  delete: () => Promise.resolve(),
};

function subscriptionAttributes(properties: Properties): Properties {
  const { Protocol: _protocol, Endpoint: _endpoint, TopicArn: _topic, Region: _region, ...rest } = properties;
  return rest;
}

export const subscription: ResourceType = {
  replacedBy: ['Protocol', 'Endpoint', 'TopicArn', 'Region'],
  async create(scope, properties) {
    const SubscriptionArn = await subscribe(scope, requiredText(properties, 'TopicArn'), properties);
    return { physicalId: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
  },
  async update(scope, properties, current) {
    const [before, after] = [subscriptionAttributes(current.properties), mutable(subscription, properties)];
    await setAttributes(
      scope,
      { SubscriptionArn: current.physicalId },
      'SetSubscriptionAttributes',
      before,
      after,
    );
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(service, 'Unsubscribe', { SubscriptionArn: physicalId }),
};
