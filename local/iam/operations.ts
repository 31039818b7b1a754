/** IAM's API for roles, as far as infrastructure code and people need it. */
import type * as Iam from '@aws-sdk/client-iam';
import { AwsError, type Operations, type Output } from '../call.ts';
import { instanceProfileOperations } from './instance-profile-operations.ts';
import { paged } from './page.ts';
import { describeRole, tag, tagsOf } from './role-description.ts';
import { type ManagedPolicy, type PolicyVersion, type Roles, readPolicy } from './roles.ts';

export function iamOperations({ roles }: { roles: Roles }): Operations {
  return {
    ...instanceProfileOperations({ roles }),

    CreateRole(input: Iam.CreateRoleCommandInput): Output<Iam.CreateRoleCommandOutput> {
      const role = roles.create(input.RoleName!, {
        trust: input.AssumeRolePolicyDocument!,
        ...(input.Path === undefined ? {} : { path: input.Path }),
        ...(input.Description === undefined ? {} : { description: input.Description }),
        ...(input.MaxSessionDuration === undefined ? {} : { maxSessionDuration: input.MaxSessionDuration }),
      });
      tag(role, input.Tags);
      return { Role: describeRole(role) };
    },

    GetRole: (input: Iam.GetRoleCommandInput): Output<Iam.GetRoleCommandOutput> => ({
      Role: describeRole(roles.get(input.RoleName!)),
    }),

    ListRoles(input: Iam.ListRolesCommandInput): Output<Iam.ListRolesCommandOutput> {
      const { items, ...page } = paged(
        roles.list().filter((role) => role.path.startsWith(input.PathPrefix ?? '/')),
        input,
      );
      return { Roles: items.map(describeRole), ...page };
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

function noSuchPolicy(name: string): AwsError {
  return new AwsError('NoSuchEntityException', `The role policy with name ${name} cannot be found.`);
}
