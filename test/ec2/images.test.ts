/** Machine images by the real SDK client. */
import {
  CreateImageCommand,
  CreateLaunchTemplateCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  type DescribeImagesCommandInput,
  DescribeTagsCommand,
  type Filter,
  RegisterImageCommand,
  type RegisterImageCommandInput,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { amazonLinux } from '../../local/services/amazon-linux.ts';
import { compute } from './world.ts';

const minute = 60_000;
const InstanceId = 'i-0123456789abcdef0';

function account() {
  const { client, clock, events } = compute({
    imageOf: (id) => (id === InstanceId ? amazonLinux[1]?.id : undefined),
  });
  const find = async (input: DescribeImagesCommandInput) =>
    (await client.send(new DescribeImagesCommand(input))).Images ?? [];
  return {
    client,
    clock,
    events,
    find,
    names: async (input: DescribeImagesCommandInput) => (await find(input)).map(({ Name }) => Name),
    register: async (Name: string, changes: Partial<RegisterImageCommandInput> = {}): Promise<string> => {
      const { ImageId = '' } = await client.send(
        new RegisterImageCommand({
          Name,
          Architecture: 'x86_64',
          RootDeviceName: '/dev/xvda',
          BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: 'snap-0123456789abcdef0' } }],
          ...changes,
        }),
      );
      return ImageId;
    },
    deregister: (ImageId: string) => client.send(new DeregisterImageCommand({ ImageId })),
  };
}

describe('an image', () => {
  it('is pending, then available, and told as such on the bus', async () => {
    const { register, find, events, clock } = account();
    const id = await register('web-7');
    const state = async () => (await find({ ImageIds: [id] }))[0]?.State;
    expect(await state()).toBe('pending');
    expect(events).toEqual([]);
    await clock.advance(minute);
    expect(await state()).toBe('available');
    expect(events).toEqual([
      {
        source: 'aws.ec2',
        detailType: 'EC2 AMI State Change',
        resources: [`arn:aws:ec2:us-east-1::image/${id}`],
        detail: {
          RequestId: expect.any(String) as unknown,
          ImageId: id,
          State: 'available',
          ErrorMessage: '',
        },
      },
    ]);
  });

  it('of an instance has the machine of the image that the instance runs', async () => {
    const { client, find, clock } = account();
    const { ImageId = '' } = await client.send(new CreateImageCommand({ InstanceId, Name: 'web-8' }));
    await clock.advance(5 * minute);
    const [made] = await find({ ImageIds: [ImageId] });
    expect(made).toMatchObject({
      Name: 'web-8',
      State: 'available',
      Architecture: 'arm64',
      OwnerId: '123456789012',
      ImageLocation: '123456789012/web-8',
      SourceInstanceId: InstanceId,
      Public: false,
      CreationDate: '2026-01-01T00:00:00.000Z',
    });
    expect(made?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId).toMatch(/^snap-/);
    const strange = new CreateImageCommand({ InstanceId: 'i-00000000000000000', Name: 'web-9' });
    await expect(client.send(strange)).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
  });

  it('that is deregistered is not shown any more, and after a while nobody knows it', async () => {
    const { register, deregister, find, events, clock } = account();
    const id = await register('web-7');
    await clock.advance(minute);
    await deregister(id);
    expect(events.map(({ detail }) => (detail as { State: string }).State)).toEqual([
      'available',
      'deregistered',
    ]);
    expect(await find({ ImageIds: [id] })).toEqual([]);
    await expect(deregister(id)).rejects.toMatchObject({
      name: 'InvalidAMIID.Unavailable',
      message: `The image ID '${id}' is no longer available`,
    });
    await register('web-7');
    await clock.advance(120 * minute);
    await expect(find({ ImageIds: [id] })).rejects.toMatchObject({
      name: 'InvalidAMIID.NotFound',
      message: `The image id '[${id}]' does not exist`,
    });
  });

  it('deregistered while it is pending never becomes available', async () => {
    const { register, deregister, events, clock } = account();
    await deregister(await register('web-7'));
    await clock.advance(minute);
    expect(events).toHaveLength(1);
  });

  it.each<[string, string, Partial<RegisterImageCommandInput>]>([
    ['InvalidAMIName.Duplicate', 'AMI name web-7 is already in use by AMI ami-', {}],
    ['InvalidAMIName.Malformed', 'AMI names must be between 3 and 128 characters long', { Name: 'w' }],
    ['InvalidBlockDeviceMapping', 'snapshot for the root device', { Name: 'x-1', BlockDeviceMappings: [] }],
    ['UnsupportedOperation', 'not modelled by the embedded AWS', { Name: 'x-1', ImageLocation: 'bucket/x' }],
  ])('is refused with %s', async (name, message, changes) => {
    const { register } = account();
    await register('web-7');
    await expect(register('web-7', changes)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(message) as unknown,
    });
  });
});

