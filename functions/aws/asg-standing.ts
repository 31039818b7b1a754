/**
 * What stands in EC2 of a service's generations, whoever knows of them: found and believed by tags. Launch templates outlive
 * their groups.
 */
import {
  type AutoScalingClient,
  type AutoScalingGroup,
  DescribeAutoScalingGroupsCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  DeleteLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  type EC2Client,
  type LaunchTemplate,
} from '@aws-sdk/client-ec2';
import { CutoverError } from '../core/errors.ts';
import type { Standing } from '../core/fleet/orphans.ts';
import { type GenerationName, generationName, readGenerationName } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { serviceTag } from '../core/tags.ts';
import { bearsTags, isBeingDeleted } from './asg-group.ts';
import { calling, codeOf } from './failures.ts';

/** https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html */
const groupsPerPage = 100;
/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html */
const templatesPerPage = 200;

export async function standing(
  autoscaling: AutoScalingClient,
  ec2: EC2Client,
  settings: ServiceSettings,
  isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean,
): Promise<readonly Standing[]> {
  const running = (await groupsOf(autoscaling, settings)).flatMap((group): Standing[] => {
    const name = nameOf(settings, group.AutoScalingGroupName, group.Tags);
    if (name === undefined || isBeingDeleted(group)) return [];
    const arns = (group.TrafficSources ?? []).map(({ Identifier }) => Identifier);
    const slot = settings.traffic.slots.find(({ targetGroup }) => arns.includes(targetGroup))?.name ?? null;
    return [{ name, runs: true, slot, createdAt: group.CreatedTime?.getTime() ?? 0 }];
  });
  const left = (await templatesOf(ec2, settings)).flatMap((template): Standing[] => {
    const name = nameOf(settings, template.LaunchTemplateName, template.Tags);
    if (name === undefined || running.some((each) => each.name === name)) return [];
    return [{ name, runs: false, slot: null, createdAt: template.CreateTime?.getTime() ?? 0 }];
  });
  return [...running, ...left].filter(isAsked);
}

/** Takes the generation's launch template away. A repeat finds it gone. */
export async function discardTemplate(
  ec2: EC2Client,
  settings: ServiceSettings,
  name: GenerationName,
): Promise<void> {
  await calling(`deleting the launch template ${name}`, async () => {
    try {
      const { LaunchTemplates = [] } = await ec2.send(
        new DescribeLaunchTemplatesCommand({ LaunchTemplateNames: [name] }),
      );
      const [template] = LaunchTemplates;
      if (template === undefined) return;
      if (!bearsTags(template.Tags, settings, name)) {
        throw new CutoverError(
          'Cutover.Guarded',
          `a launch template ${name} exists that does not bear Cutover's tags; it is left alone. Delete it yourself`,
        );
      }
      await ec2.send(new DeleteLaunchTemplateCommand({ LaunchTemplateName: name }));
    } catch (thrown) {
      if (!/NotFound/.test(codeOf(thrown))) throw thrown;
    }
  });
}

async function groupsOf(
  client: AutoScalingClient,
  { service }: ServiceSettings,
): Promise<readonly AutoScalingGroup[]> {
  return calling(`listing the Auto Scaling groups of ${service}`, async () => {
    const groups: AutoScalingGroup[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(
        new DescribeAutoScalingGroupsCommand({
          Filters: [{ Name: `tag:${serviceTag}`, Values: [service] }],
          MaxRecords: groupsPerPage,
          ...(NextToken && { NextToken }),
        }),
      );
      groups.push(...(page.AutoScalingGroups ?? []));
      NextToken = page.NextToken;
    } while (NextToken); // Some answer the last page with an empty one.
    return groups;
  });
}

async function templatesOf(
  client: EC2Client,
  { service }: ServiceSettings,
): Promise<readonly LaunchTemplate[]> {
  return calling(`listing the launch templates of ${service}`, async () => {
    const templates: LaunchTemplate[] = [];
    let NextToken: string | undefined;
    do {
      const page = await client.send(
        new DescribeLaunchTemplatesCommand({
          Filters: [{ Name: `tag:${serviceTag}`, Values: [service] }],
          MaxResults: templatesPerPage,
          ...(NextToken && { NextToken }),
        }),
      );
      templates.push(...(page.LaunchTemplates ?? []));
      NextToken = page.NextToken;
    } while (NextToken); // Some answer the last page with an empty one.
    return templates;
  });
}

/** Undefined for what is not a generation of the service by name and by tags. */
function nameOf(
  settings: ServiceSettings,
  found: string | undefined,
  tags: Parameters<typeof bearsTags>[0],
): GenerationName | undefined {
  if (found === undefined || readGenerationName(found)?.service !== settings.service) return undefined;
  const name = generationName.parse(found);
  return bearsTags(tags, settings, name) ? name : undefined;
}
