/** AWS::IAM::* */
import type {
  CreatePolicyCommandOutput,
  CreateRoleCommandOutput,
  ListPolicyVersionsCommandOutput,
} from '@aws-sdk/client-iam';
import { quotas } from '../../../iam/quotas.ts';
import { same } from '../changes.ts';
import { unlessGone } from '../gone.ts';
import {
  document,
  objects,
  type Properties,
  type ResourceType,
  required,
  type Scope,
  texts,
} from '../resource-type.ts';

const iam = 'iam';

async function putInline(scope: Scope, RoleName: string, policies: readonly Properties[]): Promise<void> {
  for (const policy of policies) {
    await scope.send(iam, 'PutRolePolicy', {
      RoleName,
      PolicyName: required(policy, 'PolicyName'),
      PolicyDocument: document(required(policy, 'PolicyDocument')),
    });
  }
}

async function deleteInline(scope: Scope, RoleName: string, policies: readonly Properties[]): Promise<void> {
  for (const { PolicyName } of policies) {
    await unlessGone(scope.send(iam, 'DeleteRolePolicy', { RoleName, PolicyName }));
  }
}

async function attach(scope: Scope, RoleName: string, arns: readonly string[]): Promise<void> {
  for (const PolicyArn of arns) await scope.send(iam, 'AttachRolePolicy', { RoleName, PolicyArn });
}

async function detach(scope: Scope, RoleName: string, arns: readonly string[]): Promise<void> {
  for (const PolicyArn of arns)
    await unlessGone(scope.send(iam, 'DetachRolePolicy', { RoleName, PolicyArn }));
}

export const role: ResourceType = {
  replacedBy: ['RoleName', 'Path'],
  nameProperty: 'RoleName',
  tagging: {
    service: iam,
    add: 'TagRole',
    remove: 'UntagRole',
    target: ({ physicalId }) => ({ RoleName: physicalId }),
  },
  async create(scope, { Policies, ManagedPolicyArns, ...properties }) {
    const { Role } = await scope.send<CreateRoleCommandOutput>(iam, 'CreateRole', {
      ...properties,
      RoleName: properties['RoleName'] ?? scope.name({ limit: 64 }),
      AssumeRolePolicyDocument: document(required(properties, 'AssumeRolePolicyDocument')),
    });
    const { RoleName, RoleId, Arn } = Role!;
    scope.exists(RoleName!);
    await attach(scope, RoleName!, texts(ManagedPolicyArns));
    await putInline(scope, RoleName!, objects(Policies));
    return { physicalId: RoleName!, attributes: { Arn: Arn!, RoleId: RoleId! } };
  },
  async update(scope, properties, current) {
    const RoleName = current.physicalId;
    const before = current.properties;
    const { AssumeRolePolicyDocument, Description, MaxSessionDuration } = properties;
    if (!same(AssumeRolePolicyDocument, before['AssumeRolePolicyDocument'])) {
      await scope.send(iam, 'UpdateAssumeRolePolicy', {
        RoleName,
        PolicyDocument: document(AssumeRolePolicyDocument),
      });
    }
    if (
      !same(Description, before['Description']) ||
      !same(MaxSessionDuration, before['MaxSessionDuration'])
    ) {
      await scope.send(iam, 'UpdateRole', { RoleName, Description, MaxSessionDuration });
    }
    const [had, wanted] = [texts(before['ManagedPolicyArns']), texts(properties['ManagedPolicyArns'])];
    await attach(
      scope,
      RoleName,
      wanted.filter((arn) => !had.includes(arn)),
    );
    await detach(
      scope,
      RoleName,
      had.filter((arn) => !wanted.includes(arn)),
    );
    const policies = objects(properties['Policies']);
    await putInline(scope, RoleName, policies);
    const kept = policies.map(({ PolicyName }) => PolicyName);
    await deleteInline(
      scope,
      RoleName,
      objects(before['Policies']).filter(({ PolicyName }) => !kept.includes(PolicyName!)),
    );
    return current;
  },
  async delete(scope, { physicalId, properties }) {
    await detach(scope, physicalId, texts(properties['ManagedPolicyArns']));
    await deleteInline(scope, physicalId, objects(properties['Policies']));
    await scope.send(iam, 'DeleteRole', { RoleName: physicalId });
  },
};

