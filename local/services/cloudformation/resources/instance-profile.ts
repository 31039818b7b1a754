/** AWS::IAM::InstanceProfile */
import type { CreateInstanceProfileCommandOutput } from '@aws-sdk/client-iam';
import { unlessGone } from '../gone.ts';
import { only } from '../only.ts';
import { type Properties, type ResourceType, type Scope, texts } from '../resource-type.ts';

const iam = 'iam';

async function add(scope: Scope, InstanceProfileName: string, properties: Properties): Promise<void> {
  for (const RoleName of texts(properties['Roles']))
    await scope.send(iam, 'AddRoleToInstanceProfile', { InstanceProfileName, RoleName });
}

async function remove(scope: Scope, InstanceProfileName: string, properties: Properties): Promise<void> {
  for (const RoleName of texts(properties['Roles']))
    await unlessGone(scope.send(iam, 'RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName }));
}

export const instanceProfile: ResourceType = {
  replacedBy: ['InstanceProfileName', 'Path'],
  nameProperty: 'InstanceProfileName',
  async create(scope, properties) {
    only(properties, 'InstanceProfileName', 'Path', 'Roles');
    const { InstanceProfile } = await scope.send<CreateInstanceProfileCommandOutput>(
      iam,
      'CreateInstanceProfile',
      {
        InstanceProfileName: properties['InstanceProfileName'] ?? scope.name({ limit: 128 }),
        Path: properties['Path'],
      },
    );
    const { InstanceProfileName, Arn } = InstanceProfile!;
    scope.exists(InstanceProfileName!);
    await add(scope, InstanceProfileName!, properties);
    return { physicalId: InstanceProfileName!, attributes: { Arn: Arn! } };
  },
  /** It holds one role: the old one goes first. */
  async update(scope, properties, current) {
    await remove(scope, current.physicalId, current.properties);
    await add(scope, current.physicalId, properties);
    return current;
  },
  async delete(scope, { physicalId, properties }) {
    await remove(scope, physicalId, properties);
    await scope.send(iam, 'DeleteInstanceProfile', { InstanceProfileName: physicalId });
  },
};
