/**
 * AWS::EC2::LaunchTemplate: new data make a new version, the default one stays what it is: it "cannot be specified in AWS
 * CloudFormation" (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-launchtemplate.html).
 */
import type {
  CreateLaunchTemplateCommandOutput,
  DescribeLaunchTemplatesCommandOutput,
  LaunchTemplate,
} from '@aws-sdk/client-ec2';
import { same } from '../changes.ts';
import { only } from '../only.ts';
import {
  objects,
  type Properties,
  type Provisioned,
  type ResourceType,
  required,
  type Scope,
  textOf,
} from '../resource-type.ts';

const service = 'ec2';

function provisioned(template: LaunchTemplate): Provisioned {
  const LaunchTemplateId = template.LaunchTemplateId!;
  return {
    physicalId: LaunchTemplateId,
    attributes: {
      LaunchTemplateId,
      DefaultVersionNumber: String(template.DefaultVersionNumber),
      LatestVersionNumber: String(template.LatestVersionNumber),
    },
  };
}

async function described(scope: Scope, id: string): Promise<Provisioned> {
  const { LaunchTemplates } = await scope.sendAsIs<DescribeLaunchTemplatesCommandOutput>(
    service,
    'DescribeLaunchTemplates',
    { LaunchTemplateIds: [id] },
  );
  return provisioned(LaunchTemplates![0]!);
}

function tagsOf(properties: Properties): Properties[] {
  return objects(properties['TagSpecifications']).flatMap(({ Tags }) => objects(Tags));
}

/** "No interruption": https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-ec2-launchtemplate-launchtemplatetagspecification.html */
async function retag(scope: Scope, id: string, before: Properties, after: Properties): Promise<void> {
  const Tags = tagsOf(after);
  const gone = tagsOf(before).filter(({ Key }) => !Tags.some((tag) => tag['Key'] === Key));
  const Resources = [id];
  if (gone.length > 0)
    await scope.sendAsIs(service, 'DeleteTags', { Resources, Tags: gone.map(({ Key }) => ({ Key })) });
  if (Tags.length > 0) await scope.sendAsIs(service, 'CreateTags', { Resources, Tags });
}

export const launchTemplate: ResourceType = {
  replacedBy: ['LaunchTemplateName'],
  nameProperty: 'LaunchTemplateName',
  async create(scope, properties) {
    only(properties, 'LaunchTemplateName', 'LaunchTemplateData', 'TagSpecifications', 'VersionDescription');
    const { LaunchTemplate } = await scope.sendAsIs<CreateLaunchTemplateCommandOutput>(
      service,
      'CreateLaunchTemplate',
      {
        LaunchTemplateName: textOf(properties, 'LaunchTemplateName') ?? scope.name({ limit: 128 }),
        LaunchTemplateData: required(properties, 'LaunchTemplateData'),
        VersionDescription: textOf(properties, 'VersionDescription'),
        TagSpecifications: properties['TagSpecifications'],
      },
    );
    return provisioned(LaunchTemplate!);
  },
  async update(scope, properties, current) {
    const id = current.physicalId;
    const before = current.properties;
    const changed = (name: string): boolean => !same(properties[name], before[name]);
    if (changed('LaunchTemplateData') || changed('VersionDescription')) {
      await scope.sendAsIs(service, 'CreateLaunchTemplateVersion', {
        LaunchTemplateId: id,
        LaunchTemplateData: required(properties, 'LaunchTemplateData'),
        VersionDescription: textOf(properties, 'VersionDescription'),
      });
    }
    if (changed('TagSpecifications')) await retag(scope, id, before, properties);
    return described(scope, id);
  },
  delete: (scope, { physicalId }) =>
    scope.sendAsIs(service, 'DeleteLaunchTemplate', { LaunchTemplateId: physicalId }),
};
