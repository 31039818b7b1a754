/**
 * What the instances of a generation are launched from: the service's launch template with what is deployed, and where, put
 * in. In its user data `{cutover:image}`, `{cutover:environment}`, `{cutover:service}` and `{cutover:generation}` stand for
 * these; the tags of the instances say the same.
 */
import type {
  LaunchTemplateTagSpecification,
  RequestLaunchTemplateData,
  ResponseLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import type { AsgSettings } from '../core/fleet/asg-settings.ts';
import type { Generation } from '../core/fleet/generation.ts';
import { isAmi } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { environmentTag, generationTag, imageTag, ownerTags, serviceTag } from '../core/tags.ts';

type Deployed = Pick<Generation, 'name' | 'digest'>;

/** Always by digest, or by the AMI's id: what a tag or a name means may change. */
export function imageOf({ repositoryUri }: ServiceSettings, { digest }: Deployed): string {
  return isAmi(digest) ? digest : `${repositoryUri}@${digest}`;
}

/** `copyOf`: whose template this is made like; null: the service's. */
export function generationTemplate(
  source: ResponseLaunchTemplateData,
  settings: ServiceSettings,
  { environment }: AsgSettings,
  generation: Deployed,
  copyOf: Deployed | null,
): RequestLaunchTemplateData {
  const image = imageOf(settings, generation);
  // The user data of a copy names its environment already, and the tags say the same.
  const where = copyOf === null ? environment : tagIn(source, environmentTag);
  const tags = {
    ...ownerTags(settings.service, generation.name),
    [imageTag]: image,
    ...(typeof where === 'string' && { [environmentTag]: where }),
  };
  const before = copyOf === null ? undefined : imageIn(source, settings, copyOf);
  const values = new Map<string, string>([
    [`{${imageTag}}`, image],
    [`{${environmentTag}}`, environment ?? ''],
    [`{${serviceTag}}`, settings.service],
    [`{${generationTag}}`, generation.name],
  ]);
  if (before !== undefined) values.set(before, image);
  // Names of generations are never used again, so what reads like the copied one is the copied one.
  if (copyOf !== null) values.set(copyOf.name, generation.name);
  const {
    UserData,
    TagSpecifications,
    ImageId,
    // Both services have ended, and their members differ here from there (API_RequestLaunchTemplateData).
    ElasticGpuSpecifications: _graphics,
    ElasticInferenceAccelerators: _inference,
    ...rest
  } = source;
  const imageId = isAmi(generation.digest) ? generation.digest : ImageId;
  return {
    // What EC2 shows of a version it takes again: the members are a request's, only their types promise less.
    ...(rest as RequestLaunchTemplateData),
    ...(imageId !== undefined && { ImageId: imageId }),
    ...(UserData !== undefined && { UserData: replaced(UserData, values) }),
    TagSpecifications: tagged(TagSpecifications, tags),
  };
}

/** The image that a generation's template runs, by the tags of its instances; undefined for a stranger's. */
export function imageIn(
  content: ResponseLaunchTemplateData,
  { service }: ServiceSettings,
  { name }: Deployed,
): string | undefined {
  const isOurs = Object.entries(ownerTags(service, name)).every(
    ([key, value]) => tagIn(content, key) === value,
  );
  return isOurs ? tagIn(content, imageTag) : undefined;
}

/** Of the instances. */
function tagIn({ TagSpecifications = [] }: ResponseLaunchTemplateData, key: string): string | undefined {
  const tags = TagSpecifications.find(({ ResourceType }) => ResourceType === 'instance')?.Tags ?? [];
  return tags.find(({ Key }) => Key === key)?.Value;
}

/** User data may be anything, so its bytes are kept. */
export function userDataIn({ UserData = '' }: ResponseLaunchTemplateData): string {
  return Buffer.from(UserData, 'base64').toString('latin1');
}

/** In one go, so that what is put in is not read again. */
function replaced(userData: string, values: ReadonlyMap<string, string>): string {
  // A generation's number that goes on is another name's.
  const names = [...values.keys()].map((name) =>
    /\d$/.test(name) ? `${escaped(name)}(?!\\d)` : escaped(name),
  );
  const text = Buffer.from(userData, 'base64')
    .toString('latin1')
    .replaceAll(new RegExp(names.join('|'), 'g'), (name) => bytesOf(values.get(name) ?? name));
  return Buffer.from(text, 'latin1').toString('base64');
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

/** UTF-8, a character for each byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Instances and their volumes; what the service's template tags otherwise stays. */
function tagged(
  before: readonly LaunchTemplateTagSpecification[] | undefined,
  tags: Readonly<Record<string, string>>,
): LaunchTemplateTagSpecification[] {
  const kinds = ['instance', 'volume'] as const;
  const others = (before ?? []).filter(({ ResourceType }) => !kinds.some((kind) => kind === ResourceType));
  const ours = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return [
    ...others,
    ...kinds.map((ResourceType) => {
      const known = (before ?? []).find((each) => each.ResourceType === ResourceType)?.Tags ?? [];
      return {
        ResourceType,
        Tags: [...known.filter(({ Key = '' }) => !(Key in tags)), ...ours],
      };
    }),
  ];
}
