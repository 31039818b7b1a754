/** What instances of a generation are launched from, made of the service's launch template or of another generation's. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { generationTemplate, imageIn } from '../../functions/aws/asg-template.ts';
import { type AsgSettings, readAsg } from '../../functions/core/fleet/asg-settings.ts';
import { digest } from '../../functions/core/names.ts';
import { blue, generationOf, green, settingsOf } from '../core/examples.ts';

const fleet = {
  kind: 'asg',
  unit: 'instance',
  launchTemplate: 'lt-0123456789abcdef0',
  launchTemplateVersion: '1',
  subnets: ['subnet-1'],
};
const settings = settingsOf({ fleet });
const asg = (environment: string | null = null): AsgSettings => ({ ...readAsg(settings), environment });
const first = generationOf(1, blue);
const again = { ...generationOf(12, green), digest: first.digest };
const image = `${settings.repositoryUri}@${first.digest}`;
const ami = { ...first, digest: digest.parse('ami-0123456789abcdef0') };

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
const made = (
  source: ResponseLaunchTemplateData,
  environment: string | null = null,
  generation = first,
  copyOf: typeof first | null = null,
) => generationTemplate(source, settings, asg(environment), generation, copyOf);
const words = (...given: Parameters<typeof made>) =>
  Buffer.from(made(...given).UserData ?? '', 'base64').toString();
const tagsOn = (kind: string, ...given: Parameters<typeof made>) => {
  const found = made(...given).TagSpecifications?.find(({ ResourceType }) => ResourceType === kind);
  return Object.fromEntries((found?.Tags ?? []).map(({ Key = '', Value }) => [Key, Value]));
};

describe('in user data', () => {
  it.each<[string, string | null, string]>([
    ['run {cutover:image}', null, `run ${image}`],
    ['{cutover:service} {cutover:generation} {cutover:service}', null, 'web web-g0001 web'],
    ['in "{cutover:environment}"', 'prod', 'in "prod"'],
    ['in "{cutover:environment}"', null, 'in ""'],
    ['in {cutover:environment}', 'Köln ☂', 'in Köln ☂'],
    ['in {cutover:environment}', "$& $$ $'", "in $& $$ $'"],
    ['in {cutover:environment}', '{cutover:generation}', 'in {cutover:generation}'],
    ['{cutover:environment}1 {cutover:image}', 'qa', `qa1 ${image}`],
    ['# Größe {cutover:generation}', null, '# Größe web-g0001'],
    ['{cutover:nothing} ${cutover} {image}', null, '{cutover:nothing} ${cutover} {image}'],
  ])('%s (%s) becomes %s', (text, environment, expected) => {
    expect(words({ UserData: base64(text) }, environment)).toBe(expected);
  });

  it('what is no text stays byte by byte', () => {
    const bytes = Buffer.concat([
      gzipSync('#!/bin/sh\nrun'),
      Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    ]);
    expect(made({ UserData: base64(bytes) }).UserData).toBe(base64(bytes));
    const zipped = made({ UserData: base64(gzipSync('run me')) }).UserData ?? '';
    expect(gunzipSync(Buffer.from(zipped, 'base64')).toString()).toBe('run me');
  });

  it('of a template without any there is none', () => {
    expect(made({})).not.toHaveProperty('UserData');
  });
});

describe('a copy of another generation', () => {
  const source = made(
    { UserData: base64('run {cutover:image} as {cutover:generation} in {cutover:environment}') },
    'prod',
  );

  it('bears its own name, and is told all else as that one was', () => {
    expect(words(source, 'prod', again, first)).toBe(`run ${image} as web-g0012 in prod`);
    expect(tagsOn('instance', source, 'prod', again, first)).toEqual({
      'cutover:service': 'web',
      'cutover:generation': 'web-g0012',
      'cutover:image': image,
      'cutover:environment': 'prod',
    });
  });

  it('does not take longer names for its own', () => {
    const text = 'web-g0001 web-g00010 prod-web-g0001 x/web-g0001.';
    expect(words({ UserData: base64(text) }, null, again, first)).toBe(
      'web-g0012 web-g00010 prod-web-g0012 x/web-g0012.',
    );
  });

  it('runs and says the environment that its user data names, whatever the service declares by now', () => {
    expect(words(source, 'qa', again, first)).toBe(`run ${image} as web-g0012 in prod`);
    expect(tagsOn('instance', source, 'qa', again, first)).toMatchObject({ 'cutover:environment': 'prod' });
  });

  it('runs the image by the name that it has by now, as its tags say', () => {
    const moved = settingsOf({ fleet, repositoryUri: 'new.example/web' });
    const { UserData = '' } = generationTemplate(source, moved, asg('prod'), again, first);
    expect(Buffer.from(UserData, 'base64').toString()).toBe(
      `run new.example/web@${first.digest} as web-g0012 in prod`,
    );
  });
});

describe('tags', () => {
  const owner = { 'cutover:service': 'web', 'cutover:generation': 'web-g0001', 'cutover:image': image };

  it.each(['instance', 'volume'])('of each %s say what it is', (kind) => {
    expect(tagsOn(kind, {})).toEqual(owner);
    expect(tagsOn(kind, {}, 'prod')).toEqual({ ...owner, 'cutover:environment': 'prod' });
  });

  it("of the service's template stay, but those that are ours", () => {
    const given = [
      { Key: 'team', Value: 'shop' },
      { Key: 'cutover:generation', Value: 'web-g0099' },
    ];
    const source: ResponseLaunchTemplateData = {
      TagSpecifications: [
        { ResourceType: 'instance', Tags: given },
        { ResourceType: 'network-interface', Tags: given },
      ],
    };
    expect(tagsOn('instance', source)).toEqual({ team: 'shop', ...owner });
    expect(tagsOn('volume', source)).toEqual(owner);
    expect(tagsOn('network-interface', source)).toEqual({ team: 'shop', 'cutover:generation': 'web-g0099' });
  });

  it('tell the image again, of what is ours alone', () => {
    const content = made({}) as ResponseLaunchTemplateData;
    expect(imageIn(content, settings, first)).toBe(image);
    expect(imageIn(content, settings, again)).toBeUndefined();
    expect(imageIn({}, settings, first)).toBeUndefined();
  });
});

describe('a machine image', () => {
  it.each(['resolve:ssm:/golden', 'ami-fedcba98765432100', undefined])('takes the place of %s', (ImageId) => {
    expect(
      made({ ...(ImageId && { ImageId }), UserData: base64('{cutover:image}') }, null, ami),
    ).toMatchObject({
      ImageId: ami.digest,
      UserData: base64(ami.digest),
    });
    expect(tagsOn('instance', {}, null, ami)).toMatchObject({ 'cutover:image': ami.digest });
  });

  it('stays where an image of containers is deployed', () => {
    expect(made({ ImageId: 'ami-fedcba98765432100' })).toMatchObject({ ImageId: 'ami-fedcba98765432100' });
    expect(made({})).not.toHaveProperty('ImageId');
  });
});

it('all else of the template stays as it is', () => {
  const rest: ResponseLaunchTemplateData = {
    InstanceType: 't3.micro',
    KeyName: 'ops',
    EbsOptimized: false,
    SecurityGroupIds: ['sg-1'],
    IamInstanceProfile: { Arn: 'arn:aws:iam::123456789012:instance-profile/web' },
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 20, Encrypted: true } }],
    MetadataOptions: { HttpTokens: 'required' },
  };
  expect(made(rest)).toMatchObject(rest);
});
