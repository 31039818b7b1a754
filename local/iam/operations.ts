/** IAM's API for roles, as far as infrastructure code and people need it. */
import type * as Iam from '@aws-sdk/client-iam';
import { AwsError, type Operations, type Output } from '../call.ts';
import { type ManagedPolicy, type PolicyVersion, type Role, type Roles, readPolicy } from './roles.ts';

/** IAM's default page ("MaxItems" in its API reference). */
const defaultPage = 100;

export function iamOperations({ roles }: { roles: Roles }): Operations {
  return {
    CreateRole(input: Iam.CreateRoleCommandInput): Output<Iam.CreateRoleCommandOutput> {
      const role = roles.create(input.RoleName!, {
        trust: input.AssumeRolePolicyDocument!,
        ...(input.Path === undefined ? {} : { path: input.Path }),
        ...(input.Description === undefined ? {} : { description: input.Description }),
        ...(input.MaxSessionDuration === undefined ? {} : { maxSessionDuration: input.MaxSessionDuration }),
      });
      tag(role, input.Tags);
      return { Role: describe(role) };
    },

    GetRole: (input: Iam.GetRoleCommandInput): Output<Iam.GetRoleCommandOutput> => ({
      Role: describe(roles.get(input.RoleName!)),
    }),

    ListRoles(input: Iam.ListRolesCommandInput): Output<Iam.ListRolesCommandOutput> {
      const { items, ...page } = paged(
        roles.list().filter((role) => role.path.startsWith(input.PathPrefix ?? '/')),
        input,
      );
      return { Roles: items.map(describe), ...page };
    },

    DeleteRole(input: Iam.DeleteRoleCommandInput): Output<Iam.DeleteRoleCommandOutput> {
      roles.delete(input.RoleName!);
      return {};
    },

    UpdateRole(input: Iam.UpdateRoleCommandInput): Output<Iam.UpdateRoleCommandOutput> {
      const role = roles.get(input.RoleName!);
      role.description = input.Description ?? role.description;
      role.maxSessionDuration = input.MaxSessionDuration ?? role.maxSessionDuration;
      return {};
    },

    UpdateAssumeRolePolicy(
      input: Iam.UpdateAssumeRolePolicyCommandInput,
    ): Output<Iam.UpdateAssumeRolePolicyCommandOutput> {
      roles.get(input.RoleName!).trust = readPolicy(input.PolicyDocument!, 'trust');
      return {};
    },

    PutRolePolicy(input: Iam.PutRolePolicyCommandInput): Output<Iam.PutRolePolicyCommandOutput> {
      roles.putInline(input.RoleName!, input.PolicyName!, input.PolicyDocument!);
      return {};
    },

    GetRolePolicy(input: Iam.GetRolePolicyCommandInput): Output<Iam.GetRolePolicyCommandOutput> {
      const text = roles.get(input.RoleName!).inline.get(input.PolicyName!);
      if (text === undefined) throw noSuchPolicy(input.PolicyName!);
      return {
        RoleName: input.RoleName,
        PolicyName: input.PolicyName,
        PolicyDocument: encodeURIComponent(text.document),
      };
    },

    DeleteRolePolicy(input: Iam.DeleteRolePolicyCommandInput): Output<Iam.DeleteRolePolicyCommandOutput> {
      if (!roles.get(input.RoleName!).inline.delete(input.PolicyName!)) throw noSuchPolicy(input.PolicyName!);
      return {};
    },

    ListRolePolicies(input: Iam.ListRolePoliciesCommandInput): Output<Iam.ListRolePoliciesCommandOutput> {
      const { items, ...page } = paged([...roles.get(input.RoleName!).inline.keys()].toSorted(), input);
      return { PolicyNames: items, ...page };
    },

    AttachRolePolicy(input: Iam.AttachRolePolicyCommandInput): Output<Iam.AttachRolePolicyCommandOutput> {
      roles.attach(input.RoleName!, input.PolicyArn!);
      return {};
    },

    DetachRolePolicy(input: Iam.DetachRolePolicyCommandInput): Output<Iam.DetachRolePolicyCommandOutput> {
      roles.detach(input.RoleName!, input.PolicyArn!);
      return {};
    },

    ListAttachedRolePolicies(
      input: Iam.ListAttachedRolePoliciesCommandInput,
    ): Output<Iam.ListAttachedRolePoliciesCommandOutput> {
      const { items, ...page } = paged([...roles.get(input.RoleName!).attached].toSorted(), input);
      const attached = items.map((arn) => ({
        PolicyArn: arn,
        PolicyName: arn.slice(arn.lastIndexOf('/') + 1),
      }));
      return { AttachedPolicies: attached, ...page };
    },

    TagRole(input: Iam.TagRoleCommandInput): Output<Iam.TagRoleCommandOutput> {
      tag(roles.get(input.RoleName!), input.Tags);
      return {};
    },

    UntagRole(input: Iam.UntagRoleCommandInput): Output<Iam.UntagRoleCommandOutput> {
      const role = roles.get(input.RoleName!);
      for (const key of input.TagKeys ?? []) role.tags.delete(key);
      return {};
    },

    ListRoleTags(input: Iam.ListRoleTagsCommandInput): Output<Iam.ListRoleTagsCommandOutput> {
      const { items, ...page } = paged(tagsOf(roles.get(input.RoleName!)), input);
      return { Tags: items, ...page };
    },

    CreatePolicy(input: Iam.CreatePolicyCommandInput): Output<Iam.CreatePolicyCommandOutput> {
      const policy = roles.createPolicy(input.PolicyName!, {
        document: input.PolicyDocument!,
        ...(input.Path === undefined ? {} : { path: input.Path }),
      });
      return { Policy: describePolicy(policy) };
    },

    GetPolicy: (input: Iam.GetPolicyCommandInput): Output<Iam.GetPolicyCommandOutput> => ({
      Policy: describePolicy(roles.policy(input.PolicyArn!)),
    }),

    DeletePolicy(input: Iam.DeletePolicyCommandInput): Output<Iam.DeletePolicyCommandOutput> {
      roles.deletePolicy(input.PolicyArn!);
      return {};
    },

    CreatePolicyVersion(
      input: Iam.CreatePolicyVersionCommandInput,
    ): Output<Iam.CreatePolicyVersionCommandOutput> {
      const version = roles.createPolicyVersion(input.PolicyArn!, {
        document: input.PolicyDocument!,
        asDefault: input.SetAsDefault ?? false,
      });
      return { PolicyVersion: describeVersion(roles.policy(input.PolicyArn!), version) };
    },

    GetPolicyVersion(input: Iam.GetPolicyVersionCommandInput): Output<Iam.GetPolicyVersionCommandOutput> {
      const version = roles.policyVersion(input.PolicyArn!, input.VersionId!);
      return {
        PolicyVersion: {
          ...describeVersion(roles.policy(input.PolicyArn!), version),
          Document: encodeURIComponent(version.text.document),
        },
      };
    },

    ListPolicyVersions(
      input: Iam.ListPolicyVersionsCommandInput,
    ): Output<Iam.ListPolicyVersionsCommandOutput> {
      const policy = roles.policy(input.PolicyArn!);
      const { items, ...page } = paged(policy.versions.toReversed(), input);
      return { Versions: items.map((version) => describeVersion(policy, version)), ...page };
    },

    DeletePolicyVersion(
      input: Iam.DeletePolicyVersionCommandInput,
    ): Output<Iam.DeletePolicyVersionCommandOutput> {
      roles.deletePolicyVersion(input.PolicyArn!, input.VersionId!);
      return {};
    },
  };
}

