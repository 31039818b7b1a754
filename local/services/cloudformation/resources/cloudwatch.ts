/** AWS::CloudWatch::* */
import { arn } from '../../../account.ts';
import {
  type Properties,
  type Provisioned,
  type ResourceType,
  requiredText,
  type Scope,
} from '../resource-type.ts';

async function put(scope: Scope, properties: Properties, name: string): Promise<Provisioned> {
  await scope.send('monitoring', 'PutMetricAlarm', { ...properties, AlarmName: name });
  return { physicalId: name, attributes: { Arn: arn('cloudwatch', `alarm:${name}`) } };
}

export const alarm: ResourceType = {
  replacedBy: ['AlarmName'],
  nameProperty: 'AlarmName',
  tagging: {
    service: 'monitoring',
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ attributes }) => ({ ResourceARN: attributes['Arn']! }),
  },
  create: (scope, properties) =>
    put(
      scope,
      properties,
      properties['AlarmName'] === undefined
        ? scope.name({ limit: 255 })
        : requiredText(properties, 'AlarmName'),
    ),
  update: (scope, properties, { physicalId }) => put(scope, properties, physicalId),
  delete: (scope, { physicalId }) => scope.send('monitoring', 'DeleteAlarms', { AlarmNames: [physicalId] }),
};
