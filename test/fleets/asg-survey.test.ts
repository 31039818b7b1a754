/** What is told of EC2 before instances are launched, by the real clients on the embedded AWS. */
import { DescribeImagesCommand, type RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { objectionsToLaunchTemplate } from '../../functions/aws/asg-objections.ts';
import { AsgSurvey } from '../../functions/aws/asg-survey.ts';
import { readAsg } from '../../functions/core/fleet/asg-settings.ts';
import { AwsError } from '../../local/call.ts';
import { images } from '../autoscaling/world.ts';
import { settingsOf } from '../core/examples.ts';
import { asgKind } from './asg-kind.ts';

let kind: Awaited<ReturnType<typeof asgKind>>;
let survey: AsgSurvey;
beforeEach(async () => {
  kind = await asgKind();
  const { region } = kind;
  survey = new AsgSurvey({ ...region, now: () => region.clock.now() });
});
afterEach(() => kind.region.close());

const base64 = (text: string) => Buffer.from(text).toString('base64');
const UserData = base64('run {cutover:image}');
const again = "and deploy the service's stack again";

/** A survey of a service with such a template. */
const look = async (content: RequestLaunchTemplateData, changes: Record<string, unknown> = {}) => {
  const launchTemplate = await kind.template('other', { UserData, ...content });
  const { fleet, traffic } = kind.settings;
  return survey.survey(settingsOf({ fleet: { ...fleet, launchTemplate, ...changes }, traffic }));
};
const words = async (...given: Parameters<typeof look>) =>
  (await look(...given)).objections.map(
    ({ severity, check, words: said }) =>
      `${severity} ${check}: ${said.replaceAll(/lt-[0-9a-f]+/g, 'LT').replaceAll(/ami-[0-9a-f]{17}/g, 'AMI')}`,
  );

/** The image for machines of that architecture. */
const imageFor = async (architecture: string): Promise<string> => {
  const { Images = [] } = await kind.region.ec2.send(new DescribeImagesCommand({ ImageIds: [...images] }));
  return Images.find(({ Architecture }) => Architecture === architecture)?.ImageId ?? '';
};

describe('a survey', () => {
  it('tells what an instance is, where there is room, and the quota, with nothing to object', async () => {
    const ImageId = await imageFor('x86_64');
    expect(await look({ ImageId, InstanceType: 't3.micro' })).toEqual({
      objections: [],
      task: { platform: { os: 'linux', architecture: 'amd64' }, size: 2 },
      places: { value: [expect.objectContaining({ free: 251 }), expect.objectContaining({ free: 251 })] },
      quota: { value: expect.objectContaining({ unit: 'vCPU', limit: expect.any(Number) }) },
    });
  });

  it('objects to an AMI for other machines, and to one that is gone', async () => {
    const ImageId = await imageFor('x86_64');
    expect(await words({ ImageId, InstanceType: 't4g.micro' })).toEqual([
      `refuse template: the AMI AMI is for x86_64, and a t4g.micro runs arm64. Name another type or another AMI, ${again}`,
    ]);
  });

  it('objects to an AMI that is gone, but not where AMIs are deployed', async () => {
    const gone = { ImageId: 'ami-0123456789abcdef0', InstanceType: 't3.micro' } as const;
    expect(await words(gone)).toEqual([
      `refuse template: the AMI AMI of the launch template does not exist (any more), is not available, or is not shared with this account. Name another one, ${again}`,
    ]);
    const launchTemplate = await kind.template('golden', gone);
    const { fleet, traffic } = kind.settings;
    const golden = settingsOf({ repository: 'ami:self', fleet: { ...fleet, launchTemplate }, traffic });
    expect((await survey.survey(golden)).objections).toEqual([]);
  });

  it('says so where EC2 chooses the type', async () => {
    const InstanceRequirements = { VCpuCount: { Min: 2 }, MemoryMiB: { Min: 1_024 } };
    const { task, objections } = await look({ InstanceType: undefined, InstanceRequirements });
    expect(task).toBeUndefined();
    expect(objections).toMatchObject([{ severity: 'warn', check: 'template' }]);
  });

  it('objects to a template, a version and a subnet that are gone', async () => {
    const gone = "does not exist (any more). Deploy the service's stack again";
    expect(await words({}, { launchTemplate: 'lt-0123456789abcdef0' })).toEqual([
      `refuse template: the launch template LT, version 1, ${gone}`,
    ]);
    const { fleet, traffic } = kind.settings;
    const changed = { ...fleet, launchTemplateVersion: '9', subnets: ['subnet-0'] };
    const { objections } = await survey.survey(settingsOf({ fleet: changed, traffic }));
    expect(objections).toMatchObject([
      { check: 'template', words: expect.stringContaining('version 9, does not exist') },
      { check: 'addresses', words: expect.stringContaining('subnet-0') },
    ]);
  });

  it.each(['UnauthorizedOperation', 'RequestLimitExceeded'])(
    'passes nothing that was not read: %s',
    async (code) => {
      const InstanceType = 't3.micro';
      let broken = '';
      kind.region.calls.hook({
        before: ({ operation, service }) => {
          if (operation === broken || (broken === 'quota' && /servicequotas|monitoring/.test(service)))
            throw new AwsError(code, 'not now');
        },
      });
      const settings = kind.settings;
      const told = async (operation: string) => {
        broken = operation;
        return survey.survey(settings);
      };
      for (const [operation, what] of [
        ['DescribeLaunchTemplateVersions', 'the launch template'],
        ['DescribeInstanceTypes', `the instance type ${InstanceType}`],
        ['DescribeImages', `the AMI ${images[0]}`],
      ] as const) {
        const { objections } = await told(operation);
        expect(objections).toMatchObject([
          {
            severity: 'warn',
            check: 'template',
            words: expect.stringMatching(`^${what}.* not checked: .*${code}`),
          },
        ]);
      }
      expect((await told('DescribeSubnets')).places).toEqual({ unread: expect.stringContaining(code) });
      expect((await told('quota')).quota).toEqual({ unread: expect.stringContaining(code) });
    },
  );

  it.each([
    ['g5.xlarge', {}],
    ['t3.micro', { InstanceMarketOptions: { MarketType: 'spot' } }],
  ] as const)('tells no quota of a %s %j', async (InstanceType, more) => {
    expect((await look({ InstanceType, ...more })).quota).toEqual({
      unread: expect.stringContaining('on-demand instances of the standard families'),
    });
  });
});

describe('a launch template', () => {
  const fit: RequestLaunchTemplateData = { ImageId: images[0], InstanceType: 't3.micro', UserData };
  const told = (changes: object, repository = 'shop/web') => {
    const settings = settingsOf({ repository, fleet: { ...kind.settings.fleet, launchTemplate: 'lt-1' } });
    return objectionsToLaunchTemplate({ ...(fit as object), ...changes }, readAsg(settings), settings).map(
      ({ severity, check, words: said }) =>
        `${severity} ${check}: ${said.replace('the launch template lt-1 ', '')}`,
    );
  };
  const uri = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web';
  const known = '{cutover:image}, {cutover:environment}, {cutover:service}, {cutover:generation}';

  it('is fit as it is', () => {
    expect(told({})).toEqual([]);
    expect(told({ UserData: base64(`docker pull {cutover:image} # ${'x'.repeat(15_800)}`) })).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'by a name',
      { ImageId: 'resolve:ssm:/golden' },
      `names its AMI as resolve:ssm:/golden, which is looked up anew at each launch: an instance that is replaced would be another one. Name it by its id, ${again}`,
    ],
    ['without an AMI', { ImageId: undefined }, `names no AMI. Name one by its id, ${again}`],
    ['without a type', { InstanceType: undefined }, `names no instance type. Name one, ${again}`],
    [
      'by a tag',
      { UserData: base64(`docker pull ${uri}:latest # {cutover:image}`) },
      `runs ${uri} by a tag, which may name another image when an instance is replaced. Write {cutover:image} instead, ${again}`,
    ],
    [
      'without a placeholder',
      { UserData: base64('run') },
      `does not say in its user data what to run: {cutover:image} stands there for the image, by its digest. Add it, ${again}`,
    ],
    [
      'without user data',
      { UserData: undefined },
      `does not say in its user data what to run: {cutover:image} stands there for the image, by its digest. Add it, ${again}`,
    ],
    [
      'with an unknown placeholder, twice',
      { UserData: base64('{cutover:image} {cutover:digest} {cutover:digest}') },
      `has {cutover:digest} in its user data, which stands for nothing; there are ${known}. Mend it, ${again}`,
    ],
    [
      'too long',
      { UserData: base64(`{cutover:image}${'x'.repeat(16_000)}`) },
      `has 16015 bytes of user data, and what is put in takes up to 512 more: EC2 takes 16384. Make it shorter, ${again}`,
    ],
  ])('%s', (_, changes, expected) => {
    expect(told(changes)).toEqual([`refuse template: ${expected}`]);
  });

  it('whose instances cannot be tagged with their image is refused before they are launched', () => {
    const longest = 'r'.repeat(256 - '@sha256:'.length - 64);
    const of = (repositoryUri: string) => {
      const settings = settingsOf({
        repositoryUri,
        fleet: { ...kind.settings.fleet, launchTemplate: 'lt-1' },
      });
      return objectionsToLaunchTemplate({ ...(fit as object) }, readAsg(settings), settings);
    };
    expect(of(longest)).toEqual([]);
    expect(of(`${longest}r`)).toMatchObject([
      { severity: 'refuse', words: expect.stringContaining('1 characters longer than a tag may be (256)') },
    ]);
  });

  it('without AMI and placeholder is fit where AMIs are deployed', () => {
    expect(told({ ImageId: undefined, UserData: undefined }, 'ami:self')).toEqual([]);
    expect(told({ ImageId: 'resolve:ssm:/golden' }, 'ami:self')).toEqual([]);
  });
});
