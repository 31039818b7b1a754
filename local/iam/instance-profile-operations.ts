/** IAM's API for instance profiles. */
import type * as Iam from '@aws-sdk/client-iam';
import type { Operations, Output } from '../call.ts';
import type { InstanceProfile } from './instance-profiles.ts';
import { paged } from './page.ts';
import { describeRole, tag, tagsOf } from './role-description.ts';
import type { Roles } from './roles.ts';

export function instanceProfileOperations({ roles }: { roles: Roles }) {
  const profiles = roles.instanceProfiles;

  const describe = (profile: InstanceProfile): Iam.InstanceProfile => ({
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: profile.arn,
    CreateDate: profile.createdAt,
    Roles: profile.role === undefined ? [] : [describeRole(roles.get(profile.role))],
    ...(profile.tags.size === 0 ? {} : { Tags: tagsOf(profile) }),
  });

  const listed = (
    found: readonly InstanceProfile[],
    input: { Marker?: string | undefined; MaxItems?: number | undefined },
  ) => {
    const { items, ...page } = paged(found, input);
    return { InstanceProfiles: items.map(describe), ...page };
  };

  return {
    CreateInstanceProfile(
      input: Iam.CreateInstanceProfileCommandInput,
    ): Output<Iam.CreateInstanceProfileCommandOutput> {
      const profile = profiles.create(input.InstanceProfileName!, input.Path ?? '/');
      tag(profile, input.Tags);
      return { InstanceProfile: describe(profile) };
    },

    GetInstanceProfile: (
      input: Iam.GetInstanceProfileCommandInput,
    ): Output<Iam.GetInstanceProfileCommandOutput> => ({
      InstanceProfile: describe(profiles.get(input.InstanceProfileName!)),
    }),

    ListInstanceProfiles: (
      input: Iam.ListInstanceProfilesCommandInput,
    ): Output<Iam.ListInstanceProfilesCommandOutput> =>
      listed(
        profiles.list().filter(({ path }) => path.startsWith(input.PathPrefix ?? '/')),
        input,
      ),

    ListInstanceProfilesForRole: (
      input: Iam.ListInstanceProfilesForRoleCommandInput,
    ): Output<Iam.ListInstanceProfilesForRoleCommandOutput> =>
      listed(profiles.ofRole(roles.get(input.RoleName!).name), input),

    AddRoleToInstanceProfile(
      input: Iam.AddRoleToInstanceProfileCommandInput,
    ): Output<Iam.AddRoleToInstanceProfileCommandOutput> {
      profiles.add(input.InstanceProfileName!, roles.get(input.RoleName!).name);
      return {};
    },

    RemoveRoleFromInstanceProfile(
      input: Iam.RemoveRoleFromInstanceProfileCommandInput,
    ): Output<Iam.RemoveRoleFromInstanceProfileCommandOutput> {
      profiles.removeRole(input.InstanceProfileName!, input.RoleName!);
      return {};
    },

    DeleteInstanceProfile(
      input: Iam.DeleteInstanceProfileCommandInput,
    ): Output<Iam.DeleteInstanceProfileCommandOutput> {
      profiles.delete(input.InstanceProfileName!);
      return {};
    },

    TagInstanceProfile(
      input: Iam.TagInstanceProfileCommandInput,
    ): Output<Iam.TagInstanceProfileCommandOutput> {
      tag(profiles.get(input.InstanceProfileName!), input.Tags);
      return {};
    },

    UntagInstanceProfile(
      input: Iam.UntagInstanceProfileCommandInput,
    ): Output<Iam.UntagInstanceProfileCommandOutput> {
      const profile = profiles.get(input.InstanceProfileName!);
      for (const key of input.TagKeys ?? []) profile.tags.delete(key);
      return {};
    },
  } satisfies Operations;
}