function describe(role: Role): Iam.Role {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: role.createdAt,
    // URL-encoded JSON, as the API reference says of all documents in answers.
    AssumeRolePolicyDocument: encodeURIComponent(role.trust.document),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration,
    ...(role.tags.size === 0 ? {} : { Tags: tagsOf(role) }),
  };
}

function describePolicy(policy: ManagedPolicy): Iam.Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.default.id,
    IsAttachable: true,
    CreateDate: policy.createdAt,
    UpdateDate: policy.versions.at(-1)!.createdAt,
  };
}

function describeVersion(policy: ManagedPolicy, { id, createdAt }: PolicyVersion): Iam.PolicyVersion {
  return { VersionId: id, IsDefaultVersion: policy.default.id === id, CreateDate: createdAt };
}

function tagsOf(role: Role): Iam.Tag[] {
  return [...role.tags].map(([Key, Value]) => ({ Key, Value }));
}

function tag(role: Role, tags: readonly Iam.Tag[] = []): void {
  for (const { Key, Value } of tags) role.tags.set(Key!, Value!);
}

/** `Marker` is the number of items already given. */
function paged<T>(
  all: readonly T[],
  { Marker, MaxItems = defaultPage }: { Marker?: string | undefined; MaxItems?: number | undefined },
): { items: T[]; IsTruncated: boolean; Marker?: string } {
  const start = Marker === undefined ? 0 : Number(Marker);
  if (!Number.isInteger(start)) throw new AwsError('InvalidInputException', 'Invalid Marker');
  const end = start + MaxItems;
  const more = end < all.length;
  return { items: all.slice(start, end), IsTruncated: more, ...(more ? { Marker: String(end) } : {}) };
}

function noSuchPolicy(name: string): AwsError {
  return new AwsError('NoSuchEntityException', `The role policy with name ${name} cannot be found.`);
}
