/** EC2 Auto Scaling, for the suite. */
import {
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  DescribePoliciesCommand,
  DescribeScheduledActionsCommand,
  SetDesiredCapacityCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
} from '@aws-sdk/client-ec2';
import { AsgFleet } from '../../functions/aws/asg-fleet.ts';
import { AsgScaling } from '../../functions/aws/asg-scaling.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { images } from '../autoscaling/world.ts';
import { settingsOf } from '../core/examples.ts';
import type { Kind } from './kind.ts';
import { fleetRegion } from './region.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');
const userData = (template: string) =>
  base64(`#!/bin/sh ${template}\nrun {cutover:image} {cutover:generation}\n`);
const content = { ImageId: images[0], InstanceType: 't3.micro', UserData: userData('old') } as const;
const tagsOf = (tags: readonly { Key?: string | undefined; Value?: string | undefined }[] = []) =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

export async function asgKind() {
  const region = await fleetRegion('instance');
  const { autoscaling, ec2, traffic } = region;
  const template = async (name: string, changes: object = {}): Promise<string> => {
    const { LaunchTemplate } = await ec2.send(
      new CreateLaunchTemplateCommand({
        LaunchTemplateName: name,
        LaunchTemplateData: { ...content, ...changes },
      }),
    );
    return LaunchTemplate?.LaunchTemplateId ?? '';
  };
  const fleet = {
    kind: 'asg',
    unit: 'instance',
    launchTemplate: await template('web'),
    launchTemplateVersion: '1',
    subnets: region.subnets,
  };
  const scaling = {
    minimum: 2,
    maximum: 6,
    policies: [
      { name: 'cpu', metric: 'cpu', target: 60 },
      { name: 'requests', metric: 'requestsPerTarget', target: 500 },
    ],
    schedule: [{ name: 'morning', recurrence: '10 0 * * *', minimum: 4 }],
  };
  const group = async ({ name }: Generation) => {
    const { AutoScalingGroups = [] } = await autoscaling.send(
      new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }),
    );
    return AutoScalingGroups.find(({ Status }) => Status === undefined);
  };
  const templateOf = async ({ name }: Generation) => {
    const filter = { Name: 'launch-template-name', Values: [name] };
    const { LaunchTemplates = [] } = await ec2.send(
      new DescribeLaunchTemplatesCommand({ Filters: [filter] }),
    );
    return LaunchTemplates[0];
  };
  const kind: Kind = {
    region,
    fleet: new AsgFleet(autoscaling, ec2),
    scaling: new AsgScaling(autoscaling, () => region.clock.now()),
    settings: settingsOf({ fleet, traffic }),
    scaled: settingsOf({ fleet: { ...fleet, scaling }, traffic }),
    newer: settingsOf({
      fleet: { ...fleet, launchTemplate: await template('web-newer', { UserData: userData('new') }) },
      traffic,
    }),
    creation: 'CreateAutoScalingGroup',
    made: async (generation) => {
      const { LaunchTemplate } = (await group(generation)) ?? {};
      const { LaunchTemplateVersions = [] } = await ec2.send(
        new DescribeLaunchTemplateVersionsCommand({
          LaunchTemplateId: LaunchTemplate?.LaunchTemplateId,
          Versions: [LaunchTemplate?.Version ?? ''],
        }),
      );
      const { UserData = '' } = LaunchTemplateVersions[0]?.LaunchTemplateData ?? {};
      const words = Buffer.from(UserData, 'base64').toString().split(/\s/);
      return { image: words[3], template: words[1] };
    },
    tags: async (generation) => {
      const [running, made] = await Promise.all([group(generation), templateOf(generation)]);
      return [running && tagsOf(running.Tags), made && tagsOf(made.Tags)];
    },
    squat: async ({ name }) => {
      await autoscaling.send(
        new CreateAutoScalingGroupCommand({
          AutoScalingGroupName: name,
          LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' },
          MinSize: 1,
          MaxSize: 1,
          VPCZoneIdentifier: region.subnets.join(','),
        }),
      );
    },
    squatTemplate: async ({ name }) => void (await template(name)),
    scaleTo: async ({ name }, DesiredCapacity) => {
      await autoscaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: name, DesiredCapacity }));
    },
    policies: async ({ name }) => {
      const { ScalingPolicies = [] } = await autoscaling.send(
        new DescribePoliciesCommand({ AutoScalingGroupName: name }),
      );
      return ScalingPolicies.map(({ PolicyName, TargetTrackingConfiguration: tracking }) => {
        const label = tracking?.PredefinedMetricSpecification?.ResourceLabel?.split('/')[4];
        return [PolicyName, tracking?.TargetValue, label].filter((each) => each !== undefined).join(' ');
      });
    },
    schedule: async ({ name }) => {
      const { ScheduledUpdateGroupActions = [] } = await autoscaling.send(
        new DescribeScheduledActionsCommand({ AutoScalingGroupName: name }),
      );
      return ScheduledUpdateGroupActions.map(
        ({ ScheduledActionName, MinSize }) => `${ScheduledActionName} ${MinSize}`,
      );
    },
  };
  return { ...kind, group, template };
}