it('Amazon Linux is there for everyone, of both architectures, and stays', async () => {
  const { find, deregister } = account();
  const found = await find({
    Owners: ['amazon'],
    Filters: [{ Name: 'name', Values: ['al2023-ami-2023.*'] }],
  });
  expect(found).toMatchObject(
    amazonLinux.map(({ id, architecture }) => ({
      ImageId: id,
      Architecture: architecture,
      OwnerId: '137112412989',
      ImageOwnerAlias: 'amazon',
      Public: true,
    })),
  );
  expect(await find({ Owners: ['self'] })).toEqual([]);
  await expect(deregister(amazonLinux[0]?.id ?? '')).rejects.toMatchObject({ name: 'AuthFailure' });
});

it.each([
  ['ami-0', 'InvalidAMIID.Malformed', 'Invalid id: "ami-0"'],
  ['{image}', 'InvalidAMIID.Malformed', 'Invalid id: "{image}" (expecting "ami-...")'],
  ['ami-0123456789abcdef0', 'InvalidAMIID.NotFound', "The image id '[ami-0123456789abcdef0]' does not exist"],
])('of %s it is told that it is no image', async (id, name, message) => {
  await expect(account().find({ ImageIds: [id] })).rejects.toMatchObject({ name, message });
});

describe('among images', () => {
  async function three() {
    const made = account();
    const TagSpecifications = (version: string) => [
      { ResourceType: 'image' as const, Tags: [{ Key: 'version', Value: version }] },
    ];
    await made.register('web-7', { TagSpecifications: TagSpecifications('7') });
    await made.clock.advance(minute);
    await made.register('web-8', { TagSpecifications: TagSpecifications('8'), Architecture: 'arm64' });
    await made.register('api-1');
    return made;
  }

  it.each<[string, Filter[], string[]]>([
    ['a name with wildcards', [{ Name: 'name', Values: ['web-*'] }], ['web-7', 'web-8']],
    ['a state', [{ Name: 'state', Values: ['available'] }], ['web-7']],
    ['a tag', [{ Name: 'tag:version', Values: ['8', '9'] }], ['web-8']],
    ['a tag key', [{ Name: 'tag-key', Values: ['version'] }], ['web-7', 'web-8']],
    [
      'an architecture and a name',
      [
        { Name: 'architecture', Values: ['x86_64'] },
        { Name: 'name', Values: ['*-?'] },
      ],
      ['web-7', 'api-1'],
    ],
  ])('those of %s are found', async (_, Filters, expected) => {
    const { names } = await three();
    expect(await names({ Owners: ['123456789012'], Filters })).toEqual(expected);
  });

  it('all are told page by page', async () => {
    const { client } = await three();
    const page = (NextToken?: string) =>
      client.send(new DescribeImagesCommand({ Owners: ['self'], MaxResults: 2, NextToken }));
    const first = await page();
    expect(first.Images?.map(({ Name }) => Name)).toEqual(['web-7', 'web-8']);
    expect((await page(first.NextToken)).Images?.map(({ Name }) => Name)).toEqual(['api-1']);
  });
});

it('images are tagged like all else, and their tags are listed with what bears them', async () => {
  const { client, register, names } = account();
  const id = await register('web-7');
  await client.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: 'web',
      LaunchTemplateData: { InstanceType: 't3.micro' },
      TagSpecifications: [{ ResourceType: 'launch-template', Tags: [{ Key: 'app', Value: 'web' }] }],
    }),
  );
  const Tags = [
    { Key: 'app', Value: 'web' },
    { Key: 'kept', Value: 'yes' },
  ];
  await client.send(new CreateTagsCommand({ Resources: [id], Tags }));
  expect(await names({ Filters: [{ Name: 'tag:app', Values: ['web'] }] })).toEqual(['web-7']);
  const listed = async (...Filters: Filter[]) =>
    (await client.send(new DescribeTagsCommand({ Filters }))).Tags ?? [];
  expect(await listed({ Name: 'key', Values: ['app'] })).toEqual([
    {
      ResourceId: expect.stringMatching(/^lt-/) as unknown,
      ResourceType: 'launch-template',
      Key: 'app',
      Value: 'web',
    },
    { ResourceId: id, ResourceType: 'image', Key: 'app', Value: 'web' },
  ]);
  await client.send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'app' }] }));
  expect(await listed({ Name: 'resource-type', Values: ['image'] })).toMatchObject([{ Key: 'kept' }]);
});
