/** What a role must be allowed beside its rights on groups, where one gets a launch template. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployer, regional, trust } from './region-world.ts';
import { images } from './world.ts';

const ec2 = (resource: string) => `arn:aws:ec2:us-east-1:123456789012:${resource}`;
const role = 'arn:aws:iam::123456789012:role/web';
const groups = {
  Action: ['autoscaling:CreateAutoScalingGroup', 'autoscaling:UpdateAutoScalingGroup'],
  Resource: 'arn:aws:autoscaling:*:*:autoScalingGroup:*:autoScalingGroupName/web-g*',
};
const linkedRole = {
  Action: 'iam:CreateServiceLinkedRole',
  Resource: 'arn:aws:iam::*:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling',
  Condition: { StringEquals: { 'iam:AWSServiceName': 'autoscaling.amazonaws.com' } },
};
const run = { Action: 'ec2:RunInstances' };
const pass = {
  Action: 'iam:PassRole',
  Resource: role,
  Condition: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
};
const tag = {
  Action: 'ec2:CreateTags',
  Resource: [ec2('instance/*'), ec2('volume/*')],
  Condition: { StringEquals: { 'ec2:CreateAction': 'RunInstances' } },
};

let region: Awaited<ReturnType<typeof regional>>;
let LaunchTemplateId: string;

beforeEach(async () => {
  region = await regional();
  const { ask } = region;
  const named = { InstanceProfileName: 'web', RoleName: 'web' };
  await ask('iam', 'CreateRole', {
    ...named,
    AssumeRolePolicyDocument: trust('ec2.amazonaws.com'),
  });
  await ask('iam', 'CreateInstanceProfile', named);
  await ask('iam', 'AddRoleToInstanceProfile', named);
  LaunchTemplateId = await region.template(
    'web',
    {
      InstanceType: 't3.micro',
      IamInstanceProfile: { Name: 'web' },
      SecurityGroupIds: ['sg-0123456789abcdef0'],
      MetadataOptions: { HttpTokens: 'required' },
      TagSpecifications: ['instance', 'volume'].map((ResourceType) => ({
        ResourceType,
        Tags: [{ Key: 'app', Value: 'web' }],
      })),
    },
    { TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'app', Value: 'web' }] }] },
  );
});
afterEach(() => region.close());

const create = (changes: object = {}, name = 'web-g0001') => region.group(name, changes, deployer);
const refused = {
  code: 'AccessDeniedException',
  message: 'You are not authorized to use launch template: web',
};

describe('a role that gives a group a launch template', () => {
  it('needs all that launching from it needs', async () => {
    await region.allow(groups, linkedRole, run, pass, tag);
    await create();
    await expect(create({}, 'other')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it.each([
    ['to launch', [groups, linkedRole, pass, tag]],
    ['to pass the role of its instance profile', [groups, linkedRole, run, tag]],
    ['to tag what it tags', [groups, linkedRole, run, pass]],
  ])('is refused without the right %s', async (_, statements) => {
    await region.allow(...statements);
    await expect(create()).rejects.toMatchObject(refused);
    const byId = { LaunchTemplate: { LaunchTemplateId, Version: '1' } };
    await expect(create(byId)).rejects.toMatchObject({
      message: `You are not authorized to use launch template: ${LaunchTemplateId}`,
    });
  });

  it('needs them again when it changes the template, and not when it changes anything else', async () => {
    await region.group('web-g0001');
    await region.allow(groups);
    const update = (changes: object) =>
      region.ask(
        'autoscaling',
        'UpdateAutoScalingGroup',
        { AutoScalingGroupName: 'web-g0001', ...changes },
        deployer,
      );
    await update({ MaxSize: 2 });
    await expect(update({ LaunchTemplate: { LaunchTemplateName: 'web' } })).rejects.toMatchObject(refused);
  });

  it("makes the service-linked role, where it is the account's first group", async () => {
    await region.allow(groups, run, pass, tag);
    await expect(create()).rejects.toMatchObject({
      message: expect.stringContaining('not authorized to perform: iam:CreateServiceLinkedRole') as unknown,
    });
    await region.group('web-g0001');
    await create({}, 'web-g0002');
  });

  it('can be held to images, networks, types and templates', async () => {
    const within = (changes: { type?: string; image?: string | undefined; app?: string }) => [
      {
        ...run,
        Resource: [
          ec2(`subnet/${region.subnetId}`),
          ec2('security-group/sg-0123456789abcdef0'),
          ec2('network-interface/*'),
          ec2('volume/*'),
          `arn:aws:ec2:us-east-1::image/${changes.image ?? images[0]}`,
        ],
      },
      {
        ...run,
        Resource: ec2('instance/*'),
        Condition: {
          StringEquals: {
            'ec2:InstanceType': changes.type ?? 't3.micro',
            'ec2:MetadataHttpTokens': 'required',
            'aws:RequestTag/app': 'web',
          },
          ArnLike: { 'ec2:LaunchTemplate': ec2('launch-template/*') },
        },
      },
      {
        ...run,
        Resource: ec2('launch-template/*'),
        Condition: { StringEquals: { 'ec2:ResourceTag/app': changes.app ?? 'web' } },
      },
    ];
    for (const changes of [{ type: 't3.large' }, { image: images[1] }, { app: 'api' }]) {
      await region.allow(groups, linkedRole, pass, tag, ...within(changes));
      await expect(create()).rejects.toMatchObject(refused);
    }
    await region.allow(groups, linkedRole, pass, tag, ...within({}));
    await create();
  });
});

it('a template with a profile that nobody has is no template to launch from', async () => {
  await region.template('stray', { IamInstanceProfile: { Name: 'stray' } });
  await expect(
    region.group('web-g0001', { LaunchTemplate: { LaunchTemplateName: 'stray' } }),
  ).rejects.toThrow(
    'You must use a valid fully-formed launch template. ' +
      'Value (stray) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name',
  );
});

describe('a launch template', () => {
  const addVersion = (name: string) =>
    region.ask(
      'ec2',
      'CreateLaunchTemplateVersion',
      { LaunchTemplateName: name, LaunchTemplateData: { InstanceType: 't3.large' } },
      deployer,
    );

  it('is changed by who may change those with its tags, also when it is named', async () => {
    await region.template('api');
    await region.allow({
      Action: 'ec2:CreateLaunchTemplateVersion',
      Condition: { StringEquals: { 'aws:ResourceTag/app': 'web' } },
    });
    await addVersion('web');
    await expect(addVersion('api')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('is tagged at its making by who may tag it then, with the tags that they may give', async () => {
    const TagSpecifications = (...keys: string[]) => [
      { ResourceType: 'launch-template', Tags: keys.map((Key) => ({ Key, Value: 'x' })) },
    ];
    const make = (name: string, ...keys: string[]) =>
      region.ask(
        'ec2',
        'CreateLaunchTemplate',
        {
          LaunchTemplateName: name,
          LaunchTemplateData: { InstanceType: 't3.micro' },
          TagSpecifications: TagSpecifications(...keys),
        },
        deployer,
      );
    const own = { Action: 'ec2:CreateLaunchTemplate' };
    await region.allow(own);
    await expect(make('one', 'app')).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await region.allow(own, {
      Action: 'ec2:CreateTags',
      Resource: ec2('launch-template/*'),
      Condition: {
        StringEquals: { 'ec2:CreateAction': 'CreateLaunchTemplate' },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['app', 'team'] },
      },
    });
    await make('one', 'app', 'team');
    await expect(make('two', 'app', 'owner')).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});
