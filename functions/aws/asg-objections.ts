/** Whether generations can be made of a launch template. EC2 would show most of it only as instances that never answer. */
import type { ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { AsgSettings } from '../core/fleet/asg-settings.ts';
import { amiOwner } from '../core/images/ami-event.ts';
import type { Objection } from '../core/preflight/objection.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { environmentTag, generationTag, imageTag, serviceTag } from '../core/tags.ts';
import { userDataIn } from './asg-template.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html: 16 KB, before it is encoded. */
const mostUserData = 16_384;
/** What an image's name has more than what stands for it, and some more. */
const roomForNames = 512;

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html */
const mostInTag = 256;

const known = [imageTag, environmentTag, serviceTag, generationTag];

export function noLaunchTemplate({ launchTemplate, launchTemplateVersion }: AsgSettings): Objection {
  return refuse(
    `the launch template ${launchTemplate}, version ${launchTemplateVersion}, does not exist (any more). Deploy the service's stack again`,
  );
}

export function objectionsToLaunchTemplate(
  content: ResponseLaunchTemplateData,
  { launchTemplate, environment }: AsgSettings,
  settings: ServiceSettings,
): readonly Objection[] {
  const faults = [
    ...machineFaults(content, settings),
    ...tagFaults(settings),
    ...userDataFaults(userDataIn(content), environment, settings),
  ];
  return faults.map((words) => refuse(`the launch template ${launchTemplate} ${words}`));
}

const again = "and deploy the service's stack again";

function machineFaults(
  { ImageId, InstanceType, InstanceRequirements }: ResponseLaunchTemplateData,
  settings: ServiceSettings,
): readonly string[] {
  const faults: string[] = [];
  if (InstanceType === undefined && InstanceRequirements === undefined)
    faults.push(`names no instance type. Name one, ${again}`);
  if (deploysAmis(settings)) return faults;
  if (ImageId === undefined) faults.push(`names no AMI. Name one by its id, ${again}`);
  else if (!ImageId.startsWith('ami-'))
    faults.push(
      `names its AMI as ${ImageId}, which is looked up anew at each launch: an instance that is replaced would be another one. Name it by its id, ${again}`,
    );
  return faults;
}

function tagFaults(settings: ServiceSettings): readonly string[] {
  if (deploysAmis(settings)) return [];
  const over = `${settings.repositoryUri}@sha256:`.length + 64 - mostInTag;
  return over <= 0
    ? []
    : [
        `makes instances that are tagged with their image, and ${settings.repositoryUri} with a digest is ${over} characters longer than a tag may be (${mostInTag}). Shorten the repository's name, ${again}`,
      ];
}

function userDataFaults(
  text: string,
  environment: AsgSettings['environment'],
  settings: ServiceSettings,
): readonly string[] {
  const faults: string[] = [];
  const unknown = [...text.matchAll(/\{(cutover:[^}\s]*)\}/g)].flatMap(([, name = '']) =>
    known.includes(name) ? [] : [`{${name}}`],
  );
  if (unknown.length > 0)
    faults.push(
      `has ${[...new Set(unknown)].join(', ')} in its user data, which stands for nothing; there are ${known.map((name) => `{${name}}`).join(', ')}. Mend it, ${again}`,
    );
  if (environment === null && text.includes(`{${environmentTag}}`))
    faults.push(
      `has {${environmentTag}} in its user data, and the service declares no environment. Declare it, ${again}`,
    );
  if (Buffer.byteLength(text, 'latin1') + roomForNames > mostUserData)
    faults.push(
      `has ${text.length} bytes of user data, and what is put in takes up to ${roomForNames} more: EC2 takes ${mostUserData}. Make it shorter, ${again}`,
    );
  if (deploysAmis(settings)) return faults;
  if (!text.includes(imageTag))
    faults.push(
      `does not say in its user data what to run: {${imageTag}} stands there for the image, by its digest. Add it, ${again}`,
    );
  if (text.includes(`${settings.repositoryUri}:`))
    faults.push(
      `runs ${settings.repositoryUri} by a tag, which may name another image when an instance is replaced. Write {${imageTag}} instead, ${again}`,
    );
  return faults;
}

/** Whether what is deployed is the AMI itself: what the template names is then replaced by it. */
export function deploysAmis({ repository }: Pick<ServiceSettings, 'repository'>): boolean {
  return amiOwner(repository) !== undefined;
}

function refuse(words: string): Objection {
  return { severity: 'refuse', check: 'template', words };
}
