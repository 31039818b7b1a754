/** Describing and deleting versions of launch templates. */
import type {
  DeleteLaunchTemplateVersionsCommandInput,
  DeleteLaunchTemplateVersionsCommandOutput,
  DeleteLaunchTemplateVersionsResponseErrorItem,
  DeleteLaunchTemplateVersionsResponseSuccessItem,
  DescribeLaunchTemplateVersionsCommandInput,
  DescribeLaunchTemplateVersionsCommandOutput,
  LaunchTemplateErrorCode,
} from '@aws-sdk/client-ec2';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { LaunchTemplate, Version } from './launch-template.ts';
import type { TemplateName } from './launch-templates.ts';
import { page } from './resources.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplateVersions.html and …DeleteLaunchTemplateVersions */
const mostPerCall = 200;

interface Templates {
  readonly all: () => LaunchTemplate[];
  readonly template: (named: TemplateName) => LaunchTemplate;
}

export function launchTemplateVersionOperations({ all, template }: Templates) {
  /** Without a template: the latest or default versions of all of them, never numbers. */
  const ofAll = (wanted: readonly string[] = []) => {
    if (wanted.length === 0)
      throw new AwsError(
        'MissingParameter',
        'Either the launch template ID or the launch template name must be specified, but not both.',
      );
    if (wanted.some((each) => each !== '$Latest' && each !== '$Default'))
      throw new AwsError(
        'InvalidParameterValue',
        'Only $Latest and $Default are allowed when no launch template is specified.',
      );
    return all().flatMap((one) => wanted.map((each) => one.describeVersion(one.version(each))));
  };

  const ofOne = (one: LaunchTemplate, input: DescribeLaunchTemplateVersionsCommandInput) => {
    const from = Number(input.MinVersion ?? 1);
    const to = Number(input.MaxVersion ?? Number.POSITIVE_INFINITY);
    const versions =
      input.Versions === undefined || input.Versions.length === 0
        ? one.versions().filter(({ number }) => number >= from && number <= to)
        : [...new Set(input.Versions.map((each) => one.version(each)))];
    return versions.map((version) => one.describeVersion(version));
  };

  return {
    DescribeLaunchTemplateVersions(
      input: DescribeLaunchTemplateVersionsCommandInput,
    ): Output<DescribeLaunchTemplateVersionsCommandOutput> {
      if ((input.Filters ?? []).length > 0 || input.ResolveAlias === true)
        throw new AwsError(
          'UnsupportedOperation',
          'Filters and ResolveAlias of DescribeLaunchTemplateVersions are not modelled by the embedded AWS',
        );
      const unnamed = input.LaunchTemplateId === undefined && input.LaunchTemplateName === undefined;
      const found = unnamed ? ofAll(input.Versions) : ofOne(template(input), input);
      const { items, ...more } = page(found, input.MaxResults ?? mostPerCall, input.NextToken);
      return { LaunchTemplateVersions: items, ...more };
    },

    /** Each version by itself: those that cannot go are told beside those that went. */
    DeleteLaunchTemplateVersions(
      input: DeleteLaunchTemplateVersionsCommandInput,
    ): Output<DeleteLaunchTemplateVersionsCommandOutput> {
      const one = template(input);
      const wanted = input.Versions ?? [];
      if (wanted.length > mostPerCall)
        throw new AwsError(
          'InvalidParameterValue',
          `At most ${mostPerCall} versions can be deleted at once.`,
        );
      const gone: DeleteLaunchTemplateVersionsResponseSuccessItem[] = [];
      const stay: DeleteLaunchTemplateVersionsResponseErrorItem[] = [];
      for (const each of wanted) {
        const version = one.find(each);
        const named = { LaunchTemplateId: one.id, LaunchTemplateName: one.name, VersionNumber: Number(each) };
        const refusal = whyNot(one, version);
        if (version !== undefined && refusal === undefined) {
          one.remove(version);
          gone.push(named);
        } else stay.push({ ...named, ...(refusal && { ResponseError: refusal }) });
      }
      return {
        SuccessfullyDeletedLaunchTemplateVersions: gone,
        UnsuccessfullyDeletedLaunchTemplateVersions: stay,
      };
    },
  } satisfies Operations;
}

/**
 * "You can't delete the default version of the launch template"
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/delete-launch-template.html); with which code is not documented: of the
 * API's six none fits but the unexpected one.
 */
function whyNot(
  template: LaunchTemplate,
  version: Version | undefined,
): { Code: LaunchTemplateErrorCode; Message: string } | undefined {
  if (version === undefined)
    return { Code: 'launchTemplateVersionDoesNotExist', Message: 'The specified version does not exist.' };
  if (template.isDefault(version))
    return {
      Code: 'unexpectedError',
      Message: 'The default version of a launch template cannot be deleted.',
    };
  return undefined;
}
