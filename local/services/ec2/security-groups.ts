/** Security groups: rules are kept and shown; the embedded network itself lets everything through. */

import { isDeepStrictEqual } from 'node:util';
import type {
  AuthorizeSecurityGroupEgressCommandInput,
  AuthorizeSecurityGroupIngressCommandInput,
  CreateSecurityGroupCommandInput,
  CreateSecurityGroupCommandOutput,
  DeleteSecurityGroupCommandInput,
  DescribeSecurityGroupsCommandInput,
  DescribeSecurityGroupsCommandOutput,
  IpPermission,
  RevokeSecurityGroupEgressCommandInput,
  RevokeSecurityGroupIngressCommandInput,
  SecurityGroup,
} from '@aws-sdk/client-ec2';
import { accountId } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { filtered, page, type Random, Resources, resourceId, type TaggedKind, tagsOf } from './resources.ts';

interface GroupRecord extends SecurityGroup {
  GroupId: string;
  GroupName: string;
  IpPermissions: IpPermission[];
  IpPermissionsEgress: IpPermission[];
}

const everything: IpPermission = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] };

export class SecurityGroups {
  readonly #random: Random;
  readonly #checkVpc: (vpcId: string | undefined) => void;
  readonly #groups = new Resources<GroupRecord>('Group', 'security group');

  constructor(options: { random: Random; checkVpc: (vpcId: string | undefined) => void }) {
    this.#random = options.random;
    this.#checkVpc = options.checkVpc;
  }

  get tagged(): TaggedKind[] {
    return [this.#groups];
  }

  exists(groupId: string): boolean {
    return this.#groups.find(groupId) !== undefined;
  }

  createDefault(vpcId: string): void {
    this.#add({ GroupName: 'default', Description: 'default VPC security group', VpcId: vpcId });
  }

  removeAllOf(vpcId: string): void {
    for (const group of this.#groups.all()) if (group.VpcId === vpcId) this.#groups.remove(group.GroupId);
  }

  readonly operations: Operations = {
    CreateSecurityGroup: (
      input: CreateSecurityGroupCommandInput,
    ): Output<CreateSecurityGroupCommandOutput> => {
      this.#checkVpc(input.VpcId);
      const twin = this.#groups
        .all()
        .find(({ GroupName, VpcId }) => GroupName === input.GroupName && VpcId === input.VpcId);
      if (twin !== undefined) {
        throw new AwsError(
          'InvalidGroup.Duplicate',
          `The security group '${input.GroupName}' already exists for VPC '${input.VpcId}'`,
        );
      }
      const group = this.#add({
        GroupName: input.GroupName,
        Description: input.Description,
        VpcId: input.VpcId,
        Tags: tagsOf(input.TagSpecifications),
      });
      return { GroupId: group.GroupId, Tags: group.Tags, SecurityGroupArn: group.SecurityGroupArn };
    },

    DeleteSecurityGroup: (input: DeleteSecurityGroupCommandInput): object => {
      const group = this.#groups.get(input.GroupId);
      if (group.GroupName === 'default') {
        throw new AwsError(
          'CannotDelete',
          `the specified group: "${group.GroupId}" name: "default" cannot be deleted by a user`,
        );
      }
      this.#groups.remove(group.GroupId);
      return {};
    },

    DescribeSecurityGroups: (
      input: DescribeSecurityGroupsCommandInput,
    ): Output<DescribeSecurityGroupsCommandOutput> => {
      const found = filtered(this.#groups.chosen(input.GroupIds), input.Filters, {
        'group-id': (group) => [group.GroupId],
        'group-name': (group) => [group.GroupName],
        'vpc-id': (group) => [group.VpcId],
        description: (group) => [group.Description],
      });
      const { items: SecurityGroups, ...more } = page(found, input.MaxResults, input.NextToken);
      return { SecurityGroups, ...more };
    },

    AuthorizeSecurityGroupIngress: (input: AuthorizeSecurityGroupIngressCommandInput): object =>
      this.#authorize(this.#groups.get(input.GroupId).IpPermissions, input.IpPermissions),

    AuthorizeSecurityGroupEgress: (input: AuthorizeSecurityGroupEgressCommandInput): object =>
      this.#authorize(this.#groups.get(input.GroupId).IpPermissionsEgress, input.IpPermissions),

    RevokeSecurityGroupIngress: (input: RevokeSecurityGroupIngressCommandInput): object => {
      const group = this.#groups.get(input.GroupId);
      group.IpPermissions = without(group.IpPermissions, input.IpPermissions);
      return { Return: true };
    },

    RevokeSecurityGroupEgress: (input: RevokeSecurityGroupEgressCommandInput): object => {
      const group = this.#groups.get(input.GroupId);
      group.IpPermissionsEgress = without(group.IpPermissionsEgress, input.IpPermissions);
      return { Return: true };
    },
  };

  #add(group: SecurityGroup): GroupRecord {
    const groupId = resourceId('sg', this.#random);
    return this.#groups.add(groupId, {
      Tags: [],
      ...group,
      GroupName: group.GroupName ?? groupId,
      GroupId: groupId,
      OwnerId: accountId,
      SecurityGroupArn: `arn:aws:ec2:us-east-1:${accountId}:security-group/${groupId}`,
      IpPermissions: [],
      IpPermissionsEgress: [everything],
    });
  }

  #authorize(existing: IpPermission[], added: readonly IpPermission[] | undefined): object {
    for (const permission of added ?? []) {
      if (existing.some((other) => isDeepStrictEqual(other, permission))) {
        throw new AwsError(
          'InvalidPermission.Duplicate',
          `the specified rule "${describe(permission)}" already exists`,
        );
      }
      existing.push(permission);
    }
    return { Return: true };
  }
}

function without(permissions: IpPermission[], removed: readonly IpPermission[] | undefined): IpPermission[] {
  return permissions.filter(
    (permission) => !(removed ?? []).some((other) => isDeepStrictEqual(other, permission)),
  );
}

function describe(permission: IpPermission): string {
  const peer = permission.IpRanges?.[0]?.CidrIp ?? permission.UserIdGroupPairs?.[0]?.GroupId ?? 'peer';
  return `peer: ${peer}, ${permission.IpProtocol}, from port: ${permission.FromPort}, to port: ${permission.ToPort}, ALLOW`;
}
