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
import type { AsgSettings } from '../core/asg-settings.ts';
import type { Generation } from '../core/generation.ts';
import { isAmi } from '../core/names.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { environmentTag, imageTag, ownerTags } from '../core/tags.ts';

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
  const tags = {
    ...ownerTags(settings.service, generation.name),
    [imageTag]: image,
    ...(environment !== null && { [environmentTag]: environment }),
  };
  const values = {
    '{cutover:image}': image,
    '{cutover:environment}': environment ?? '',
    '{cutover:service}': settings.service,
    '{cutover:generation}': generation.name,
    // Names of generations are never used again, so what reads like the copied one is the copied one.
    ...(copyOf && { [copyOf.name]: generation.name }),
  };
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
  { TagSpecifications = [] }: ResponseLaunchTemplateData,
  { service }: ServiceSettings,
  { name }: Deployed,
): string | undefined {
  const tags = TagSpecifications.find(({ ResourceType }) => ResourceType === 'instance')?.Tags ?? [];
  const valueOf = (key: string) => tags.find(({ Key }) => Key === key)?.Value;
  const isOurs = Object.entries(ownerTags(service, name)).every(([key, value]) => valueOf(key) === value);
  return isOurs ? valueOf(imageTag) : undefined;
}

/** User data may be anything, so its bytes are kept. */
export function userDataIn({ UserData = '' }: ResponseLaunchTemplateData): string {
  return Buffer.from(UserData, 'base64').toString('latin1');
}

function replaced(userData: string, values: Readonly<Record<string, string>>): string {
  const text = Object.entries(values).reduce(
    (words, [name, value]) => words.replaceAll(name, value),
    Buffer.from(userData, 'base64').toString('latin1'),
  );
  return Buffer.from(text, 'latin1').toString('base64');
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
