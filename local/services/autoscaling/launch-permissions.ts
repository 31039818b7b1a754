/**
 * What callers need beside their rights on groups: all that a launch from the template would need of them
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html: "checked when an
 * Auto Scaling group is created or updated using a launch template", not when a version is added that `$Latest` then means).
 * What RunInstances acts on: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html.
 */
import type { LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling';
import { iamArn } from '../../account.ts';
import { AwsError, type Principal } from '../../call.ts';
import type { Authorization } from '../../iam/authorization.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import { tagContext, tagsIn } from '../../iam/request-tags.ts';
import { ec2Arn } from '../../iam/resource-arns.ts';
import type { Roles } from '../../iam/roles.ts';
import type { Context } from '../../iam/wildcard.ts';
import type { ChosenTemplate } from './platform.ts';

const service = 'autoscaling.amazonaws.com';
const linkedRole = iamArn(`role/aws-service-role/${service}/AWSServiceRoleForAutoScaling`);

export interface LaunchPermissions {
  /** The account's first group makes the service-linked role, in its creator's name. */
  makeRole(principal: Principal): void;
  /** Throws unless the caller may launch from the template, as the group that it is given to will. */
  check(principal: Principal, launch: Launch): void;
}

interface Launch {
  readonly named: LaunchTemplateSpecification;
  readonly template: ChosenTemplate;
  readonly subnets: readonly string[];
}

/** For who asks nobody. */
export const allPermitted: LaunchPermissions = { makeRole: () => undefined, check: () => undefined };

export function launchPermissions(options: {
  readonly authorizer: Authorizer;
  readonly roles: Pick<Roles, 'get' | 'instanceProfiles'>;
}): LaunchPermissions {
  const { authorizer, roles } = options;
  let roleIsMade = false;

  const allows = (principal: Principal, authorization: Authorization): boolean => {
    try {
      authorizer.authorize({ principal, ...authorization });
      return true;
    } catch (thrown) {
      if (thrown instanceof AwsError) return false;
      throw thrown;
    }
  };

  return {
    makeRole(principal) {
      if (roleIsMade) return;
      authorizer.authorize({
        principal,
        action: 'iam:CreateServiceLinkedRole',
        resources: [linkedRole],
        context: { 'iam:awsservicename': service },
      });
      roleIsMade = true;
    },

    check(principal, launch) {
      const profile = profileOf(launch, roles);
      const role = profile?.role === undefined ? undefined : roles.get(profile.role).arn;
      const needed = [
        ...launching(launch, profile?.arn),
        ...tagging(launch),
        ...(role === undefined ? [] : [passing(role)]),
      ];
      if (needed.every((each) => allows(principal, each))) return;
      const { LaunchTemplateId: id, LaunchTemplateName: name } = launch.named;
      // As in https://github.com/terraform-aws-modules/terraform-aws-eks/pull/822 and, by name, https://github.com/eksctl-io/eksctl/issues/834
      throw new AwsError(
        'AccessDeniedException',
        `You are not authorized to use launch template: ${id ?? name}`,
      );
    },
  };
}

/**
 * Words: https://github.com/aws-samples/amazon-ec2-gitlab-runner/issues/16 and
 * https://github.com/hashicorp/terraform-provider-aws/issues/4769
 */
function profileOf({ template }: Launch, { instanceProfiles }: Pick<Roles, 'instanceProfiles'>) {
  const named = template.content.IamInstanceProfile;
  if (named === undefined) return undefined;
  const profile = instanceProfiles.find(named);
  if (profile !== undefined) return profile;
  const [member, what] = named.Arn === undefined ? ['name', 'name'] : ['arn', 'ARN'];
  throw new AwsError(
    'ValidationException',
    'You must use a valid fully-formed launch template. ' +
      `Value (${named.Arn ?? named.Name}) for parameter iamInstanceProfile.${member} is invalid. Invalid IAM Instance Profile ${what}`,
  );
}

/** Each with its own keys: the type counts for the instance, whether it comes from the template for all but the group's subnets. */
function launching({ template, subnets }: Launch, profileArn: string | undefined): Authorization[] {
  const { content } = template;
  const launchTemplate = ec2Arn('launch-template', template.id);
  const common = { 'ec2:launchtemplate': launchTemplate };
  const ofTemplate = { ...common, 'ec2:islaunchtemplateresource': 'true' };
  const interfaces = content.NetworkInterfaces ?? [];
  const groups = [...(content.SecurityGroupIds ?? []), ...interfaces.flatMap(({ Groups = [] }) => Groups)];
  const run = (resources: readonly string[], context: Context): Authorization => ({
    action: 'ec2:RunInstances',
    resources,
    context,
  });
  const machine = {
    'ec2:instancetype': content.InstanceType,
    'ec2:instanceprofile': profileArn,
    'ec2:metadatahttptokens': content.MetadataOptions?.HttpTokens,
  };
  const known = Object.entries(machine).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [
    run([ec2Arn('instance', '*')], {
      ...ofTemplate,
      ...Object.fromEntries(known),
      ...tagsOf(template, 'instance'),
    }),
    run([ec2Arn('volume', '*')], { ...ofTemplate, ...tagsOf(template, 'volume') }),
    run([ec2Arn('network-interface', '*')], { ...ofTemplate, ...tagsOf(template, 'network-interface') }),
    run(
      [
        ec2Arn('image', content.ImageId ?? '*'),
        // Without one it is the default group of the network.
        ...(groups.length === 0 ? ['*'] : groups).map((id) => ec2Arn('security-group', id)),
        ...(content.KeyName === undefined ? [] : [ec2Arn('key-pair', content.KeyName)]),
      ],
      ofTemplate,
    ),
    run([launchTemplate, ...subnets.map((id) => ec2Arn('subnet', id))], common),
  ];
}

function tagsOf({ content }: ChosenTemplate, kind: string): Context {
  const specifications = (content.TagSpecifications ?? []).filter(
    ({ ResourceType }) => ResourceType === kind,
  );
  return tagContext(specifications.flatMap(({ Tags }) => tagsIn(Tags)));
}

/** "This policy is needed if there are tags specified in the launch template." */
function tagging({ template }: Launch): Authorization[] {
  const kinds = new Set((template.content.TagSpecifications ?? []).map(({ ResourceType }) => ResourceType));
  return [...kinds].map((kind = 'instance') => ({
    action: 'ec2:CreateTags',
    resources: [ec2Arn(kind, '*')],
    context: { ...tagsOf(template, kind), 'ec2:createaction': 'RunInstances' },
  }));
}

/** "require the iam:PassRole permission" of who names an instance profile. */
function passing(role: string): Authorization {
  return {
    action: 'iam:PassRole',
    resources: [role],
    context: { 'iam:passedtoservice': 'ec2.amazonaws.com' },
  };
}
