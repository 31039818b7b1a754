/** What can be told of EC2 before instances are launched: the template, its AMI and type, room for them. */
import {
  type _InstanceType,
  DescribeImagesCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplateVersionsCommand,
  type EC2Client,
  type InstanceTypeInfo,
  type ResponseLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import { type AsgSettings, readAsg } from '../core/fleet/asg-settings.ts';
import type { Platform } from '../core/preflight/image-platform.ts';
import { type Objection, unchecked } from '../core/preflight/objection.ts';
import type { FleetSurvey } from '../core/preflight/preflight.ts';
import type { Quota } from '../core/preflight/room.ts';
import { type Reading, reading, valueOr } from '../core/reading.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import type { FleetSurveyor } from '../ports/preflight.ts';
import { type QuotaClients, quotaOf } from './account-quota.ts';
import { deploysAmis, noLaunchTemplate, objectionsToLaunchTemplate } from './asg-objections.ts';
import { calling, codeOf } from './failures.ts';
import { missingPlaces, placesOf } from './subnet-places.ts';

/**
 * Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances, in vCPUs; the other families have quotas of their own:
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
 */
const standard = {
  ServiceCode: 'ec2',
  QuotaCode: 'L-1216C47A',
  usage: { Service: 'EC2', Type: 'Resource', Resource: 'vCPU', Class: 'Standard/OnDemand' },
  unit: 'vCPU',
};
const standardFamilies = /^(?:a|c|d|h|i|im|is|m|r|t|x?z)\d/;

export interface AsgSurveyOptions extends QuotaClients {
  readonly ec2: EC2Client;
}

export class AsgSurvey implements FleetSurveyor {
  readonly #options: AsgSurveyOptions;

  constructor(options: AsgSurveyOptions) {
    this.#options = options;
  }

  async survey(settings: ServiceSettings): Promise<FleetSurvey> {
    const asg = readAsg(settings);
    const [template, places] = await Promise.all([
      reading(() => this.#template(asg)),
      reading(() => placesOf(this.#options.ec2, asg.subnets)),
    ]);
    const content = ownOf(valueOr(template, undefined), settings);
    const [type, architecture, quota] = await Promise.all([
      reading(() => this.#type(content?.InstanceType)),
      reading(() => this.#architecture(content?.ImageId)),
      this.#quota(content),
    ]);
    return {
      objections: [
        ...objectionsTo(template, asg, settings),
        ...typeFaults(content, type, architecture),
        ...missingPlaces(asg.subnets, places),
      ],
      task: taskOf(valueOr(type, undefined)),
      places,
      quota,
    };
  }

  async #template(asg: AsgSettings): Promise<ResponseLaunchTemplateData | undefined> {
    const { launchTemplate, launchTemplateVersion } = asg;
    return calling(`reading the launch template ${launchTemplate}`, async () => {
      try {
        const { LaunchTemplateVersions = [] } = await this.#options.ec2.send(
          new DescribeLaunchTemplateVersionsCommand({
            LaunchTemplateId: launchTemplate,
            Versions: [launchTemplateVersion],
          }),
        );
        return LaunchTemplateVersions[0]?.LaunchTemplateData;
      } catch (thrown) {
        if (/NotFound/.test(codeOf(thrown))) return undefined;
        throw thrown;
      }
    });
  }

  async #type(name: _InstanceType | undefined): Promise<InstanceTypeInfo | undefined> {
    if (name === undefined) return undefined;
    const { InstanceTypes = [] } = await calling(`reading what a ${name} is`, () =>
      this.#options.ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: [name] })),
    );
    return InstanceTypes[0];
  }

  /** Of an AMI; undefined when it does not exist (any more), or when the template names none. */
  async #architecture(imageId: string | undefined): Promise<string | undefined> {
    if (imageId === undefined || !imageId.startsWith('ami-')) return undefined;
    return calling(`reading the AMI ${imageId}`, async () => {
      try {
        const { Images = [] } = await this.#options.ec2.send(
          new DescribeImagesCommand({ ImageIds: [imageId] }),
        );
        return Images[0]?.State === 'available' ? Images[0].Architecture : undefined;
      } catch (thrown) {
        if (codeOf(thrown).startsWith('InvalidAMIID')) return undefined;
        throw thrown;
      }
    });
  }

  async #quota(content: ResponseLaunchTemplateData | undefined): Promise<Reading<Quota>> {
    const { InstanceType = '', InstanceMarketOptions } = content ?? {};
    if (!standardFamilies.test(InstanceType) || InstanceMarketOptions?.MarketType === 'spot')
      return { unread: 'it is known only of on-demand instances of the standard families' };
    return reading(() => quotaOf(this.#options, standard));
  }
}

/** Without the AMI that is not launched: that of what was pushed is looked at as an image is (`ec2-images.ts`). */
function ownOf(
  content: ResponseLaunchTemplateData | undefined,
  settings: ServiceSettings,
): ResponseLaunchTemplateData | undefined {
  if (content === undefined || !deploysAmis(settings)) return content;
  const { ImageId: _, ...own } = content;
  return own;
}

function objectionsTo(
  template: Reading<ResponseLaunchTemplateData | undefined>,
  asg: AsgSettings,
  settings: ServiceSettings,
): readonly Objection[] {
  if ('unread' in template)
    return [unchecked('template', `the launch template ${asg.launchTemplate} was`, template.unread)];
  return template.value === undefined
    ? [noLaunchTemplate(asg)]
    : objectionsToLaunchTemplate(template.value, asg, settings);
}

/** What an instance of the type is; undefined when that is not known. */
function taskOf(type: InstanceTypeInfo | undefined): FleetSurvey['task'] {
  const architecture = (type?.ProcessorInfo?.SupportedArchitectures ?? [])
    .map(platformName)
    .find((each) => each !== undefined);
  const size = type?.VCpuInfo?.DefaultVCpus;
  if (architecture === undefined || size === undefined) return undefined;
  const platform: Platform = { os: 'linux', architecture };
  return { platform, size };
}

function platformName(architecture: string): string | undefined {
  return { x86_64: 'amd64', arm64: 'arm64' }[architecture];
}

function typeFaults(
  content: ResponseLaunchTemplateData | undefined,
  type: Reading<InstanceTypeInfo | undefined>,
  architecture: Reading<string | undefined>,
): readonly Objection[] {
  if (content === undefined) return [];
  const found: Objection[] = [];
  if (content.InstanceRequirements !== undefined)
    found.push(
      unchecked('template', 'the instance type was', 'EC2 chooses one by what the launch template requires'),
    );
  if ('unread' in type)
    found.push(unchecked('template', `the instance type ${content.InstanceType} was`, type.unread));
  if ('unread' in architecture)
    found.push(unchecked('template', `the AMI ${content.ImageId} was`, architecture.unread));
  const known = 'value' in type ? (type.value?.ProcessorInfo?.SupportedArchitectures ?? []) : [];
  const wanted = valueOr(architecture, undefined);
  if (content.ImageId?.startsWith('ami-') === true && 'value' in architecture && wanted === undefined)
    found.push({
      severity: 'refuse',
      check: 'template',
      words: `the AMI ${content.ImageId} of the launch template does not exist (any more), is not available, or is not shared with this account. Name another one, and deploy the service's stack again`,
    });
  if (wanted !== undefined && known.length > 0 && !known.some((each) => each === wanted))
    found.push({
      severity: 'refuse',
      check: 'template',
      words: `the AMI ${content.ImageId} is for ${wanted}, and a ${content.InstanceType} runs ${known.join(', ')}. Name another type or another AMI, and deploy the service's stack again`,
    });
  return found;
}
