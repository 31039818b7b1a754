/** AWS::SSM::Parameter. SecureString is refused, as CloudFormation does. */

import { isObject, type JsonObject } from '../json.ts';
import {
  type Properties,
  type Provisioned,
  type ResourceType,
  requiredText,
  type Scope,
  textOf,
} from '../resource-type.ts';

const service = 'ssm';

async function put(
  scope: Scope,
  name: string,
  { Tags, ...properties }: Properties,
  overwrite: boolean,
): Promise<Provisioned> {
  const Type = requiredText(properties, 'Type');
  if (Type === 'SecureString')
    throw new Error('SSM Secure reference is not supported in: [AWS::SSM::Parameter/Type]');
  const tags = isObject(Tags)
    ? Object.entries(Tags as JsonObject).map(([Key, Value]) => ({ Key, Value }))
    : undefined;
  await scope.send(service, 'PutParameter', {
    ...properties,
    Name: name,
    ...(overwrite ? { Overwrite: true } : { Tags: tags }),
  });
  return { physicalId: name, attributes: { Type, Value: requiredText(properties, 'Value') } };
}

export const parameter: ResourceType = {
  replacedBy: ['Name'],
  nameProperty: 'Name',
  tagging: {
    service,
    add: 'AddTagsToResource',
    remove: 'RemoveTagsFromResource',
    target: ({ physicalId }) => ({ ResourceType: 'Parameter', ResourceId: physicalId }),
  },
  create: (scope, properties) =>
    put(scope, textOf(properties, 'Name') ?? scope.name({ limit: 512 }), properties, false),
  update: (scope, properties, { physicalId }) => put(scope, physicalId, properties, true),
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteParameter', { Name: physicalId }),
};
