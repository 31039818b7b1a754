/** AWS::Events::Rule */
import type { PutRuleCommandOutput, PutTargetsCommandOutput } from '@aws-sdk/client-eventbridge';
import { unlessGone } from '../gone.ts';
import type { Json } from '../json.ts';
import {
  document,
  objects,
  type Properties,
  type ResourceType,
  type Scope,
  textOf,
} from '../resource-type.ts';

const service = 'events';

async function put(
  scope: Scope,
  name: Json,
  { Targets: _targets, EventPattern, ...rest }: Properties,
): Promise<string> {
  const { RuleArn } = await scope.send<PutRuleCommandOutput>(service, 'PutRule', {
    ...rest,
    Name: name,
    EventPattern: document(EventPattern),
  });
  return RuleArn!;
}

async function putTargets(scope: Scope, rule: string, properties: Properties): Promise<void> {
  const targets = objects(properties['Targets']);
  if (targets.length === 0) return;
  const answer = await scope.send<PutTargetsCommandOutput>(service, 'PutTargets', {
    Rule: rule,
    EventBusName: properties['EventBusName'],
    Targets: targets,
  });
  const failed = answer.FailedEntries?.[0];
  if (failed !== undefined)
    throw new Error(`Target ${failed.TargetId}: ${failed.ErrorCode}: ${failed.ErrorMessage}`);
}

async function removeTargets(
  scope: Scope,
  rule: string,
  properties: Properties,
  kept: readonly Json[],
): Promise<void> {
  const ids = objects(properties['Targets'])
    .map((target) => target['Id']!)
    .filter((id) => !kept.includes(id));
  if (ids.length === 0) return;
  await scope.send(service, 'RemoveTargets', {
    Rule: rule,
    EventBusName: properties['EventBusName'],
    Ids: ids,
  });
}

export const rule: ResourceType = {
  replacedBy: ['Name', 'EventBusName'],
  nameProperty: 'Name',
  tagging: {
    service,
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ attributes }) => ({ ResourceARN: attributes['Arn']! }),
  },
  async create(scope, properties) {
    const name = textOf(properties, 'Name') ?? scope.name({ limit: 64 });
    const Arn = await put(scope, name, properties);
    scope.exists(name);
    await putTargets(scope, name, properties);
    return { physicalId: name, attributes: { Arn } };
  },
  async update(scope, properties, current) {
    await put(scope, current.physicalId, properties);
    const kept = objects(properties['Targets']).map((target) => target['Id']!);
    await removeTargets(scope, current.physicalId, current.properties, kept);
    await putTargets(scope, current.physicalId, properties);
    return current;
  },
  async delete(scope, { physicalId, properties }) {
    await unlessGone(removeTargets(scope, physicalId, properties, []));
    await scope.send(service, 'DeleteRule', { Name: physicalId, EventBusName: properties['EventBusName'] });
  },
};
