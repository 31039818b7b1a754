/** What instances of an AMI are launched from, and what is told before: the service's template counts but for its AMI. */
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CreateLaunchTemplateCommand, EC2Client, type RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AsgSurvey } from '../../functions/aws/asg-survey.ts';
import { generationTemplate, imageIn } from '../../functions/aws/asg-template.ts';
import { type AsgSettings, readAsg } from '../../functions/core/fleet/asg-settings.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { Ec2 } from '../../local/services/ec2/ec2.ts';
import { ServiceQuotas } from '../../local/services/service-quotas.ts';
import { amiOf, generationOf, settingsOf } from '../core/examples.ts';
import { ManualClock } from '../manual-clock.ts';
import { embedded } from '../wire/embedded.ts';

const amis = { repository: 'ami:self', repositoryUri: 'ami:self', tags: ['web-*'] };
const fleet = {
  kind: 'asg',
  unit: 'instance',
  launchTemplate: 'lt-0123456789abcdef0',
  launchTemplateVersion: '1',
  subnets: ['subnet-a'],
};

describe('the survey', () => {
  let aws: Awaited<ReturnType<typeof embedded>>;
  let ec2: EC2Client;
  beforeEach(async () => {
    const { operations } = new Ec2({ clock: new ManualClock() });
    aws = await embedded({
      ec2: operations,
      servicequotas: new ServiceQuotas({ fargateVcpus: 6 }).operations,
    });
    ec2 = new EC2Client(aws.client);
  });
  afterEach(async () => {
    ec2.destroy();
    await aws.close();
  });

  async function templateFaults(
    LaunchTemplateData: RequestLaunchTemplateData,
    source: object,
  ): Promise<readonly string[]> {
    const { LaunchTemplate } = await ec2.send(
      new CreateLaunchTemplateCommand({ LaunchTemplateName: 'web', LaunchTemplateData }),
    );
    const options = {
      ec2,
      quotas: new ServiceQuotasClient(aws.client),
      cloudwatch: new CloudWatchClient(aws.client),
      now: Date.now,
    };
    const launchTemplate = LaunchTemplate?.LaunchTemplateId;
    const settings = settingsOf({ ...source, fleet: { ...fleet, launchTemplate } });
    const { objections, task } = await new AsgSurvey(options).survey(settings);
    expect(task?.platform).toEqual({ os: 'linux', architecture: 'amd64' });
    return objections.filter(({ check }) => check === 'template').map(({ words }) => words);
  }

  it.each<[string, RequestLaunchTemplateData]>([
    ['names none', { InstanceType: 't3.small' }],
    ['names one that does not exist', { InstanceType: 't3.small', ImageId: amiOf(9) }],
  ])('of a service of AMIs asks no AMI of a template that %s', async (_, data) => {
    expect(await templateFaults(data, amis)).toEqual([]);
  });

  it('of a service of images asks for it', async () => {
    const faults = await templateFaults({ InstanceType: 't3.small', ImageId: amiOf(9) }, {});
    expect(faults.join()).toContain(`the AMI ${amiOf(9)} of the launch template does not exist (any more)`);
  });
});

describe('the template of a generation', () => {
  const settings = settingsOf({ ...amis, fleet: { ...fleet, environment: 'qa' } });
  const asg: AsgSettings = readAsg(settings);
  const of = (number: number, ami: number): Generation => ({ ...generationOf(number), digest: amiOf(ami) });
  const source = {
    ImageId: amiOf(9),
    InstanceType: 't3.small' as const,
    UserData: Buffer.from('run {cutover:image} as {cutover:generation}').toString('base64'),
  };
  const scriptOf = ({ UserData = '' }: RequestLaunchTemplateData) =>
    Buffer.from(UserData, 'base64').toString();

  it('launches the AMI itself, by its id, and says so', () => {
    const made = generationTemplate(source, settings, asg, of(1, 1), null);
    expect(made).toMatchObject({ ImageId: amiOf(1), InstanceType: 't3.small' });
    expect(scriptOf(made)).toBe(`run ${amiOf(1)} as web-g0001`);
    expect(imageIn(made as never, settings, of(1, 1))).toBe(amiOf(1));
  });

  it('that is launched anew launches the same AMI', () => {
    const first = generationTemplate(source, settings, asg, of(1, 1), null);
    const again = generationTemplate(first as never, settings, asg, of(3, 1), of(1, 1));
    expect(again).toMatchObject({ ImageId: amiOf(1), InstanceType: 't3.small' });
    expect(scriptOf(again)).toBe(`run ${amiOf(1)} as web-g0003`);
  });
});
