/** AWS::Logs::* */
import { arn } from '../../../account.ts';
import {
  document,
  type Properties,
  type Provisioned,
  type ResourceType,
  requiredText,
  type Scope,
  tagMap,
  textOf,
} from '../resource-type.ts';

const service = 'logs';

async function retention(scope: Scope, logGroupName: string, { RetentionInDays }: Properties): Promise<void> {
  await (RetentionInDays === undefined
    ? scope.send(service, 'DeleteRetentionPolicy', { logGroupName })
    : scope.send(service, 'PutRetentionPolicy', { logGroupName, retentionInDays: RetentionInDays }));
}

export const logGroup: ResourceType = {
  replacedBy: ['LogGroupName', 'LogGroupClass'],
  nameProperty: 'LogGroupName',
  tagging: {
    service,
    add: 'TagResource',
    remove: 'UntagResource',
    map: true,
    target: ({ physicalId }) => ({ resourceArn: arn('logs', `log-group:${physicalId}`) }),
  },
  async create(scope, { RetentionInDays, Tags, ...properties }) {
    const logGroupName = textOf(properties, 'LogGroupName') ?? scope.name({ limit: 512 });
    await scope.send(service, 'CreateLogGroup', {
      ...properties,
      LogGroupName: logGroupName,
      Tags: tagMap(Tags),
    });
    scope.exists(logGroupName);
    if (RetentionInDays !== undefined) await retention(scope, logGroupName, { RetentionInDays });
    return { physicalId: logGroupName, attributes: { Arn: arn('logs', `log-group:${logGroupName}:*`) } };
  },
  async update(scope, properties, current) {
    await retention(scope, current.physicalId, properties);
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteLogGroup', { logGroupName: physicalId }),
};

async function putPolicy(scope: Scope, properties: Properties): Promise<Provisioned> {
  const policyName = requiredText(properties, 'PolicyName');
  await scope.send(service, 'PutResourcePolicy', {
    policyName,
    policyDocument: document(properties['PolicyDocument']),
  });
  return { physicalId: policyName, attributes: {} };
}

export const resourcePolicy: ResourceType = {
  replacedBy: ['PolicyName'],
  create: putPolicy,
  update: putPolicy,
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteResourcePolicy', { policyName: physicalId }),
};