/** Inline policies of users and groups are left out: there are none in the embedded IAM. */
function roles(properties: Properties): string[] {
  for (const name of ['Users', 'Groups']) {
    if (texts(properties[name]).length > 0)
      throw new Error(`Properties validation failed: #/${name}: only Roles are supported`);
  }
  return texts(properties['Roles']);
}

export const policy: ResourceType = {
  replacedBy: ['PolicyName'],
  async create(scope, properties) {
    for (const RoleName of roles(properties)) {
      await putInline(scope, RoleName, [properties]);
    }
    return { physicalId: scope.name({ limit: 128 }), attributes: { Id: scope.logicalId } };
  },
  async update(scope, properties, current) {
    const wanted = roles(properties);
    for (const RoleName of wanted) await putInline(scope, RoleName, [properties]);
    for (const RoleName of roles(current.properties)) {
      if (!wanted.includes(RoleName)) await deleteInline(scope, RoleName, [current.properties]);
    }
    return current;
  },
  async delete(scope, { properties }) {
    for (const RoleName of roles(properties)) await deleteInline(scope, RoleName, [properties]);
  },
};

/** The versions that do not count, oldest first. */
async function spareVersions(scope: Scope, PolicyArn: string): Promise<readonly string[]> {
  const { Versions } = await scope.send<ListPolicyVersionsCommandOutput>(iam, 'ListPolicyVersions', {
    PolicyArn,
  });
  return (Versions ?? [])
    .filter(({ IsDefaultVersion }) => IsDefaultVersion !== true)
    .map(({ VersionId }) => VersionId ?? '')
    .toReversed();
}

export const managedPolicy: ResourceType = {
  replacedBy: ['ManagedPolicyName', 'Path', 'Description'],
  nameProperty: 'ManagedPolicyName',
  async create(scope, properties) {
    const { ManagedPolicyName, PolicyDocument, Path, Description } = properties;
    const attached = roles(properties);
    const { Policy } = await scope.send<CreatePolicyCommandOutput>(iam, 'CreatePolicy', {
      PolicyName: ManagedPolicyName ?? scope.name({ limit: 128 }),
      PolicyDocument: document(PolicyDocument),
      Path,
      Description,
    });
    const Arn = Policy!.Arn!;
    scope.exists(Arn);
    for (const RoleName of attached) await attach(scope, RoleName, [Arn]);
    return { physicalId: Arn, attributes: { PolicyArn: Arn, PolicyId: Policy!.PolicyId ?? '' } };
  },
  async update(scope, properties, current) {
    const [had, wanted] = [roles(current.properties), roles(properties)];
    if (!same(properties['PolicyDocument'], current.properties['PolicyDocument'])) {
      const PolicyArn = current.physicalId;
      const spare = await spareVersions(scope, PolicyArn);
      // CloudFormation makes room for its version: a policy can have five.
      if (spare.length + 1 >= quotas.versionsPerPolicy)
        await scope.send(iam, 'DeletePolicyVersion', { PolicyArn, VersionId: spare[0] });
      await scope.send(iam, 'CreatePolicyVersion', {
        PolicyArn,
        PolicyDocument: document(properties['PolicyDocument']),
        SetAsDefault: true,
      });
    }
    for (const RoleName of wanted.filter((name) => !had.includes(name)))
      await attach(scope, RoleName, [current.physicalId]);
    for (const RoleName of had.filter((name) => !wanted.includes(name)))
      await detach(scope, RoleName, [current.physicalId]);
    return current;
  },
  async delete(scope, current) {
    const PolicyArn = current.physicalId;
    for (const RoleName of roles(current.properties)) await detach(scope, RoleName, [PolicyArn]);
    for (const VersionId of await spareVersions(scope, PolicyArn))
      await scope.send(iam, 'DeletePolicyVersion', { PolicyArn, VersionId });
    await scope.send(iam, 'DeletePolicy', { PolicyArn });
  },
};
