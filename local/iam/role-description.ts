/** Roles, and the tags of roles and of what else has some, as IAM's API shows them. */
import type * as Iam from '@aws-sdk/client-iam';
import type { Role } from './roles.ts';

interface Tagged {
  readonly tags: Map<string, string>;
}

export function describeRole(role: Role): Iam.Role {
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

export function tagsOf({ tags }: Tagged): Iam.Tag[] {
  return [...tags].map(([Key, Value]) => ({ Key, Value }));
}

export function tag(tagged: Tagged, tags: readonly Iam.Tag[] = []): void {
  for (const { Key, Value } of tags) tagged.tags.set(Key!, Value!);
}
