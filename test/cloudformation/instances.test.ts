/** What instances are launched from, as the CDK's constructs write it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  DescribeLaunchTemplatesCommandOutput,
  DescribeLaunchTemplateVersionsCommandOutput,
  DescribeSecurityGroupsCommandOutput,
} from '@aws-sdk/client-ec2';
import type { DescribeTargetGroupsCommandOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ListInstanceProfilesCommandOutput } from '@aws-sdk/client-iam';
import { CfnOutput, DefaultStackSynthesizer, type IStackSynthesizer, Stack, Tags } from 'aws-cdk-lib';
import {
  AmazonLinuxCpuType,
  type IMachineImage,
  InstanceType,
  type ISecurityGroup,
  type IVpc,
  LaunchTemplate,
  MachineImage,
  Port,
  SecurityGroup,
  UserData,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { ApplicationTargetGroup, TargetType } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { type IRole, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { amazonLinux } from '../../local/services/amazon-linux.ts';
import { ElasticLoadBalancing } from '../../local/services/elbv2/elastic-load-balancing.ts';
import { dataPlane } from '../autoscaling/world.ts';
import { ManualClock } from '../manual-clock.ts';
import { Account } from './account.ts';
import { newApp } from './example-app.ts';

interface Edition {
  readonly type?: string;
  readonly team?: string;
  readonly image?: IMachineImage;
}

let folder: string;
let account: Account;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'instances-'));
  const onFailure = (failure: unknown): void => {
    throw failure;
  };
  const elbv2 = new ElasticLoadBalancing({
    clock: new ManualClock(),
    metrics: { record: () => undefined },
    onFailure,
    dataPlane: () => dataPlane(new Set()),
    subnet: () => undefined,
  });
  account = new Account({ services: { elasticloadbalancing: elbv2.operations } });
});

afterEach(() => rm(folder, { recursive: true }));

const ask = <T>(service: string, operation: string, input: object = {}) =>
  account.call(service, operation, input) as Promise<T>;

const capable = { Capabilities: ['CAPABILITY_IAM'] };
const create = (body: object) => account.create(body, capable);
const update = (body: object) => account.update(body, capable);

function template({ type = 't3.micro', team = 'red', image }: Edition = {}): object {
  const app = newApp(join(folder, 'cdk.out'));
  const synthesizer = new DefaultStackSynthesizer({
    generateBootstrapVersionRule: false,
  }) as IStackSynthesizer;
  const stack = new Stack(app, 'shop', { synthesizer });
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, maxAzs: 2 }) as IVpc;
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }) as IRole;
  const balancer = new SecurityGroup(stack, 'Balancer', { vpc }) as ISecurityGroup;
  const securityGroup = new SecurityGroup(stack, 'Group', { vpc }) as ISecurityGroup;
  securityGroup.connections.allowFrom(balancer, Port.tcp(8080));
  const userData = UserData.forLinux();
  userData.addCommands('serve');
  const made = new LaunchTemplate(stack, 'Template', {
    machineImage: image ?? MachineImage.latestAmazonLinux2023({ cpuType: AmazonLinuxCpuType.ARM_64 }),
    instanceType: new InstanceType(type),
    securityGroup,
    role,
    userData,
    requireImdsv2: true,
  });
  new ApplicationTargetGroup(stack, 'Blue', { vpc, port: 8080, targetType: TargetType.INSTANCE });
  new CfnOutput(stack, 'LatestVersion', { value: made.latestVersionNumber });
  new CfnOutput(stack, 'DefaultVersion', { value: made.defaultVersionNumber });
  Tags.of(made).add('team', team);
  return app.synth().getStackByName('shop').template as object;
}

const versions = async () => {
  const { LaunchTemplates } = await ask<DescribeLaunchTemplatesCommandOutput>(
    'ec2',
    'DescribeLaunchTemplates',
  );
  const LaunchTemplateId = LaunchTemplates?.[0]?.LaunchTemplateId;
  const found = await ask<DescribeLaunchTemplateVersionsCommandOutput>(
    'ec2',
    'DescribeLaunchTemplateVersions',
    { LaunchTemplateId },
  );
  return { LaunchTemplates, versions: found.LaunchTemplateVersions ?? [] };
};

const outputs = async () =>
  Object.fromEntries(
    ((await account.settled()).Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
  );

describe('a launch template of the CDK', () => {
  it('has the public image, the profile of its role, its security group and its user data', async () => {
    const stack = await create(template());
    expect(stack.StackStatus).toBe('CREATE_COMPLETE');
    const [first] = (await versions()).versions;
    const { SecurityGroups = [] } = await ask<DescribeSecurityGroupsCommandOutput>(
      'ec2',
      'DescribeSecurityGroups',
    );
    const named = (name: string) => SecurityGroups.find(({ Description }) => Description === `shop/${name}`);
    const { InstanceProfiles: [profile] = [] } = await ask<ListInstanceProfilesCommandOutput>(
      'iam',
      'ListInstanceProfiles',
    );
    expect(profile?.Roles).toMatchObject([{ RoleName: expect.stringMatching(/^shop-Role/) as unknown }]);
    expect(first).toMatchObject({
      VersionNumber: 1,
      LaunchTemplateData: {
        ImageId: amazonLinux.find(({ architecture }) => architecture === 'arm64')?.id,
        InstanceType: 't3.micro',
        IamInstanceProfile: { Arn: profile?.Arn },
        SecurityGroupIds: [named('Group')?.GroupId],
        UserData: Buffer.from('#!/bin/bash\nserve').toString('base64'),
        MetadataOptions: { HttpTokens: 'required' },
        TagSpecifications: expect.arrayContaining([
          expect.objectContaining({
            ResourceType: 'instance',
            Tags: expect.arrayContaining([{ Key: 'team', Value: 'red' }]) as unknown,
          }),
        ]) as unknown,
      },
    });
    expect(named('Group')?.IpPermissions).toMatchObject([
      { FromPort: 8080, UserIdGroupPairs: [{ GroupId: named('Balancer')?.GroupId }] },
    ]);
    const { TargetGroups } = await ask<DescribeTargetGroupsCommandOutput>(
      'elasticloadbalancing',
      'DescribeTargetGroups',
    );
    expect(TargetGroups).toMatchObject([{ TargetType: 'instance', Port: 8080 }]);
  });

  it('gets a new version when what it launches changes; the default one stays', async () => {
    await create(template());
    expect(await outputs()).toEqual({ LatestVersion: '1', DefaultVersion: '1' });
    await update(template({ type: 't3.large' }));
    expect(await outputs()).toEqual({ LatestVersion: '2', DefaultVersion: '1' });
    const found = await versions();
    expect(found.LaunchTemplates).toHaveLength(1);
    expect(found.versions.map(({ LaunchTemplateData }) => LaunchTemplateData?.InstanceType)).toEqual([
      't3.large',
      't3.micro',
    ]);
  });

  it('takes the tags that the stack gives it later', async () => {
    await create(template());
    await update(template({ team: 'blue' }));
    const { LaunchTemplates } = await versions();
    expect(LaunchTemplates?.[0]?.Tags).toEqual([
      { Key: 'Name', Value: 'shop/Template' },
      { Key: 'team', Value: 'blue' },
    ]);
  });

  it('is gone with its stack, and so is the profile', async () => {
    await create(template());
    expect((await account.delete()).StackStatus).toBe('DELETE_COMPLETE');
    expect(await ask('ec2', 'DescribeLaunchTemplates')).toEqual({ LaunchTemplates: [] });
    expect(await ask('iam', 'ListInstanceProfiles')).toMatchObject({ InstanceProfiles: [] });
  });
});

it.each([
  ['a parameter of the stack', MachineImage.fromSsmParameter('/golden')],
  ['a dynamic reference', MachineImage.genericLinux({ 'us-east-1': '{{resolve:ssm:/golden}}' })],
])('an image that Parameter Store names is found by %s', async (_, image) => {
  await account.call('ssm', 'PutParameter', {
    Name: '/golden',
    Type: 'String',
    Value: 'ami-0123456789abcdef0',
  });
  await create(template({ image }));
  const [first] = (await versions()).versions;
  expect(first?.LaunchTemplateData?.ImageId).toBe('ami-0123456789abcdef0');
});
