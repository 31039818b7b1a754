/** Launch templates by the real SDK client. */
import {
  CreateLaunchTemplateCommand,
  CreateLaunchTemplateVersionCommand,
  CreateTagsCommand,
  DeleteLaunchTemplateCommand,
  DeleteLaunchTemplateVersionsCommand,
  DescribeLaunchTemplatesCommand,
  DescribeLaunchTemplateVersionsCommand,
  type DescribeLaunchTemplateVersionsCommandInput,
  ModifyLaunchTemplateCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { compute } from './world.ts';

const LaunchTemplateName = 'web';
const named = { LaunchTemplateName };

function account() {
  const { client } = compute();
  return {
    client,
    create: (changes: object = {}) =>
      client.send(
        new CreateLaunchTemplateCommand({
          ...named,
          LaunchTemplateData: { ImageId: 'ami-1', InstanceType: 't3.micro' },
          ...changes,
        }),
      ),
    addVersion: (changes: object = {}) =>
      client.send(
        new CreateLaunchTemplateVersionCommand({
          ...named,
          LaunchTemplateData: { ImageId: 'ami-2' },
          ...changes,
        }),
      ),
    deleteVersions: (...Versions: string[]) =>
      client.send(new DeleteLaunchTemplateVersionsCommand({ ...named, Versions })),
    /** `2: ami-2 t3.micro` */
    versions: async (input: DescribeLaunchTemplateVersionsCommandInput = named) => {
      const { LaunchTemplateVersions = [] } = await client.send(
        new DescribeLaunchTemplateVersionsCommand(input),
      );
      return LaunchTemplateVersions.map(
        ({ VersionNumber, LaunchTemplateData: { ImageId, InstanceType } = {} }) =>
          `${VersionNumber}: ${[ImageId, InstanceType].filter(Boolean).join(' ')}`,
      );
    },
  };
}

describe('a new version', () => {
  it('has what its source has, except for what it says itself; without a source only that', async () => {
    const { create, addVersion, versions } = account();
    await create();
    await addVersion({ SourceVersion: '1' });
    await addVersion();
    await addVersion({ SourceVersion: '$Default', LaunchTemplateData: { InstanceType: 'm7g.large' } });
    expect(await versions()).toEqual([
      '4: ami-1 m7g.large',
      '3: ami-2',
      '2: ami-2 t3.micro',
      '1: ami-1 t3.micro',
    ]);
  });

  it('never takes the number of one that was deleted', async () => {
    const { create, addVersion, deleteVersions, versions } = account();
    await create();
    await addVersion();
    await deleteVersions('2');
    expect((await addVersion()).LaunchTemplateVersion?.VersionNumber).toBe(3);
    expect(await versions()).toEqual(['3: ami-2', '1: ami-1 t3.micro']);
  });

  it('is the latest, not the default, until it is made that', async () => {
    const { client, create, addVersion, versions } = account();
    await create();
    await addVersion();
    const both = { ...named, Versions: ['$Latest', '$Default'] };
    expect(await versions(both)).toEqual(['2: ami-2', '1: ami-1 t3.micro']);
    await client.send(new ModifyLaunchTemplateCommand({ ...named, DefaultVersion: '2' }));
    expect(await versions(both)).toEqual(['2: ami-2']);
    expect(await versions({ Versions: ['$Default'] })).toEqual(['2: ami-2']);
  });
});

it('versions are found by number and by range', async () => {
  const { create, addVersion, versions } = account();
  await create();
  for (let added = 0; added < 3; added += 1) await addVersion();
  expect(await versions({ ...named, Versions: ['3', '1'] })).toEqual(['3: ami-2', '1: ami-1 t3.micro']);
  expect(await versions({ ...named, MinVersion: '2', MaxVersion: '3' })).toEqual(['3: ami-2', '2: ami-2']);
});

it('of the versions to delete, the default and unknown ones stay', async () => {
  const { create, addVersion, deleteVersions, versions } = account();
  await create();
  await addVersion();
  const {
    SuccessfullyDeletedLaunchTemplateVersions: gone,
    UnsuccessfullyDeletedLaunchTemplateVersions: stay,
  } = await deleteVersions('1', '2', '7');
  expect(gone?.map(({ VersionNumber }) => VersionNumber)).toEqual([2]);
  expect(stay?.map(({ VersionNumber, ResponseError }) => [VersionNumber, ResponseError?.Code])).toEqual([
    [1, 'unexpectedError'],
    [7, 'launchTemplateVersionDoesNotExist'],
  ]);
  expect(await versions()).toEqual(['1: ami-1 t3.micro']);
});

it('a template is found by name, id and tags, until it is deleted', async () => {
  const { client, create } = account();
  const Tags = [{ Key: 'app', Value: 'web' }];
  const { LaunchTemplate } = await create({ TagSpecifications: [{ ResourceType: 'launch-template', Tags }] });
  const id = LaunchTemplate?.LaunchTemplateId ?? '';
  await create({ LaunchTemplateName: 'other' });
  await client.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'generation', Value: '7' }] }));
  const found = async (input: object) => {
    const { LaunchTemplates = [] } = await client.send(new DescribeLaunchTemplatesCommand(input));
    return LaunchTemplates.map((one) => one.LaunchTemplateName);
  };
  expect(await found({ LaunchTemplateNames: ['web'] })).toEqual(['web']);
  expect(await found({ LaunchTemplateIds: [id] })).toEqual(['web']);
  expect(await found({ Filters: [{ Name: 'tag:generation', Values: ['7'] }] })).toEqual(['web']);
  expect(await found({})).toEqual(['web', 'other']);
  expect(LaunchTemplate).toMatchObject({ LatestVersionNumber: 1, DefaultVersionNumber: 1, Tags });
  await client.send(new DeleteLaunchTemplateCommand(named));
  await expect(found({ LaunchTemplateNames: ['web'] })).rejects.toMatchObject({
    name: 'InvalidLaunchTemplateName.NotFoundException',
    message: 'The specified launch template, with template name web, does not exist.',
  });
  await create();
});

it('the same request with the same token is answered the same, another is refused', async () => {
  const { create, addVersion, versions } = account();
  await create({ ClientToken: 'create' });
  await create({ ClientToken: 'create' });
  await addVersion({ ClientToken: 'second' });
  expect((await addVersion({ ClientToken: 'second' })).LaunchTemplateVersion?.VersionNumber).toBe(2);
  await expect(addVersion({ ClientToken: 'second', VersionDescription: 'other' })).rejects.toMatchObject({
    name: 'IdempotentParameterMismatch',
  });
  expect(await versions()).toHaveLength(2);
});

it.each<[string, (world: ReturnType<typeof account>) => Promise<unknown>, string]>([
  ['a name that is taken', ({ create }) => create(), 'InvalidLaunchTemplateName.AlreadyExistsException'],
  [
    'a name of two letters',
    ({ create }) => create({ LaunchTemplateName: 'ab' }),
    'InvalidLaunchTemplateName.MalformedException',
  ],
  [
    'an unknown source',
    ({ addVersion }) => addVersion({ SourceVersion: '9' }),
    'InvalidLaunchTemplateId.VersionNotFound',
  ],
  [
    'an unknown id',
    ({ versions }) => versions({ LaunchTemplateId: 'lt-0123456789abcdef0' }),
    'InvalidLaunchTemplateId.NotFound',
  ],
  ['no id', ({ versions }) => versions({ LaunchTemplateId: 'web' }), 'InvalidLaunchTemplateId.Malformed'],
  ['numbers of all templates', ({ versions }) => versions({ Versions: ['1'] }), 'InvalidParameterValue'],
])('%s is refused', async (_, ask, name) => {
  const world = account();
  await world.create();
  await expect(ask(world)).rejects.toMatchObject({ name });
});
